//! The worked values of `docs/spec/epcis-events.md` and `docs/spec/records.md`.

use coldproof::{
    epcis::{
        DocumentError, Event, capture_id, event_id, record_id,
        shapes::{self, BatchFacts, BatchSpan, CodeStep, DocumentFact, Measure, MeasureKind, Occasion},
    },
    trace::{BatchId, MeasureId, OrganizationId},
};

use super::hosts;

const EVENTS: &str = include_str!("../../../docs/spec/epcis-events.md");
const RECORDS: &str = include_str!("../../../docs/spec/records.md");

/// The JSON of a heading, canonical.
pub fn golden(page: &str, heading: &str) -> String {
    let section = page.split("\n### ").find(|section| section.starts_with(&format!("{heading}\n"))).expect(heading);
    let json = section.split("```json\n").nth(1).unwrap().split("\n```").next().unwrap();
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    serde_json_canonicalizer::to_string(&value).unwrap()
}

fn occasion() -> Occasion {
    Occasion {
        event_time_ms: 1_777_858_200_000,
        offset_minutes: 480,
        read_point: Some("https://id.gs1.org/414/9506000000019".to_owned()),
    }
}

fn span() -> BatchSpan {
    let code = |text: &str| coldproof::code::Code::parse(text).unwrap();
    BatchSpan { batch: BatchId(17), first: code("000003000000000000AB"), last: code("00000307ZZZZ000000CD") }
}

fn facts(expiry: &str) -> BatchFacts {
    let text = |text: &str| Some(text.to_owned());
    BatchFacts {
        quantity: Some((20_000.0, None)),
        gtin: text("09506000134352"),
        product: text("冻南美白虾"),
        lot: text("L24-0117"),
        production: Some(("2026-01-10".to_owned(), "2026-01-17".to_owned())),
        expiry: Some(("2028-01-09".to_owned(), expiry.to_owned())),
        origin: text("EC"),
        net_weight: Some((8000.0, "KGM".to_owned())),
        hs_code: text("0306171100"),
        storage_celsius: (None, Some(-18.0)),
        producer: text("Camarones del Pacífico S.A."),
        producer_registration: text("EC-1234"),
        importer: text("湘岳冷链食品有限公司"),
        declaration: text("490120261012345678"),
        declaration_line: Some(3),
        port_of_entry: text("CNCSX"),
        entry_date: text("2026-03-02"),
        documents: vec![DocumentFact {
            kind: "quarantine_certificate".to_owned(),
            number: "A-2026-77".to_owned(),
            issuer: text("长沙海关"),
            date: text("2026-03-05"),
            sha256: None,
        }],
        ..BatchFacts::default()
    }
}

fn registered(expiry: &str) -> Event {
    let certificates = ["https://demo.coldproof.example/documents/5".to_owned()];
    shapes::registration(&occasion(), BatchId(17), &facts(expiry), &certificates, &hosts()).unwrap()
}

#[test]
fn a_batch_is_registered_and_corrected_as_the_page_shows() {
    let (standing, new) = (registered("2028-01-16"), registered("2027-01-16"));
    assert_eq!(standing.body, golden(EVENTS, "registration"));
    assert_eq!(new.body, golden(EVENTS, "correction: in its place"));
    let declaration = shapes::declared_in_error(&standing, Some(&new), 1_778_032_800_000, &hosts()).unwrap();
    assert_eq!(declaration.body, golden(EVENTS, "correction: the declaration"));
    assert_eq!(declaration.hash, standing.hash, "a declaration finds the event that it declares in error");
    assert_ne!(new.hash, standing.hash);
}

#[test]
fn codes_are_issued_applied_and_voided_as_the_page_shows() {
    for (step, heading) in [(CodeStep::Issued, "issued"), (CodeStep::Applied, "applied"), (CodeStep::Void, "void")] {
        let event = shapes::codes(&occasion(), step, &[span()], &hosts()).unwrap();
        assert_eq!(event.body, golden(EVENTS, heading));
        assert!(event.names_spans);
        assert_eq!(event.spans.iter().map(|span| span.codes()).collect::<Vec<_>>(), [32_768]);
    }
}

#[test]
fn measures_are_set_and_lifted_as_the_page_shows() {
    let measure = |kind| Measure {
        id: MeasureId(7),
        kind,
        batches: vec![BatchId(17)],
        lots: vec![("09506000134352".parse().unwrap(), "L24-0117".parse().unwrap())],
        spans: vec![span()],
        units: vec!["https://id.gs1.org/00/095060001234567891".to_owned()],
        reason: Some("抽检不合格".to_owned()),
        notice: Some("暂停销售".to_owned()),
        advice: Some("请勿食用".to_owned()),
    };
    type Build = fn(&Occasion, &Measure, &coldproof::epcis::Hosts) -> Result<Vec<Event>, DocumentError>;
    let cases: [(MeasureKind, Build, &str); 3] = [
        (MeasureKind::Hold, shapes::measure, "hold"),
        (MeasureKind::Recall, shapes::measure, "recall"),
        (MeasureKind::Recall, shapes::lift, "lift of the recall"),
    ];
    for (kind, build, heading) in cases {
        let events = build(&occasion(), &measure(kind), &hosts()).unwrap();
        let bodies: Vec<&str> = events.iter().map(|event| event.body.as_str()).collect();
        let expected = ["spans", "classes and units"].map(|part| golden(EVENTS, &format!("{heading}: {part}")));
        assert_eq!(bodies, expected);
        assert!(events.iter().all(|event| event.measure == Some(MeasureId(7))));
    }
}

#[test]
fn ids_are_those_of_the_page() {
    let mut records = Vec::new();
    for section in RECORDS.split("\n### Organization ").skip(1) {
        let number: u64 = section.split(':').next().unwrap().parse().unwrap();
        let j = section.split("```json\n").nth(1).unwrap().split('\n').next().unwrap();
        let value = |name: &str| section.split(&format!("- {name} `")).nth(1).unwrap().split('`').next().unwrap();
        let hosts = hosts();
        let draft = coldproof::epcis::parse_canonical(j, &hosts).unwrap();
        let event = draft.seal(|code| coldproof::epcis::Ruling::Ours(code.gtin)).unwrap();
        assert_eq!(event.body, j);
        assert_eq!(event_id(event.hash), value("event id"));
        let record = record_id(OrganizationId(number), j);
        assert_eq!(record.to_string(), value("record id"));
        records.push(record);
    }
    assert_eq!(records.len(), 5);
    let capture = RECORDS.split("- capture id `").nth(1).unwrap().split('`').next().unwrap();
    assert_eq!(capture_id(OrganizationId(1), records).to_string(), capture);
}
