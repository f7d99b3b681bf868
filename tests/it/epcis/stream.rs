//! A document read as a stream says what the same document says that is parsed whole, however it is cut.

use coldproof::{
    epcis::{DocumentError, DocumentStream, Draft, Reason, Ruling, parse_document},
    limits::{CAPTURE_MEMORY_BYTES_MAX, JSON_DEPTH_MAX, RECORD_BYTES_MAX},
};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use super::hosts;

/// Bodies of the events, or what is wrong and where.
type Said = Result<Vec<String>, (String, Reason)>;

fn said(drafts: Result<Vec<Draft<'_>>, DocumentError>) -> Said {
    let told = |error: DocumentError| (error.pointer, error.reason);
    let seal = |draft: Draft<'_>| Ok(draft.seal(|code| Ruling::Ours(code.gtin)).map_err(told)?.body);
    drafts.map_err(told)?.into_iter().map(seal).collect()
}

fn whole(document: &[u8]) -> Said {
    said(parse_document(document, &hosts()))
}

/// The same from pieces of these lengths in turn.
fn streamed(document: &[u8], pieces: &[usize]) -> Said {
    let hosts = hosts();
    let mut stream = DocumentStream::default();
    let (mut texts, mut rest, mut lengths) = (Vec::new(), document, pieces.iter().cycle());
    let end = loop {
        match stream.next_event() {
            Ok(Some(text)) => texts.push(text),
            Ok(None) if rest.is_empty() && stream.has_ended() => break Ok(()),
            Ok(None) if rest.is_empty() => stream.end(),
            Ok(None) => {
                let (piece, behind) = rest.split_at(rest.len().min(*lengths.next().unwrap()));
                stream.push(piece);
                rest = behind;
            }
            Err(error) => break Err(error),
        }
    };
    // What is wrong with an event comes before what is wrong behind it.
    let said = said(texts.iter().map(|text| stream.read(text, &hosts)).collect())?;
    end.map(|()| said).map_err(|error| (error.pointer, error.reason))
}

/// Events of `varied.json`, as they stand there.
fn events() -> Vec<Value> {
    let document: Value = serde_json::from_str(include_str!("varied.json")).unwrap();
    document["epcisBody"]["eventList"].as_array().unwrap().clone()
}

/// A document of some events, its members in an order that is told by numbers.
fn document(events: &[Value], order: [u8; 7], single: bool, pretty: bool) -> String {
    let body = match events {
        [event] if single => json!({ "event": event }),
        events => json!({ "eventList": events }),
    };
    let context: Value = serde_json::from_str::<Value>(include_str!("varied.json")).unwrap()["@context"].clone();
    let mut members = [
        (order[0], "@context", context),
        (order[1].saturating_add(128), "epcisBody", body),
        (order[2], "type", json!("EPCISDocument")),
        (order[3], "schemaVersion", json!("2.0")),
        (order[4], "creationDate", json!("2026-06-01T00:00:00Z")),
        (order[5], "epcisHeader", json!({ "epcisMasterData": { "]}": ["[\\\"{", 1.5, null, true] } })),
        (order[6], "ex:any", json!([{}, [], "\\\"]}", "冷", -0.25e-3])),
    ];
    members.sort_by_key(|(order, ..)| *order);
    let text = |value: &Value| match pretty {
        true => serde_json::to_string_pretty(value).unwrap(),
        false => value.to_string(),
    };
    let members: Vec<_> = members.iter().map(|(_, name, value)| format!("{}:{}", json!(name), text(value))).collect();
    let document = format!(" {{{}}}\n", members.join(if pretty { " ,\r\n\t" } else { "," }));
    // Names may be written with escapes.
    document.replace("ex:any", "ex:\\u0061ny").replace("\"epcisBody", "\"\\u0065pcisBody")
}

/// One change of a document's bytes.
#[derive(Clone, Debug)]
enum Change {
    None,
    Cut(Index),
    Remove(Index),
    Put(Index, u8),
    Insert(Index, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let byte = || {
        prop::sample::select(
            br#"{}[]":,\0 1-e+tnaz"#.iter().copied().chain([0, 10, 0x80, 0xe5, 0xff]).collect::<Vec<_>>(),
        )
    };
    prop_oneof![
        Just(Change::None),
        any::<Index>().prop_map(Change::Cut),
        any::<Index>().prop_map(Change::Remove),
        (any::<Index>(), byte()).prop_map(|(at, byte)| Change::Put(at, byte)),
        (any::<Index>(), byte()).prop_map(|(at, byte)| Change::Insert(at, byte)),
    ]
}

fn changed(document: String, change: &Change) -> Vec<u8> {
    let mut bytes = document.into_bytes();
    let len = bytes.len();
    match change {
        Change::None => {}
        Change::Cut(at) => bytes.truncate(at.index(len)),
        Change::Remove(at) => drop(bytes.remove(at.index(len))),
        Change::Put(at, byte) => bytes[at.index(len)] = *byte,
        Change::Insert(at, byte) => bytes.insert(at.index(len), *byte),
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_stream_says_what_the_whole_says_however_it_is_cut(
        picked in prop::collection::vec(any::<Index>(), 0..4),
        order: [u8; 7],
        single: bool,
        pretty: bool,
        change in change(),
        pieces in prop::collection::vec(1usize..300, 1..20),
    ) {
        let all = events();
        let events: Vec<_> = picked.iter().map(|at| all[at.index(all.len())].clone()).collect();
        let document = changed(document(&events, order, single, pretty), &change);
        let (whole, streamed) = (whole(&document), streamed(&document, &pieces));
        let is_context = |said: &Said| matches!(said, Err((_, Reason::Missing { field: "@context", .. })));
        // The one thing that a stream asks and the whole does not.
        if order[0] > order[1].saturating_add(128) && is_context(&streamed) {
            return Ok(());
        }
        match (&streamed, &whole) {
            // Both say where text is not JSON, and what stands there.
            (Err((_, Reason::Syntax { .. })), _) | (Ok(_), _) => prop_assert_eq!(&streamed, &whole),
            // The whole tells that before all else; a stream may meet something else first.
            (Err(_), Err((_, Reason::Syntax { .. }))) => {}
            (Err((streamed, _)), Err((whole, _))) => prop_assert_eq!(streamed, whole),
            (Err(_), Ok(_)) => prop_assert!(false, "{:?}", streamed),
        }
    }
}

#[test]
fn one_byte_at_a_time_is_enough() {
    let document = document(&events(), [0; 7], false, true);
    assert_eq!(streamed(document.as_bytes(), &[1]), whole(document.as_bytes()));
    assert!(whole(document.as_bytes()).unwrap().len() > 5);
}

#[test]
fn a_context_behind_the_body_is_asked_for_before_it() {
    let document = document(&events(), [255, 0, 0, 0, 0, 0, 0], false, false);
    let (pointer, reason) = streamed(document.as_bytes(), &[4096]).unwrap_err();
    assert_eq!(pointer, "");
    assert!(reason.to_string().contains("before epcisBody"), "{reason}");
}

/// What a stream says of a document whose body is this.
fn with_body(body: &str) -> Said {
    let document = format!(
        r#"{{"@context":[],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-06-01T00:00:00Z","epcisBody":{body}}}"#
    );
    let said = streamed(document.as_bytes(), &[7]);
    assert_eq!(said, whole(document.as_bytes()), "{body}");
    said
}

#[test]
fn bodies_that_are_none_are_told_as_by_the_whole() {
    for body in [
        "5",
        "[]",
        "{}",
        r#"{"eventList":5}"#,
        r#"{"event":[]}"#,
        r#"{"eventList":[],"event":{}}"#,
        r#"{"x":{}}"#,
        r#"{"eventList":[],"eventList":[]}"#,
        r#"{"eventList":[5]}"#,
        r#"{"eventList":[{}]}"#,
        r#"{"eventList":[1{}]}"#,
        r#"{"eventList":[]]"#,
        r#"{"event":{"type":"ObjectEvent"}}"#,
        r#"{"\u0065vent":7}"#,
    ] {
        with_body(body).unwrap_err();
    }
    assert_eq!(with_body(r#"{"event\u004cist":[]}"#), Ok(Vec::new()));
}

#[test]
fn nesting_has_the_same_limit() {
    let nested = |levels: usize| format!(r#"{{"eventList":[{{"a":{}{}}}]}}"#, "[".repeat(levels), "]".repeat(levels));
    let refused = |levels| with_body(&nested(levels)).unwrap_err().1;
    assert!(matches!(refused(JSON_DEPTH_MAX - 3), Reason::TooDeep { .. }));
    assert!(!matches!(refused(JSON_DEPTH_MAX - 4), Reason::TooDeep { .. }));
}

#[test]
fn what_is_held_at_once_has_a_limit() {
    let endless = |begun: &str, filling: &str| {
        let mut stream = DocumentStream::default();
        stream.push(begun.as_bytes());
        let filling = filling.repeat((1 << 20) / filling.len());
        (0..100).find_map(|_| {
            stream.push(filling.as_bytes());
            stream.next_event().err().map(|error| (error.pointer, error.reason))
        })
    };
    let envelope = r#"{"@context":[],"epcisBody":{"eventList":["#;
    for (begun, filling, at, max_expected) in [
        (format!("{envelope}{{\"a\":\""), "x", "/epcisBody/eventList/0", RECORD_BYTES_MAX),
        (format!("{envelope}\""), "x", "/epcisBody/eventList/0", RECORD_BYTES_MAX),
        (r#"{"a":["#.to_owned(), "1,", "/a", CAPTURE_MEMORY_BYTES_MAX),
        (r#"{""#.to_owned(), "a", "", CAPTURE_MEMORY_BYTES_MAX),
    ] {
        let found = endless(&begun, filling);
        let Some((pointer, Reason::TooMany { max, .. })) = found else { panic!("{begun}: {found:?}") };
        assert_eq!((pointer.as_str(), max), (at, max_expected), "{begun}");
    }
    let (pointer, reason) = endless("{", &format!(r#""a{}":0,"#, "b".repeat(100))).unwrap();
    assert_eq!(pointer, "", "{reason}");
}
