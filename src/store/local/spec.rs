//! The worked values of `docs/spec/store-layout.md`, made by the code and compared with the page.

use super::{
    draft::{Bytes, Encoded, Op},
    key,
    marker::Marker,
    value::{self, CaptureRow, Digest32},
};
use crate::{
    code::{KeySlot, RunId, Serial},
    epcis::{Action, shapes::MeasureKind},
    registration::{Content, Kind, Measure, Parent, Statement, Targets},
    store::{Capture, FeedRow, ScanSum, Writer, Writes},
    trace::{
        BatchId, Block, CaptureId, Entry, EventHash, HandOver, MeasureId, OrganizationId, Part, Place, PlaceSum,
        Record, RecordId, Region, Role, Scope, Span, Subject,
    },
};

const PAGE: &str = include_str!("../../../docs/spec/store-layout.md");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn record() -> Record {
    Record {
        id: RecordId([0x11; 32]),
        event: EventHash([0x22; 32]),
        capture: CaptureId([0x33; 32]),
        organization: OrganizationId(5),
        role: Role::Importer,
        event_time_ms: 1_600_000_000_000,
        record_time_ms: 1_600_000_000_001,
        given_event_id: Some("urn:x".to_owned()),
        body: "{}".to_owned(),
    }
}

fn entry() -> (Subject, Entry) {
    let run = RunId::new(KeySlot::new(0).unwrap(), 3).unwrap();
    let serial = Serial::new(4096 + 7).unwrap();
    let entry = Entry {
        place: Place { event_time_ms: -1, record: RecordId([0x11; 32]), ordinal: 2 },
        event: EventHash([0x22; 32]),
        organization: OrganizationId(5),
        role: Role::Inspector,
        record_time_ms: 1_600_000_000_001,
        scope: Scope::Span(Span::new(run, serial, serial).unwrap()),
        part: Part::Object,
        action: Some(Action::Observe),
        biz_step: None,
        disposition: None,
        set: Vec::new(),
        unset: Vec::new(),
        measure: Some(MeasureId(9)),
        declares_error: false,
        hand_over: HandOver::default(),
        observed_ms: None,
    };
    (Subject::Block(Block { run, index: 1 }), entry)
}

fn hold() -> Statement {
    let run = RunId::from_bits(3).unwrap();
    let spans = vec![(BatchId(1), Span::single(run, Serial::new(4_103).unwrap()))];
    let lot = ("09506000134352".parse().unwrap(), "L1".parse().unwrap());
    let measure = Measure {
        id: MeasureId(9),
        kind: MeasureKind::Hold,
        organization: OrganizationId(5),
        role: Role::Inspector,
        targets: Targets { batch: Some(BatchId(1)), lot: Some(lot), spans, units: vec!["urn:x".to_owned()] },
        reason: Some("r".to_owned()),
        notice: Some("n".to_owned()),
        advice: None,
        made_ms: 7,
        records: vec![RecordId([0x11; 32])],
        lifted: None,
    };
    Statement {
        kind: Kind::Measure,
        id: 9,
        version: 1,
        parents: vec![Parent::All, Parent::Organization(5)],
        content: Content::Measure(measure),
        author: OrganizationId(5),
        written_ms: 7,
    }
}

fn sealed<T: serde::Serialize>(name: &'static str, key: Vec<u8>, row: &T) -> (&'static str, Vec<u8>, Vec<u8>) {
    let sealed = value::encode(&key, row).unwrap();
    (name, key, sealed)
}

/// Each with its name, key and sealed value.
fn worked() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let (of_code, entry) = entry();
    let part = Part::Received(Some("urn:x".into()));
    let received = Entry { scope: Scope::All, part, measure: None, ..entry.clone() };
    let entries = vec![(of_code, entry), (Subject::Party(OrganizationId(5)), received)];
    let writes = Writes { records: vec![record()], entries, statements: Vec::new() };
    let (encoded, _) = Encoded::new(&writes).unwrap();
    let mut worked = Vec::new();
    for ((key, value), indexes) in encoded.records {
        worked.push(("record", key, value));
        worked.extend(["event", "given"].into_iter().zip(indexes).map(|(name, (key, value))| (name, key, value)));
    }
    worked.extend(encoded.others.into_iter().map(|(key, value)| ("entry", key, value)));
    worked.push(sealed("statement", key::statement(Kind::Measure, 9, 1), &hold()));
    worked.push(sealed("child", key::child(&Parent::Batch(1), Kind::Run, 2).unwrap(), &()));
    let capture = Capture {
        id: CaptureId([0x33; 32]),
        organization: OrganizationId(5),
        role: Role::Importer,
        created_ms: 7,
        records: 1,
        chunks: 1,
        statements: vec![(Kind::Run, 2, 1)],
        finished_ms: Some(8),
    };
    worked.push(sealed("capture", key::capture(capture.id), &CaptureRow::from(&capture)));
    worked.push(sealed("applied", key::applied(capture.id, 0), &vec![RecordId([0x11; 32])]));
    let captures = vec![(capture.id, 1)];
    worked.push(sealed("feed", key::feed_row(Writer(0), 0), &(Digest32([0; 32]), &captures)));
    worked.push(sealed("claim", key::claim("checkpoint").unwrap(), &Bytes(b"42".to_vec())));
    let place = PlaceSum { region: Region::parse("CN-HN").unwrap(), count: 2, first_s: 5, last_s: 6 };
    let sum = ScanSum { count: 3, first_ms: 1, last_ms: 2, places: vec![place].into() };
    let block = Block { run: RunId::from_bits(3).unwrap(), index: 1 };
    worked.push(sealed("scan", key::scan(block, Writer(0), 7), &sum));
    let op = |sealed: &[u8], existed| Op { sealed: Some(sealed.to_vec()), existed };
    let claim = worked.iter().find(|(name, ..)| *name == "claim").unwrap();
    let marker = Marker::origin().next([0; 32], &[(claim.1.clone(), op(&claim.2, true))], 0);
    let (key, value, _) = marker.sealed().unwrap();
    worked.push(("marker", key, value));
    worked.push(sealed("moved", key::feed_row(Writer(5), 1), &(Digest32([0x44; 32]), &captures)));
    worked
}

#[test]
fn the_specification_shows_what_is_written() {
    let mut expected: Vec<_> =
        worked().into_iter().map(|(name, key, value)| format!("{name} {} {}", hex(&key), hex(&value))).collect();
    let row = FeedRow { position: 0, previous: [0; 32], captures: vec![(CaptureId([0x33; 32]), 1)] };
    expected.push(format!("digest-of-feed-row-0 {}", hex(&row.digest(Writer(0)))));
    let (_, _, digest) = Marker::origin().next([0; 32], &[], 0).sealed().unwrap();
    expected.push(format!("digest-of-an-empty-group-1 {}", hex(&digest)));
    let block = PAGE.split("```worked").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or_default();
    let shown: Vec<_> = block.lines().filter(|line| !line.is_empty()).collect();
    assert!(shown == expected, "the page should show:\n{}", expected.join("\n"));
}
