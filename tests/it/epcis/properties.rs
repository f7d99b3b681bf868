//! What holds of every event.

use coldproof::epcis::{Event, Ruling, document_of, event_id, parse_canonical, parse_event_id};
use proptest::prelude::*;

use super::{event, events, hosts, varied};

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
fn an_answered_document_reads_as_the_stored_events() {
    let stored = varied();
    let bodies: Vec<(&str, i64)> = stored.iter().map(|event| (event.body.as_str(), 1_777_858_200_000)).collect();
    let document = document_of(&bodies, 1_777_858_200_001);
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

/// An event with these members.
pub fn sample(members: &str) -> String {
    format!(
        r#"{{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{{"ex":"https://example.com/ns/","cp":"https://w3id.org/coldproof/1/"}}],"type":"ObjectEvent","eventTime":"2026-05-04T09:30:00.000+08:00","eventTimeZoneOffset":"+08:00","action":"OBSERVE",{members}}}"#
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
