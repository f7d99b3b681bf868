//! What holds of every event.

use coldproof::epcis::{
    Event, Ruling, StoredEvent, document_of, event_id, parse_canonical, parse_event_id, record_id, shapes,
};
use proptest::prelude::*;

use super::{
    event, events,
    generated::{Die, generated, shuffled},
    hosts, varied,
};

fn again(event: &Event) -> Event {
    let hosts = hosts();
    parse_canonical(&event.body, &hosts).unwrap().seal(|code| Ruling::Ours(code.gtin)).unwrap()
}

#[test]
fn a_canonical_event_reads_as_itself() {
    for event in varied() {
        assert_eq!(again(&event), event);
    }
}

#[test]
fn generated_events_of_all_types_read_as_themselves_in_any_order_of_members() {
    let mut die = Die::new(11);
    for (value, read) in generated(150) {
        assert_eq!(again(&read), read);
        let text = shuffled(&value, &mut die);
        assert_eq!(event(&text).unwrap(), read, "{text}");
    }
}

#[test]
fn a_declaration_of_any_type_has_the_id_of_its_event_and_is_a_record_of_its_own() {
    let organization = coldproof::trace::OrganizationId(1);
    for (_, standing) in generated(30).into_iter().filter(|(value, _)| value.get("errorDeclaration").is_none()) {
        let declaration = shapes::declared_in_error(&standing, None, 1_778_032_800_000, &hosts()).unwrap();
        assert_eq!((declaration.hash, declaration.kind), (standing.hash, standing.kind));
        assert!(declaration.error_declaration.is_some() && standing.error_declaration.is_none());
        assert_ne!(record_id(organization, &declaration.body), record_id(organization, &standing.body));
    }
}

/// The same thing in its place, whatever list of whatever type it stands in.
#[test]
fn all_forms_of_one_code_are_one_in_every_place() {
    let forms = [
        "https://id.gs1.org/01/09506000134352/21/000003ABCDEFGHJKMNPQ",
        "HTTPS://DEMO.COLDPROOF.EXAMPLE/01/09506000134352/10/L%2F1/21/000003abcdefghjkmnpq?s=Ax",
        "http://trace.example.cn/01/9506000134352/21/OOOOO3-ABCD-EFGH-JKMN-PQ",
        "urn:epc:id:sgtin:9506000.013435.000003ABCDEFGHJKMNPQ",
    ];
    let places = [
        ("AggregationEvent", r#""action":"ADD","parentID":"urn:x:p","childEPCs":["@"]"#),
        ("AggregationEvent", r#""action":"ADD","parentID":"@","childEPCs":["urn:x:c"]"#),
        ("AssociationEvent", r#""action":"ADD","parentID":"@","childEPCs":["urn:x:c"]"#),
        ("TransactionEvent", r#""action":"ADD","bizTransactionList":[{"bizTransaction":"urn:x:t"}],"epcList":["@"]"#),
        (
            "TransactionEvent",
            r#""action":"ADD","bizTransactionList":[{"bizTransaction":"urn:x:t"}],"parentID":"@","epcList":[]"#,
        ),
        ("TransformationEvent", r#""inputEPCList":["@"],"outputEPCList":["urn:x:o"]"#),
        ("TransformationEvent", r#""inputEPCList":["urn:x:i"],"outputEPCList":["@"]"#),
    ];
    for (kind, members) in places {
        let read = |form: &&str| {
            event(&sample_of(kind, &members.replace('@', form))).unwrap_or_else(|error| panic!("{form}: {error}"))
        };
        let events: Vec<Event> = forms.iter().map(read).collect();
        assert!(events[0].body.contains(forms[0]), "{}", events[0].body);
        assert!(events.iter().all(|event| *event == events[0]), "{events:#?}");
        assert_eq!(events[0].spans().map(|span| span.codes()).collect::<Vec<_>>(), [1], "{members}");
    }
}

#[test]
fn links_of_ours_to_keys_of_gs1_are_canonical_in_every_field() {
    let members = r#""epcList":["https://trace.example.cn/00/095060001234567893"],
        "readPoint":{"id":"https://trace.example.cn/414/9506000000019"},
        "bizLocation":{"id":"HTTP://demo.coldproof.example/414/9506000000026"},
        "sourceList":[{"type":"location","source":"https://trace.example.cn/414/9506000000033"}],
        "bizTransactionList":[{"bizTransaction":"https://trace.example.cn/253/9506000000040A"}]"#;
    let body = event(&sample(members)).unwrap().body;
    assert!(!body.contains("trace.example.cn") && !body.contains("demo.coldproof.example"), "{body}");
    for link in
        ["00/095060001234567893", "414/9506000000019", "414/9506000000026", "414/9506000000033", "253/9506000000040A"]
    {
        assert!(body.contains(&format!("\"https://id.gs1.org/{link}\"")), "{body}");
    }
}

#[test]
fn an_answered_document_reads_as_the_stored_events() {
    let stored = varied();
    let mut out = Vec::new();
    for event in &stored {
        out.push(StoredEvent { body: &event.body, record_time_ms: 1_777_858_200_000, is_conflicting: false });
    }
    let document = document_of(&out, 1_777_858_200_001);
    assert!(document.contains(r#""recordTime":"2026-05-04T01:30:00.000Z""#));
    assert_eq!(events(&document).unwrap(), stored);
}

#[test]
fn all_forms_of_one_code_are_one_event() {
    let forms = [
        "https://id.gs1.org/01/09506000134352/21/000003ABCDEFGHJKMNPQ",
        "https://id.gs1.org/01/09506000134352/10/L%2F1/21/000003abcdefghjkmnpq",
        "HTTPS://DEMO.COLDPROOF.EXAMPLE/01/09506000134352/21/000003ABCDEFGHJKMNPQ?s=Ax",
        "http://trace.example.cn/01/9506000134352/21/OOOOO3-ABCD-EFGH-JKMN-PQ",
        "https://shop.example/x/01/09506000134352/21/000003ABCDEFGHJKMNPQ",
        "urn:epc:id:sgtin:9506000.013435.000003ABCDEFGHJKMNPQ",
    ];
    let bodies: Vec<String> = forms
        .iter()
        .map(|form| {
            event(&sample(&format!(r#""epcList":["{form}"]"#))).unwrap_or_else(|error| panic!("{form}: {error}")).body
        })
        .collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:#?}");
}

#[test]
fn a_serial_that_only_looks_like_a_code_stays_what_it_is() {
    let hosts = hosts();
    let text = sample(r#""epcList":["https://id.gs1.org/01/09506000134352/21/12345678901234567890"]"#);
    let draft = coldproof::epcis::parse_event(text.as_bytes(), &hosts).unwrap();
    assert!(!draft.codes()[0].claims_ours);
    let event = draft.seal(|_| Ruling::Foreign).unwrap();
    assert_eq!(event.goods.epcs, ["https://id.gs1.org/01/09506000134352/21/12345678901234567890"]);
    assert!(event.goods.spans.is_empty());
}

/// An object event with these members.
pub fn sample(members: &str) -> String {
    sample_of("ObjectEvent", &format!(r#""action":"OBSERVE",{members}"#))
}

/// An event of this type with these members.
pub fn sample_of(kind: &str, members: &str) -> String {
    format!(
        r#"{{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{{"ex":"https://example.com/ns/","cp":"https://w3id.org/coldproof/1/"}}],"type":"{kind}","eventTime":"2026-05-04T09:30:00.000+08:00","eventTimeZoneOffset":"+08:00",{members}}}"#
    )
}

proptest! {
    #[test]
    fn single_codes_fold_into_spans(serials in prop::collection::btree_set(0u32..40, 1..30)) {
        let epcs: Vec<String> = serials
            .iter()
            .rev()
            .map(|serial| {
                let code = coldproof::code::Code::from_bits(3 << 70 | u128::from(*serial) << 48 | 5).unwrap();
                format!("\"https://demo.coldproof.example/{code}\"")
            })
            .collect();
        let event = event(&sample(&format!("\"epcList\":[{}]", epcs.join(",")))).unwrap();
        let named: Vec<u32> = event.goods.spans.iter().flat_map(|span| span.first().get()..=span.last().get()).collect();
        prop_assert_eq!(named, serials.iter().copied().collect::<Vec<_>>());
        prop_assert!(event.goods.spans.windows(2).all(|pair| pair[0].last().get() + 1 < pair[1].first().get()));
    }

    #[test]
    fn extensions_survive_a_second_reading(text in ".*", number in -1e15..1e15f64, flag: bool) {
        let value = serde_json::json!({ "t": text, "n": number, "f": [flag, null] });
        let event = event(&sample(&format!("\"epcList\":[],\"ex:any\":{value}"))).unwrap();
        prop_assert_eq!(again(&event), event);
    }

    #[test]
    fn event_ids_round_trip(bytes: [u8; 32]) {
        let hash = coldproof::trace::EventHash(bytes);
        prop_assert_eq!(parse_event_id(&event_id(hash)), Some(hash));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".*") {
        let _ = coldproof::epcis::parse_document(&bytes, &hosts());
        let _ = coldproof::epcis::parse_document(text.as_bytes(), &hosts());
    }
}
