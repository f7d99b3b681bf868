//! The worked values of `docs/spec/backup.md`, made by the code and compared with the page; and what becomes of a backup
//! that is not as it was written.

use super::{
    BackupError, BackupReader, check,
    frame::{FrameKind, FrameWriter, MAGIC},
    payload::{Digest32, Header, Piece, Trailer, encode, encode_kept},
};
use crate::{
    code::{KeySlot, RunId, Serial},
    epcis::Action,
    registration::{Activation, Content, FileHash, Kind, Level, Parent, Run, Statement},
    store::{Capture, Chunk, FeedRow, Kept, ScanSum, Writer},
    trace::{
        BatchId, Block, CaptureId, Entry, EventHash, HandOver, MeasureId, OrganizationId, Part, Place, PlaceSum,
        Record, RecordId, Region, Role, Scope, Span, Subject,
    },
};

const PAGE: &str = include_str!("../../../docs/spec/backup.md");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn run() -> RunId {
    RunId::new(KeySlot::new(0).unwrap(), 3).unwrap()
}

fn record(id: u8) -> Record {
    Record {
        id: RecordId([id; 32]),
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

fn entry() -> Kept {
    let serial = Serial::new(4096 + 7).unwrap();
    let entry = Entry {
        place: Place { event_time_ms: -1, record: RecordId([0x11; 32]), ordinal: 2 },
        event: EventHash([0x22; 32]),
        organization: OrganizationId(5),
        role: Role::Inspector,
        record_time_ms: 1_600_000_000_001,
        scope: Scope::Span(Span::new(run(), serial, serial).unwrap()),
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
    Kept::Entry(Subject::Block(Block { run: run(), index: 1 }), entry)
}

fn statement() -> Kept {
    let run = Run {
        id: run(),
        organization: OrganizationId(5),
        batch: BatchId(2),
        level: Level::Item,
        content: None,
        count: 5_000,
        activate: Activation::OnIssue,
        signed: false,
        created_ms: 7,
        split: false,
    };
    let parents = vec![Parent::Batch(2), Parent::Organization(5)];
    let (content, author) = (Content::Run(run), OrganizationId(5));
    Kept::Statement(Box::new(Statement { kind: Kind::Run, id: 3, version: 1, parents, content, author, written_ms: 7 }))
}

fn row() -> FeedRow {
    FeedRow { position: 0, previous: [0; 32], captures: vec![(CaptureId([0x33; 32]), 2)] }
}

/// One of each.
fn things() -> Vec<Kept> {
    let capture = Capture {
        id: CaptureId([0x33; 32]),
        organization: OrganizationId(5),
        role: Role::Importer,
        created_ms: 7,
        records: 2,
        chunks: 2,
        statements: vec![(Kind::Run, 3, 1)],
        finished_ms: None,
    };
    let chunk = |number, chunk| Kept::Chunk { capture: capture.id, number, chunk };
    let place = PlaceSum { region: Region::parse("CN-HN").unwrap(), count: 2, first_s: 5, last_s: 6 };
    let sum = ScanSum { count: 3, first_ms: 1, last_ms: 2, places: vec![place].into() };
    vec![
        Kept::Claim { name: "host".to_owned(), value: b"trace.example".to_vec() },
        statement(),
        Kept::Capture(capture.clone()),
        chunk(1, Chunk::Staged(vec![record(0x12)])),
        chunk(0, Chunk::Applied(vec![RecordId([0x11; 32])])),
        Kept::Row(Writer(0), row()),
        Kept::Record(record(0x11)),
        entry(),
        Kept::Scans { block: Block { run: run(), index: 1 }, writer: Writer(0), sums: vec![(7, sum)] },
    ]
}

/// A whole backup, each frame under its name.
fn frames() -> Vec<(&'static str, Vec<u8>)> {
    let mut writer = FrameWriter::begin();
    let mut frames = vec![("magic", writer.take())];
    let heads = vec![(0, 1, Digest32(row().digest(Writer(0))))];
    let header = Header { host: "trace.example".to_owned(), created_ms: 8, heads, records: 1, entries: 1 };
    writer.put(FrameKind::Header, &encode(&header).unwrap()).unwrap();
    frames.push(("header", writer.take()));
    for thing in things() {
        let (kind, payload) = encode_kept(&thing).unwrap();
        writer.put(kind, &payload).unwrap();
        frames.push((kind.name(), writer.take()));
    }
    let (kind, hash) = (FrameKind::File, <sha2::Sha256 as sha2::Digest>::digest(b"%PDF-"));
    writer.put(kind, &[hash.as_slice(), b"%PDF-"].concat()).unwrap();
    frames.push((kind.name(), writer.take()));
    let trailer = Trailer { counts: writer.counts.0.clone(), digest: Digest32(writer.digest()) };
    writer.put(FrameKind::Trailer, &encode(&trailer).unwrap()).unwrap();
    frames.push(("trailer", writer.take()));
    frames
}

fn whole() -> Vec<u8> {
    frames().into_iter().flat_map(|(_, bytes)| bytes).collect()
}

fn read(bytes: &[u8]) -> Result<Vec<Piece>, BackupError> {
    let mut reader = BackupReader::new(bytes)?;
    let mut pieces = Vec::new();
    while let Some(piece) = reader.piece()? {
        pieces.push(piece);
    }
    assert!(reader.digest().is_some());
    Ok(pieces)
}

#[test]
fn the_specification_shows_what_is_written() {
    let expected: Vec<_> = frames().iter().map(|(name, bytes)| format!("{name} {}", hex(bytes))).collect();
    let block = PAGE.split("```worked").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or_default();
    let shown: Vec<_> = block.lines().filter(|line| !line.is_empty()).collect();
    assert!(shown == expected, "the page should show:\n{}", expected.join("\n"));
}

#[test]
fn what_was_written_is_read_again() {
    let pieces = read(&whole()).unwrap();
    let (file, kept) = pieces.split_last().unwrap();
    let things: Vec<_> = things().into_iter().map(Piece::Kept).collect();
    assert_eq!(kept, things);
    let hash = FileHash(<sha2::Sha256 as sha2::Digest>::digest(b"%PDF-").into());
    assert_eq!(*file, Piece::File(hash, b"%PDF-".to_vec()));
}

#[test]
fn one_flipped_bit_anywhere_is_refused_with_its_place() {
    let whole = whole();
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            match read(&flipped) {
                Err(BackupError::Foreign { .. }) if at < MAGIC.len() => {}
                Err(BackupError::Damaged { at: place, .. }) if place <= at as u64 => {}
                other => panic!("byte {at}, bit {bit}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_backup_that_is_cut_short_or_goes_on_is_refused() {
    let whole = whole();
    for length in 0..whole.len() {
        assert!(read(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
    }
    let more = [&whole[..], b"x"].concat();
    assert!(matches!(read(&more), Err(BackupError::Damaged { found, .. }) if found.contains("follows the trailer")));
}

/// A backup of these frames, whose header promises what `frames` has, with a right trailer.
fn made(records: u64, rows: u64, things: &[Kept]) -> Vec<u8> {
    let mut writer = FrameWriter::begin();
    let heads = vec![(0, rows, Digest32(row().digest(Writer(0))))];
    let header = Header { host: "trace.example".to_owned(), created_ms: 8, heads, records, entries: 0 };
    writer.put(FrameKind::Header, &encode(&header).unwrap()).unwrap();
    for thing in things {
        let (kind, payload) = encode_kept(thing).unwrap();
        writer.put(kind, &payload).unwrap();
    }
    let trailer = Trailer { counts: writer.counts.0.clone(), digest: Digest32(writer.digest()) };
    writer.put(FrameKind::Trailer, &encode(&trailer).unwrap()).unwrap();
    writer.take()
}

#[test]
fn a_backup_that_lacks_what_its_header_promises_is_refused() {
    let row = || Kept::Row(Writer(0), row());
    read(&made(0, 1, &[row()])).unwrap();
    let second = Kept::Row(Writer(0), FeedRow { position: 2, previous: [0; 32], captures: Vec::new() });
    for (bytes, expected) in [
        (made(1, 1, &[row()]), "promises 1 records"),
        (made(0, 1, &[row(), Kept::Record(record(1))]), "promises 0 records"),
        (made(0, 1, &[]), "feed 0 does not end at row 1"),
        (made(0, 2, &[row()]), "feed 0 does not end at row 2"),
        (made(0, 1, &[row(), second]), "does not follow"),
    ] {
        let error = read(&bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn frames_that_changed_places_are_refused() {
    let mut frames = frames();
    frames.swap(3, 4);
    let moved: Vec<u8> = frames.into_iter().flat_map(|(_, bytes)| bytes).collect();
    assert!(matches!(read(&moved), Err(BackupError::Damaged { found, .. }) if found.contains("checksum")));
}

#[test]
fn a_source_that_gave_up_says_why() {
    let mut writer = FrameWriter::begin();
    let header = Header { host: "trace.example".to_owned(), created_ms: 8, heads: Vec::new(), records: 0, entries: 0 };
    writer.put(FrameKind::Header, &encode(&header).unwrap()).unwrap();
    writer.put(FrameKind::Failure, "record/11: the value hashes to 1".as_bytes()).unwrap();
    let bytes = writer.take();
    let mut reader = BackupReader::new(&bytes[..]).unwrap();
    let error = check(&mut reader, |_| {}).unwrap_err().to_string();
    assert_eq!(error, "the backup was broken off by its source: record/11: the value hashes to 1");
}
