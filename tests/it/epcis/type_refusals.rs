//! What is refused in events of one type and not of another, and with which words.

use coldproof::epcis::{EventKind, Ruling, parse_event};

use super::{
    event, hosts,
    properties::{sample, sample_of},
};

const O: &str = "ObjectEvent";
const A: &str = "AggregationEvent";
const X: &str = "TransactionEvent";
const F: &str = "TransformationEvent";
const S: &str = "AssociationEvent";

/// Type, members, the pointer, and part of the error's text.
const REFUSED: &[(&str, &str, &str, &str)] = &[
    // What must be there.
    (A, r#""childEPCs":["urn:x:1"],"parentID":"urn:x:p""#, "", "\"action\" is missing"),
    (A, r#""action":"ADD","childEPCs":["urn:x:1"]"#, "", "\"parentID\" is missing"),
    (A, r#""action":"DELETE","childEPCs":["urn:x:1"]"#, "", "\"parentID\" is missing"),
    (A, r#""action":"ADD","parentID":"urn:x:p""#, "", "\"childEPCs\" is missing"),
    (A, r#""action":"ADD","parentID":"urn:x:p","childEPCs":[]"#, "", "\"childEPCs\" is missing"),
    (A, r#""action":"OBSERVE","parentID":"urn:x:p","childQuantityList":[]"#, "", "\"childEPCs\" is missing"),
    (
        A,
        r#""action":"ADD","parentID":"urn:x:p","cp:spans":[{"first":"00000300000000000000","last":"00000300000000000000"}]"#,
        "",
        "\"childEPCs\" is missing",
    ),
    (S, r#""action":"ADD","childEPCs":["urn:x:1"]"#, "", "\"parentID\" is missing"),
    (S, r#""action":"OBSERVE","childEPCs":["urn:x:1"]"#, "", "\"parentID\" is missing"),
    (S, r#""action":"OBSERVE","parentID":"urn:x:p""#, "", "\"childEPCs\" is missing"),
    (S, r#""parentID":"urn:x:p","childEPCs":["urn:x:1"]"#, "", "\"action\" is missing"),
    (X, r#""action":"ADD","epcList":[]"#, "", "\"bizTransactionList\" is missing"),
    (X, r#""action":"ADD","epcList":[],"bizTransactionList":[]"#, "/bizTransactionList", "at least one"),
    (X, r#""action":"ADD","bizTransactionList":[{"bizTransaction":"urn:x:t"}]"#, "", "\"epcList\" is missing"),
    (
        X,
        r#""action":"OBSERVE","quantityList":[],"bizTransactionList":[{"bizTransaction":"urn:x:t"}]"#,
        "",
        "\"epcList\" is missing",
    ),
    (X, r#""epcList":[],"bizTransactionList":[{"bizTransaction":"urn:x:t"}]"#, "", "\"action\" is missing"),
    (F, r#""outputEPCList":["urn:x:1"]"#, "", "\"inputEPCList\" is missing"),
    (F, r#""inputEPCList":["urn:x:1"]"#, "", "\"outputEPCList\" is missing"),
    (F, r#""inputEPCList":["urn:x:1"],"outputEPCList":[]"#, "", "\"outputEPCList\" is missing"),
    (F, r#""inputQuantityList":[],"outputEPCList":["urn:x:1"]"#, "", "\"inputEPCList\" is missing"),
    (F, r#""transformationID":"urn:x:t""#, "", "at least one input or output"),
    (
        F,
        r#""transformationID":"urn:x:t","inputEPCList":[],"outputQuantityList":[]"#,
        "",
        "at least one input or output",
    ),
    (O, r#""action":"ADD","quantityList":[],"ilmd":{"ex:a":1}"#, "", "\"epcList\" is missing"),
    // ilmd.
    (O, r#""action":"ADD","epcList":[],"ilmd":[]"#, "/ilmd", "an object of namespaced members"),
    (O, r#""action":"ADD","epcList":[],"ilmd":{"lot":"7"}"#, "/ilmd", "unknown field \"lot\""),
    (O, r#""action":"ADD","epcList":[],"ilmd":{"mda:lot":"7"}"#, "/ilmd", "unknown field \"mda:lot\""),
    (O, r#""action":"DELETE","epcList":[],"ilmd":{"ex:a":1}"#, "/ilmd", "not ADD"),
    // What other types have.
    (O, r#""action":"ADD","epcList":[],"parentID":"urn:x:p""#, "", "unknown field \"parentID\""),
    (O, r#""action":"ADD","epcList":[],"childEPCs":["urn:x:1"]"#, "", "unknown field \"childEPCs\""),
    (F, r#""action":"ADD","inputEPCList":["urn:x:1"],"outputEPCList":["urn:x:2"]"#, "", "unknown field \"action\""),
    (F, r#""inputEPCList":["urn:x:1"],"outputEPCList":["urn:x:2"],"epcList":[]"#, "", "unknown field \"epcList\""),
    (
        F,
        r#""inputEPCList":["urn:x:1"],"outputEPCList":["urn:x:2"],"parentID":"urn:x:p""#,
        "",
        "unknown field \"parentID\"",
    ),
    (A, r#""action":"DELETE","parentID":"urn:x:p","epcList":[]"#, "", "unknown field \"epcList\""),
    (A, r#""action":"DELETE","parentID":"urn:x:p","quantityList":[]"#, "", "unknown field \"quantityList\""),
    (A, r#""action":"DELETE","parentID":"urn:x:p","inputEPCList":[]"#, "", "unknown field \"inputEPCList\""),
    (A, r#""action":"DELETE","parentID":"urn:x:p","ilmd":{}"#, "", "unknown field \"ilmd\""),
    (
        A,
        r#""action":"DELETE","parentID":"urn:x:p","transformationID":"urn:x:t""#,
        "",
        "unknown field \"transformationID\"",
    ),
    (
        A,
        r#""action":"DELETE","parentID":"urn:x:p","persistentDisposition":{"set":["recalled"]}"#,
        "",
        "unknown field \"persistentDisposition\"",
    ),
    (
        S,
        r#""action":"DELETE","parentID":"urn:x:p","persistentDisposition":{"set":["recalled"]}"#,
        "",
        "unknown field \"persistentDisposition\"",
    ),
    (S, r#""action":"DELETE","parentID":"urn:x:p","ilmd":{}"#, "", "unknown field \"ilmd\""),
    (
        X,
        r#""action":"ADD","epcList":[],"bizTransactionList":[{"bizTransaction":"urn:x:t"}],"ilmd":{"ex:a":1}"#,
        "",
        "unknown field \"ilmd\"",
    ),
    (
        X,
        r#""action":"ADD","epcList":[],"bizTransactionList":[{"bizTransaction":"urn:x:t"}],"persistentDisposition":{"set":["recalled"]}"#,
        "",
        "unknown field \"persistentDisposition\"",
    ),
    (
        F,
        r#""inputEPCList":["urn:x:1"],"outputEPCList":["urn:x:2"],"cp:spans":[{"first":"00000300000000000000","last":"00000300000000000000"}]"#,
        "",
        "unknown field \"cp:spans\"",
    ),
    (
        A,
        r#""action":"DELETE","parentID":"urn:x:p","cp:outputSpans":[{"first":"00000300000000000000","last":"00000300000000000000"}]"#,
        "",
        "unknown field \"cp:outputSpans\"",
    ),
    // Forms.
    (A, r#""action":"DELETE","parentID":"pallet 7""#, "/parentID", "a URI"),
    (A, r#""action":"DELETE","parentID":["urn:x:p"]"#, "/parentID", "a URI"),
    (A, r#""action":"DELETE","parentID":"https://demo.coldproof.example/batch/7""#, "/parentID", "an instance here"),
    (A, r#""action":"DELETE","parentID":"https://demo.coldproof.example/measure/7""#, "/parentID", "an EPC"),
    (A, r#""action":"DELETE","parentID":"urn:x:p","childEPCs":"urn:x:1""#, "/childEPCs", "an array of EPCs"),
    (A, r#""action":"DELETE","parentID":"urn:x:p","childEPCs":["1"]"#, "/childEPCs/0", "a URI"),
    (
        A,
        r#""action":"DELETE","parentID":"urn:x:p","childEPCs":["urn:x:1","urn:epc:class:lgtin:9506000.013435.A"]"#,
        "/childEPCs/1",
        "an instance here",
    ),
    (
        A,
        r#""action":"DELETE","parentID":"urn:x:p","childQuantityList":[{"epcClass":"urn:x:1","quantity":"3"}]"#,
        "/childQuantityList/0/quantity",
        "a number",
    ),
    (
        F,
        r#""inputEPCList":["urn:x:1"],"outputQuantityList":[{"epcClass":"urn:x:2","uom":"KGM"}]"#,
        "/outputQuantityList/0",
        "\"quantity\" is missing",
    ),
    (
        F,
        r#""inputQuantityList":[{"epcClass":"urn:x:2","quantity":1,"uom":"kilo"}],"outputEPCList":["urn:x:1"]"#,
        "/inputQuantityList/0/uom",
        "Recommendation 20",
    ),
    (F, r#""inputEPCList":["urn:x:1"],"transformationID":"first""#, "/transformationID", "a URI"),
    (F, r#""inputEPCList":["urn:x:1"],"outputEPCList":["urn:x:2"],"ilmd":{"lot":1}"#, "/ilmd", "unknown field \"lot\""),
    // Spans.
    (
        F,
        r#""inputEPCList":["urn:x:1"],"outputEPCList":["urn:x:2"],"cp:inputSpans":[{"first":"00000300008000000000","last":"00000300000000000000"}]"#,
        "/cp:inputSpans/0",
        "runs backward",
    ),
    (
        F,
        r#""inputEPCList":["urn:x:1"],"outputEPCList":["urn:x:2"],"cp:outputSpans":[{"first":"00000300000000000000","last":"no code"}]"#,
        "/cp:outputSpans/0/last",
        "one of our codes",
    ),
    (
        F,
        r#""inputEPCList":["urn:x:1"],"outputQuantityList":[{"epcClass":"https://demo.coldproof.example/batch/7","quantity":3}],"cp:outputSpans":[{"first":"00000300000000000000","last":"00000300000000000000"}]"#,
        "/outputQuantityList",
        "the 1 codes",
    ),
    (
        A,
        r#""action":"DELETE","parentID":"urn:x:p","cp:spans":[{"first":"00000300000000000000","last":"00000400000000000000"}]"#,
        "/cp:spans/0",
        "two runs",
    ),
    // The same thing in two places.
    (A, r#""action":"ADD","parentID":"urn:x:p","childEPCs":["urn:x:1","urn:x:2","urn:x:1"]"#, "/childEPCs/2", "twice"),
    (
        A,
        r#""action":"ADD","parentID":"urn:x:p","childEPCs":["urn:x:1","urn:x:p"]"#,
        "/childEPCs/1",
        "the parent itself",
    ),
    (
        A,
        r#""action":"ADD","parentID":"https://id.gs1.org/00/095060001234567893","childEPCs":["urn:epc:id:sscc:9506000.0123456789"]"#,
        "/childEPCs/0",
        "the parent itself",
    ),
    (
        A,
        r#""action":"ADD","parentID":"https://trace.example.cn/00000300000000000000","childEPCs":["https://demo.coldproof.example/00000300000000000000"]"#,
        "/childEPCs/0",
        "the parent itself",
    ),
    (
        S,
        r#""action":"DELETE","parentID":"https://trace.example.cn/00000300008000000000","cp:spans":[{"first":"00000300000000000000","last":"0000030000G000000000"}]"#,
        "/cp:spans/0/first",
        "the parent itself",
    ),
    (
        X,
        r#""action":"ADD","parentID":"urn:x:p","epcList":["urn:x:p"],"bizTransactionList":[{"bizTransaction":"urn:x:t"}]"#,
        "/epcList/0",
        "the parent itself",
    ),
    (
        F,
        r#""inputEPCList":["urn:x:1","urn:x:2"],"outputEPCList":["urn:x:3","urn:x:2"]"#,
        "/outputEPCList/1",
        "an input too",
    ),
    (
        F,
        r#""inputEPCList":["urn:x:1","urn:epc:id:sgtin:9506000.013435.1"],"outputEPCList":["https://id.gs1.org/01/09506000134352/21/1"]"#,
        "/outputEPCList/0",
        "an input too",
    ),
    (
        F,
        r#""inputEPCList":["https://trace.example.cn/00000300008000000000"],"outputQuantityList":[{"epcClass":"https://demo.coldproof.example/batch/7","quantity":3}],"cp:outputSpans":[{"first":"00000300000000000000","last":"0000030000G000000000"}]"#,
        "/cp:outputSpans/0/first",
        "an input too",
    ),
    (
        F,
        r#""inputQuantityList":[{"epcClass":"https://demo.coldproof.example/batch/7","quantity":2}],"outputEPCList":["urn:x:1"],"cp:inputSpans":[{"first":"00000300000000000000","last":"00000300000000000000"},{"first":"00000300000000000000","last":"00000300000000000000"}]"#,
        "/cp:inputSpans/1/first",
        "twice",
    ),
];

#[test]
fn errors_of_each_type_name_place_finding_and_expectation() {
    for (kind, members, pointer, words) in REFUSED {
        let error = event(&sample_of(kind, members)).expect_err(members);
        assert_eq!(error.pointer, *pointer, "{members}: {error}");
        assert!(error.to_string().contains(words), "{members}: {error}");
    }
}

#[test]
fn what_each_type_needs_is_enough() {
    let enough = [
        (A, r#""action":"OBSERVE","childEPCs":["urn:x:1"]"#, EventKind::Aggregation),
        (A, r#""action":"DELETE","parentID":"urn:x:p""#, EventKind::Aggregation),
        (
            A,
            r#""action":"ADD","parentID":"urn:x:p","childQuantityList":[{"epcClass":"urn:x:c"}]"#,
            EventKind::Aggregation,
        ),
        (S, r#""action":"DELETE","parentID":"urn:epc:id:sgln:9506000.00001.0""#, EventKind::Association),
        (S, r#""action":"ADD","parentID":"urn:x:p","childEPCs":["urn:x:1"]"#, EventKind::Association),
        (X, r#""action":"DELETE","bizTransactionList":[{"bizTransaction":"urn:x:t"}]"#, EventKind::Transaction),
        (
            X,
            r#""action":"ADD","epcList":[],"bizTransactionList":[{"bizTransaction":"urn:x:t"}]"#,
            EventKind::Transaction,
        ),
        (F, r#""inputEPCList":["urn:x:1"],"outputQuantityList":[{"epcClass":"urn:x:c"}]"#, EventKind::Transformation),
        (F, r#""transformationID":"urn:x:t","inputEPCList":["urn:x:1"]"#, EventKind::Transformation),
        (F, r#""transformationID":"urn:x:t","outputEPCList":["urn:x:1"]"#, EventKind::Transformation),
    ];
    for (kind, members, expected) in enough {
        let event = event(&sample_of(kind, members)).unwrap_or_else(|error| panic!("{members}: {error}"));
        assert_eq!(event.kind, expected);
        assert_eq!(event.action.is_none(), expected == EventKind::Transformation);
    }
}

/// A caller's error about a code leads to the code, by the names that the document used.
#[test]
fn a_refused_code_is_told_with_its_place() {
    let hosts = hosts();
    let span = r#"[{"last":"0000030000G000000000","first":"00000300000000000000"}]"#;
    let count = |batch| format!(r#"[{{"epcClass":"https://demo.coldproof.example/batch/{batch}","quantity":3}}]"#);
    let aggregation = sample_of(
        A,
        &format!(
            r#""action":"ADD","parentID":"https://trace.example.cn/00000400000000000000","childEPCs":["urn:x:1","https://trace.example.cn/00000500000000000000"],"cp:spans":{span},"childQuantityList":{}"#,
            count(7)
        ),
    );
    let transformation = sample_of(
        F,
        &format!(
            r#""inputEPCList":["https://trace.example.cn/00000400000000000000"],"outputEPCList":["https://trace.example.cn/00000500000000000000"],"https://w3id.org/coldproof/1/outputSpans":{span},"outputQuantityList":{}"#,
            count(7)
        ),
    );
    let object = sample(r#""epcList":["urn:x:1","https://trace.example.cn/00000400000000000000"]"#);
    for (text, places) in [
        (aggregation, &["/parentID", "/childEPCs/1", "/cp:spans/0/first", "/cp:spans/0/last"][..]),
        (
            transformation,
            &[
                "/inputEPCList/0",
                "/outputEPCList/0",
                "/https:~1~1w3id.org~1coldproof~11~1outputSpans/0/first",
                "/https:~1~1w3id.org~1coldproof~11~1outputSpans/0/last",
            ],
        ),
        (object, &["/epcList/1"]),
    ] {
        let draft = parse_event(text.as_bytes(), &hosts).unwrap();
        let mut found: Vec<String> =
            draft.codes().iter().map(|code| draft.refuse(code, "a code", "one of ours").pointer).collect();
        found.sort();
        let mut places = places.to_vec();
        places.sort_unstable();
        assert_eq!(found, places);
        let mut asked = Vec::new();
        draft
            .seal(|code| {
                asked.push(code.code.to_string());
                Ruling::Ours(None)
            })
            .unwrap();
        assert!(asked.iter().all(|code| code.starts_with("000004") || code.starts_with("000005")), "{asked:?}");
    }
}

/// Quantities beside the spans of inputs and outputs count each batch, as beside those of objects.
#[test]
fn quantities_beside_spans_of_any_list_count_each_batch() {
    let hosts = hosts();
    let span = r#"[{"first":"00000300000000000000","last":"0000030000G000000000"}]"#;
    let transformation = |batch: u64| {
        sample_of(
            F,
            &format!(
                r#""inputEPCList":["urn:x:1"],"cp:outputSpans":{span},"outputQuantityList":[{{"epcClass":"https://demo.coldproof.example/batch/{batch}","quantity":3}}]"#
            ),
        )
    };
    let check =
        |text: &str| parse_event(text.as_bytes(), &hosts)?.check_quantities(|_| Some(coldproof::trace::BatchId(7)));
    check(&transformation(7)).unwrap();
    assert_eq!(check(&transformation(8)).unwrap_err().pointer, "/outputQuantityList/0");
}
