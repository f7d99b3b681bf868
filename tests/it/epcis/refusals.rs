//! What is refused, and with which words.

use coldproof::epcis::Reason;

use super::{event, events, properties::sample};

/// Members added to an event, the pointer, and part of the error's text.
const REFUSED: &[(&str, &str, &str)] = &[
    (r#""epcList":["not a uri"]"#, "/epcList/0", "a URI"),
    (r#""epcList":["urn:epc:id:sgtin:9506000.013435.1","urn:epc:id:sgtin:9506000.013435.1"]"#, "/epcList/1", "twice"),
    (
        r#""epcList":["urn:epc:id:sgtin:9506000.013435.1","https://id.gs1.org/01/09506000134352/21/1"]"#,
        "/epcList/1",
        "twice",
    ),
    (
        r#""epcList":["https://demo.coldproof.example/000003ABCDEFGHJKMNPQ","https://trace.example.cn/000003ABCDEFGHJKMNPQ"]"#,
        "/epcList/1",
        "twice",
    ),
    (r#""epcList":["https://demo.coldproof.example/batch/7"]"#, "/epcList/0", "classes stand in lists of quantities"),
    (r#""epcList":["https://demo.coldproof.example/01/09506000134353/21/1"]"#, "/epcList/0", "check digit"),
    (r#""epcList":[],"epcList":[]"#, "", "stands twice"),
    (r#""epcList":[],"bizSteps":"shipping""#, "", "unknown field \"bizSteps\""),
    (r#""epcList":[],"foo:bar":1"#, "", "unknown field \"foo:bar\""),
    (r#""epcList":[],"bizStep":"flying""#, "/bizStep", "business step of CBV 2.0"),
    (r#""epcList":[],"bizStep":"https://ref.gs1.org/cbv/BizStep-flying""#, "/bizStep", "business step of CBV 2.0"),
    (r#""epcList":[],"disposition":"urn:epcglobal:cbv:bizstep:shipping""#, "/disposition", "disposition of CBV 2.0"),
    (r#""epcList":[],"persistentDisposition":{}"#, "/persistentDisposition", "set, unset or both"),
    (
        r#""epcList":[],"persistentDisposition":{"set":["recalled","https://ref.gs1.org/cbv/Disp-recalled"]}"#,
        "/persistentDisposition/set/1",
        "twice",
    ),
    (r#""epcList":[],"ilmd":{"ex:a":1}"#, "/ilmd", "not ADD"),
    (r#""epcList":[],"readPoint":{"name":"x"}"#, "/readPoint", "unknown field \"name\""),
    (r#""quantityList":[]"#, "", "epcList"),
    (
        r#""quantityList":[{"epcClass":"urn:epc:class:lgtin:9506000.013435.A","quantity":1,"uom":"kg"}]"#,
        "/quantityList/0/uom",
        "Recommendation 20",
    ),
    (
        r#""quantityList":[{"epcClass":"urn:epc:class:lgtin:9506000.013435.A","quantity":1e400}]"#,
        "/quantityList/0/quantity",
        "1e400",
    ),
    (
        r#""quantityList":[{"epcClass":"urn:epc:class:lgtin:9506000.013435.A","quantity":9007199254740993}]"#,
        "/quantityList/0/quantity",
        "9007199254740993",
    ),
    (
        r#""quantityList":[{"epcClass":"urn:epc:class:lgtin:9506000.013435.A","quantity":-1}]"#,
        "/quantityList/0/quantity",
        "from 0 up",
    ),
    (r#""quantityList":[{"quantity":1}]"#, "/quantityList/0", "\"epcClass\" is missing"),
    (
        r#""epcList":[],"cp:spans":[{"first":"00000300008000000000","last":"00000300000000000000"}]"#,
        "/cp:spans/0",
        "runs backward",
    ),
    (
        r#""epcList":[],"cp:spans":[{"first":"00000300000000000000","last":"00000400000000000000"}]"#,
        "/cp:spans/0",
        "two runs",
    ),
    (r#""epcList":[],"cp:spans":[]"#, "/cp:spans", "at least one span"),
    (
        r#""quantityList":[{"epcClass":"https://demo.coldproof.example/batch/7","quantity":3}],"cp:spans":[{"first":"00000300000000000000","last":"00000300000000000000"}]"#,
        "/quantityList",
        "the 1 codes",
    ),
    (r#""epcList":[],"sourceList":[{"source":"https://example.com/a"}]"#, "/sourceList/0", "\"type\" is missing"),
    (r#""epcList":[],"bizTransactionList":[{"type":"po"}]"#, "/bizTransactionList/0", "\"bizTransaction\" is missing"),
    (
        r#""epcList":[],"errorDeclaration":{"reason":"incorrect_data"}"#,
        "/errorDeclaration",
        "\"declarationTime\" is missing",
    ),
    (r#""epcList":[],"recordTime":"2026-02-30T00:00:00Z""#, "/recordTime", "RFC 3339"),
    (
        r#""epcList":[],"sensorElementList":[{"sensorReport":[]}]"#,
        "/sensorElementList/0/sensorReport",
        "at least one report",
    ),
    (
        r#""epcList":[],"sensorElementList":[{"sensorMetadata":{"deviceID":"urn:x:1"},"sensorReport":[{"type":"Temperature","deviceID":"urn:x:1"}]}]"#,
        "/sensorElementList/0/sensorReport/0/deviceID",
        "twice",
    ),
    (
        r#""epcList":[],"sensorElementList":[{"sensorReport":[{"type":"Temperature","time":"2026-05-04T01:30:01Z"}]}]"#,
        "/sensorElementList",
        "later than the event",
    ),
];

#[test]
fn errors_name_place_finding_and_expectation() {
    for (members, pointer, words) in REFUSED {
        let error = event(&sample(members)).expect_err(members);
        assert_eq!(error.pointer, *pointer, "{members}: {error}");
        assert!(error.to_string().contains(words), "{members}: {error}");
    }
}

#[test]
fn a_document_names_the_event_and_nothing_of_it_is_returned() {
    let one = r#"{"type":"ObjectEvent","eventTime":"2026-05-04T09:30:00Z","eventTimeZoneOffset":"+00:00","action":"OBSERVE","epcList":[]}"#;
    let document = |events: &str| {
        format!(
            r#"{{"@context":[],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-05-04T09:30:00Z","epcisBody":{{"eventList":[{events}]}}}}"#
        )
    };
    assert_eq!(events(&document(one)).unwrap().len(), 1);
    for (broken, pointer) in [
        (one.replace("ObjectEvent", "QuantityEvent"), "/epcisBody/eventList/1/type"),
        (one.replace("+00:00", "+15:00"), "/epcisBody/eventList/1/eventTimeZoneOffset"),
        (one.replace("09:30:00Z", "24:30:00Z"), "/epcisBody/eventList/1/eventTime"),
        (one.replace("09:30:00Z", "09:30:00"), "/epcisBody/eventList/1/eventTime"),
        (one.replace("\"action\":\"OBSERVE\",", ""), "/epcisBody/eventList/1"),
        (one.replace("OBSERVE", "observe"), "/epcisBody/eventList/1/action"),
    ] {
        let error = events(&document(&format!("{one},{broken}"))).unwrap_err();
        assert_eq!((error.event, error.pointer.as_str()), (Some(1), pointer), "{error}");
    }
}

#[test]
fn a_type_that_epcis_does_not_have_is_refused_with_those_that_it_has() {
    let error = event(&sample(r#""epcList":[]"#).replace("ObjectEvent", "QuantityEvent")).unwrap_err();
    assert_eq!(error.reason, Reason::UnknownType { found: "QuantityEvent".to_owned() });
    assert!(error.to_string().contains("AssociationEvent"));
}
