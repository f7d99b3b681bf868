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
        r#""epcList":[],"bizTransactionList":[{"bizTransaction":"https://demo.coldproof.example/measure/1"},{"bizTransaction":"https://demo.coldproof.example/measure/2"}]"#,
        "/bizTransactionList/1",
        "measures in one event",
    ),
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
    // Words in name spaces that the JSON schema forbids.
    (r#""epcList":[],"bizStep":"urn:epcglobal:cbv:bizstep:shipping""#, "/bizStep", "business step of CBV 2.0"),
    (r#""epcList":[],"disposition":"https://ns.gs1.org/cbv/Disp-active""#, "/disposition", "disposition of CBV 2.0"),
    (
        r#""epcList":[],"persistentDisposition":{"set":["urn:epcglobal:cbv:disp:recalled"]}"#,
        "/persistentDisposition/set/0",
        "disposition of CBV 2.0",
    ),
    (
        r#""epcList":[],"bizTransactionList":[{"type":"urn:epcglobal:cbv:btt:po","bizTransaction":"urn:x:1"}]"#,
        "/bizTransactionList/0/type",
        "business transaction type",
    ),
    (
        r#""epcList":[],"sourceList":[{"type":"urn:epcglobal:cbv:sdt:location","source":"urn:x:1"}]"#,
        "/sourceList/0/type",
        "owning_party",
    ),
    (
        r#""epcList":[],"sensorElementList":[{"sensorReport":[{"type":"https://gs1.org/voc/Mass"}]}]"#,
        "/sensorElementList/0/sensorReport/0/type",
        "measurement type",
    ),
    // Forms of fields.
    (r#""epcList":"urn:x:1""#, "/epcList", "an array of EPCs"),
    (r#""epcList":[7]"#, "/epcList/0", "a URI"),
    (r#""epcList":[],"eventID":"7""#, "/eventID", "a URI"),
    (r#""epcList":[],"bizStep":7"#, "/bizStep", "business step"),
    (r#""epcList":[],"disposition":"flying""#, "/disposition", "disposition of CBV 2.0"),
    (r#""epcList":[],"certificationInfo":7"#, "/certificationInfo", "a URI"),
    (r#""epcList":[],"certificationInfo":["urn:x:1","x"]"#, "/certificationInfo/1", "a URI"),
    (r#""epcList":[],"readPoint":"urn:x:1""#, "/readPoint", "the member id"),
    (r#""epcList":[],"readPoint":{}"#, "/readPoint", "\"id\" is missing"),
    (r#""epcList":[],"bizLocation":{"id":"shelf 7"}"#, "/bizLocation/id", "a URI"),
    (r#""epcList":[],"ex:a":{"@context":{}}"#, "/ex:a", "unknown field \"@context\""),
    (r#""quantityList":{}"#, "/quantityList", "an array"),
    (r#""quantityList":[{"epcClass":"shrimp"}]"#, "/quantityList/0/epcClass", "a URI"),
    (r#""quantityList":[{"epcClass":"urn:x:1","unit":"KGM"}]"#, "/quantityList/0", "unknown field \"unit\""),
    (r#""quantityList":[{"epcClass":"urn:x:1","quantity":"1"}]"#, "/quantityList/0/quantity", "a number"),
    (r#""quantityList":[{"epcClass":"urn:x:1","uom":"KGM"}]"#, "/quantityList/0", "\"quantity\" is missing"),
    (r#""epcList":[],"bizTransactionList":{}"#, "/bizTransactionList", "an array"),
    (
        r#""epcList":[],"bizTransactionList":[{"type":"order","bizTransaction":"urn:x:1"}]"#,
        "/bizTransactionList/0/type",
        "business transaction type of CBV 2.0",
    ),
    (r#""epcList":[],"bizTransactionList":[{"bizTransaction":"7"}]"#, "/bizTransactionList/0/bizTransaction", "a URI"),
    (
        r#""epcList":[],"bizTransactionList":[{"bizTransaction":"urn:x:1","ex:a":1}]"#,
        "/bizTransactionList/0",
        "unknown",
    ),
    (r#""epcList":[],"sourceList":[{"type":"owner","source":"urn:x:1"}]"#, "/sourceList/0/type", "owning_party"),
    (r#""epcList":[],"sourceList":[{"type":"location"}]"#, "/sourceList/0", "\"source\" is missing"),
    (r#""epcList":[],"destinationList":[{"type":"location","source":"urn:x:1"}]"#, "/destinationList/0", "unknown"),
    (
        r#""epcList":[],"destinationList":[{"type":"location","destination":"x"}]"#,
        "/destinationList/0/destination",
        "a URI",
    ),
    (r#""epcList":[],"persistentDisposition":{"add":["recalled"]}"#, "/persistentDisposition", "unknown field \"add\""),
    (r#""epcList":[],"persistentDisposition":{"set":[]}"#, "/persistentDisposition/set", "at least one"),
    (r#""epcList":[],"persistentDisposition":{"unset":"recalled"}"#, "/persistentDisposition/unset", "an array"),
    (r#""epcList":[],"persistentDisposition":{"set":["gone"]}"#, "/persistentDisposition/set/0", "disposition of CBV"),
    (
        r#""epcList":[],"errorDeclaration":{"declarationTime":"2026-05-04"}"#,
        "/errorDeclaration/declarationTime",
        "RFC 3339",
    ),
    (
        r#""epcList":[],"errorDeclaration":{"declarationTime":"2026-05-04T00:00:00Z","reason":"typo"}"#,
        "/errorDeclaration/reason",
        "did_not_occur",
    ),
    (
        r#""epcList":[],"errorDeclaration":{"declarationTime":"2026-05-04T00:00:00Z","correctiveEventIDs":"urn:x:1"}"#,
        "/errorDeclaration/correctiveEventIDs",
        "an array of URIs",
    ),
    (
        r#""epcList":[],"errorDeclaration":{"declarationTime":"2026-05-04T00:00:00Z","correctiveEventIDs":["1"]}"#,
        "/errorDeclaration/correctiveEventIDs/0",
        "a URI",
    ),
    (
        r#""epcList":[],"errorDeclaration":{"declarationTime":"2026-05-04T00:00:00Z","by":"me"}"#,
        "/errorDeclaration",
        "unknown field \"by\"",
    ),
    // Sensors.
    (r#""sensorElementList":[{"sensorReport":[{"type":"Mass"}]}]"#, "", "at a read point"),
    (r#""readPoint":{"id":"urn:x:1"},"sensorElementList":[]"#, "", "at a read point"),
    (r#""epcList":[],"sensorElementList":[{}]"#, "/sensorElementList/0", "\"sensorReport\" is missing"),
    (r#""epcList":[],"sensorElementList":[{"sensorReport":[{}]}]"#, "/sensorElementList/0/sensorReport/0", "\"type\""),
    (
        r#""epcList":[],"sensorElementList":[{"sensorReport":[{"type":"Mass"}],"zone":1}]"#,
        "/sensorElementList/0",
        "unknown field \"zone\"",
    ),
    (
        r#""epcList":[],"sensorElementList":[{"sensorReport":[{"type":"Mass"}],"sensorMetadata":{"name":"x"}}]"#,
        "/sensorElementList/0/sensorMetadata",
        "unknown field \"name\"",
    ),
    (
        r#""epcList":[],"sensorElementList":[{"sensorReport":[{"type":"Mass"}],"sensorMetadata":{"startTime":"noon"}}]"#,
        "/sensorElementList/0/sensorMetadata/startTime",
        "RFC 3339",
    ),
    (
        r#""epcList":[],"sensorElementList":[{"sensorReport":[{"type":"Smell"}]}]"#,
        "/sensorElementList/0/sensorReport/0/type",
        "measurement type",
    ),
    (
        r#""epcList":[],"sensorElementList":[{"sensorReport":[{"type":"Mass","value":"1"}]}]"#,
        "/sensorElementList/0/sensorReport/0/value",
        "a number",
    ),
    (
        r#""epcList":[],"sensorElementList":[{"sensorReport":[{"type":"Mass","booleanValue":"true"}]}]"#,
        "/sensorElementList/0/sensorReport/0/booleanValue",
        "true or false",
    ),
    (
        r#""epcList":[],"sensorElementList":[{"sensorReport":[{"type":"Mass","hexBinaryValue":"0x7"}]}]"#,
        "/sensorElementList/0/sensorReport/0/hexBinaryValue",
        "hexadecimal",
    ),
    (
        r#""epcList":[],"sensorElementList":[{"sensorReport":[{"type":"Mass","uriValue":"a b"}]}]"#,
        "/sensorElementList/0/sensorReport/0/uriValue",
        "a URI",
    ),
    (
        r#""epcList":[],"sensorElementList":[{"sensorReport":[{"type":"Mass","component":"w"}]}]"#,
        "/sensorElementList/0/sensorReport/0/component",
        "component of CBV 2.0",
    ),
    (
        r#""epcList":[],"sensorElementList":[{"sensorReport":[{"type":"Mass","exception":"ODD"}]}]"#,
        "/sensorElementList/0/sensorReport/0/exception",
        "ALARM_CONDITION",
    ),
    (
        r#""epcList":[],"sensorElementList":[{"sensorReport":[{"type":"Mass","quality":1}]}]"#,
        "/sensorElementList/0/sensorReport/0",
        "unknown field \"quality\"",
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

/// A member of the document and what it is instead, the pointer, and part of the error's text.
const DOCUMENTS_REFUSED: &[(&str, &str, &str, &str)] = &[
    (r#""type":"EPCISDocument","#, "", "", "\"type\" is missing"),
    (r#""type":"EPCISDocument","#, r#""type":"EPCISQueryDocument","#, "/type", "EPCISDocument"),
    (r#""schemaVersion":"2.0","#, "", "", "\"schemaVersion\" is missing"),
    (r#""schemaVersion":"2.0","#, r#""schemaVersion":"1.2","#, "/schemaVersion", "2.0"),
    (r#""schemaVersion":"2.0","#, r#""schemaVersion":2,"#, "/schemaVersion", "2.0"),
    (r#""creationDate":"2026-05-04T09:30:00Z","#, "", "", "\"creationDate\" is missing"),
    (r#""creationDate":"2026-05-04T09:30:00Z","#, r#""creationDate":"2026-05-04","#, "/creationDate", "RFC 3339"),
    (r#""@context":[],"#, "", "", "\"@context\" is missing"),
    (r#""@context":[],"#, r#""@context":7,"#, "/@context", "a URL"),
    (r#""@context":[],"#, r#""@context":"epcis","#, "/@context", "a URL"),
    (r#""@context":[],"#, r#""@context":[["urn:x:1"]],"#, "/@context/0", "a URL or an object"),
    (r#""@context":[],"#, r#""@context":["urn:x:1",{},"urn:x:1"],"#, "/@context/2", "twice"),
    (r#""@context":[],"#, r#""@context":[{"ex":"urn:x:"},{"ex":"urn:x:"}],"#, "/@context/1", "twice"),
    (r#""@context":[],"#, r#""@context":{"ex":"ns"},"#, "/@context/ex", "an absolute IRI"),
    (r#""id":"urn:x:1","#, r#""id":"1","#, "/id", "a URI"),
    (r#""sender":"a","#, r#""sender":7,"#, "/sender", "a string"),
    (r#""sender":"a","#, r#""from":"a","#, "", "unknown field \"from\""),
    ("{\"eventList\":[]}", "[]", "/epcisBody", "an object with eventList"),
    ("{\"eventList\":[]}", "{}", "/epcisBody", "\"eventList\" is missing"),
    ("{\"eventList\":[]}", "{\"eventList\":{}}", "/epcisBody/eventList", "an array of events"),
    ("{\"eventList\":[]}", "{\"eventList\":[],\"events\":[]}", "/epcisBody", "unknown field \"events\""),
    ("{\"eventList\":[]}", "{\"eventList\":[7]}", "/epcisBody/eventList/0", "an event"),
    ("{\"eventList\":[]}", "{\"eventList\":[{}]}", "/epcisBody/eventList/0", "\"type\" is missing"),
    ("{\"eventList\":[]}", "{\"eventList\":[{\"type\":7}]}", "/epcisBody/eventList/0/type", "type of event"),
    ("\"epcisHeader\":{}", "\"epcisHeader\":[]", "/epcisHeader", "epcisMasterData"),
    ("\"epcisHeader\":{}", "\"epcisHeader\":{\"data\":1}", "/epcisHeader", "unknown field \"data\""),
    ("\"epcisHeader\":{}", "\"epcisHeader\":{\"epcisMasterData\":[]}", "/epcisHeader/epcisMasterData", "master data"),
];

/// A `vocabularyList` of the header, the pointer below it, and part of the error's text.
const MASTER_DATA_REFUSED: &[(&str, &str, &str)] = &[
    ("{}", "", "an array"),
    ("[7]", "/0", "a vocabulary"),
    ("[{}]", "/0", "\"type\" is missing"),
    (r#"[{"type":"place"}]"#, "/0/type", "a URI"),
    (r#"[{"type":"urn:x:1","vocabularyElementList":[{}]}]"#, "/0/vocabularyElementList/0", "\"id\" is missing"),
    (r#"[{"type":"urn:x:1","vocabularyElementList":[{"id":"7"}]}]"#, "/0/vocabularyElementList/0/id", "a URI"),
    (
        r#"[{"type":"urn:x:1","vocabularyElementList":[{"id":"urn:x:1","children":["7"]}]}]"#,
        "/0/vocabularyElementList/0/children/0",
        "a URI",
    ),
    (
        r#"[{"type":"urn:x:1","vocabularyElementList":[{"id":"urn:x:1","attributes":[{"attribute":"a"}]}]}]"#,
        "/0/vocabularyElementList/0/attributes/0",
        "\"id\" is missing",
    ),
    (
        r#"[{"type":"urn:x:1","vocabularyElementList":[{"id":"urn:x:1","attributes":[{"id":"urn:x:2","attribute":[]}]}]}]"#,
        "/0/vocabularyElementList/0/attributes/0/attribute",
        "a number, a string or an object",
    ),
];

#[test]
fn a_document_is_refused_for_its_own_fields() {
    let document = r#"{"@context":[],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-05-04T09:30:00Z","id":"urn:x:1","sender":"a","epcisBody":{"eventList":[]},"epcisHeader":{}}"#;
    assert_eq!(events(document).unwrap().len(), 0);
    for (member, instead, pointer, words) in DOCUMENTS_REFUSED {
        assert!(document.contains(member), "{member}");
        let error = events(&document.replace(member, instead)).expect_err(instead);
        assert_eq!(error.pointer, *pointer, "{instead}: {error}");
        assert!(error.to_string().contains(words), "{instead}: {error}");
    }
    let header = |list: &str| {
        let header = format!(r#""epcisHeader":{{"epcisMasterData":{{"vocabularyList":{list}}}}}"#);
        events(&document.replace(r#""epcisHeader":{}"#, &header))
    };
    let whole = r#"[{"type":"urn:x:1","vocabularyElementList":[{"id":"urn:x:1","attributes":[{"id":"urn:x:2","attribute":"a"}],"children":["urn:x:3"]}]}]"#;
    assert_eq!(header(whole).unwrap().len(), 0);
    for (list, pointer, words) in MASTER_DATA_REFUSED {
        let error = header(list).expect_err(list);
        assert_eq!(error.pointer, format!("/epcisHeader/epcisMasterData/vocabularyList{pointer}"), "{list}: {error}");
        assert!(error.to_string().contains(words), "{list}: {error}");
    }
}
