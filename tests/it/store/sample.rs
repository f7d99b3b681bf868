//! Things to keep, each a function of a number, so that a reader knows what must be there.

use coldproof::{
    code::{KeySlot, RunId, Serial},
    epcis::Action,
    registration::{Category, Content, Kind, Parent, Product, Statement},
    store::{Capture, Writes},
    trace::{
        BatchId, Block, CaptureId, Entry, EventHash, HandOver, OrganizationId, Part, Place, ProductId, Record,
        RecordId, Role, Scope, Span, Subject,
    },
};
use sha2::{Digest, Sha256};

/// A digest that is a function of a name and a number.
pub fn digest(name: &str, number: u64) -> [u8; 32] {
    Sha256::new().chain_update(name).chain_update(number.to_be_bytes()).finalize().into()
}

pub fn run(number: u32) -> RunId {
    RunId::new(KeySlot::new(3).unwrap(), number).unwrap()
}

pub fn block(number: u32, index: u16) -> Block {
    Block { run: run(number), index }
}

/// A record whose body has about `bytes` bytes.
pub fn record_of(number: u64, bytes: usize) -> Record {
    Record {
        id: RecordId(digest("record", number)),
        event: EventHash(digest("event", number / 2)),
        capture: CaptureId(digest("capture", number)),
        organization: OrganizationId(1 + number % 3),
        role: Role::Importer,
        event_time_ms: 1_600_000_000_000 + i64::try_from(number).unwrap(),
        record_time_ms: 1_700_000_000_000,
        given_event_id: number.is_multiple_of(4).then(|| format!("urn:uuid:{}", number / 8)),
        body: format!("{{\"n\":{number},\"pad\":\"{}\"}}", "鱼x".repeat(bytes / 4)),
    }
}

pub fn record(number: u64) -> Record {
    record_of(number, 60)
}

/// An entry at a time in a ledger; with a serial it speaks of that one code.
pub fn entry(number: u64, event_time_ms: i64, scope: Scope) -> Entry {
    Entry {
        place: Place {
            event_time_ms,
            record: RecordId(digest("record", number)),
            ordinal: u32::from(number.is_multiple_of(5)),
        },
        event: EventHash(digest("event", number / 2)),
        organization: OrganizationId(1 + number % 3),
        role: Role::Operator,
        record_time_ms: 1_700_000_000_000,
        scope,
        part: Part::Object,
        action: Some(Action::Observe),
        biz_step: None,
        disposition: None,
        set: Vec::new(),
        unset: Vec::new(),
        measure: None,
        declares_error: number.is_multiple_of(7),
        hand_over: HandOver::default(),
        observed_ms: None,
    }
}

pub fn single(run_number: u32, serial: u32) -> Scope {
    span(run_number, serial, serial)
}

pub fn span(run_number: u32, first: u32, last: u32) -> Scope {
    Scope::Span(Span::new(run(run_number), Serial::new(first).unwrap(), Serial::new(last).unwrap()).unwrap())
}

pub fn statement(kind: Kind, id: u64, version: u32, parents: Vec<Parent>) -> Statement {
    let product = Product {
        id: ProductId(id),
        organization: OrganizationId(1),
        gtin: None,
        name_zh: "冷冻南美白虾".to_owned(),
        name_en: None,
        category: Category::Seafood,
        brand: None,
        specification: None,
        packaging: Vec::new(),
        storage: None,
        hs_code: None,
        picture: None,
    };
    let (content, author) = (Content::Product(product), OrganizationId(1));
    Statement { kind, id, version, parents, content, author, written_ms: 1_700_000_000_000 }
}

/// A capture that its writes complete.
pub fn capture(number: u64, records: u32) -> Capture {
    Capture {
        id: CaptureId(digest("capture", number)),
        organization: OrganizationId(1 + number % 3),
        role: Role::Importer,
        created_ms: 1_700_000_000_000,
        records,
        chunks: 1,
        statements: Vec::new(),
        finished_ms: Some(1_700_000_000_001),
    }
}

/// The same, to be applied chunk by chunk.
pub fn large_capture(number: u64, records: u32, chunks: u32) -> Capture {
    Capture { chunks, finished_ms: None, ..capture(number, records) }
}

/// What capture `number` of a load writes: up to three records of its own, an entry for each in the ledgers of a
/// batch and of a block, and a version of a statement.
pub fn writes(number: u64) -> Writes {
    let records: Vec<_> =
        (0..=number % 3).map(|i| record_of(number * 4 + i, 40 + (number as usize * 37) % 900)).collect();
    let mut entries = Vec::new();
    for record in &records {
        let n = number * 4;
        let at = record.event_time_ms;
        let place = |entry: Entry| Entry { place: Place { record: record.id, ..entry.place }, ..entry };
        entries.push((Subject::Batch(BatchId(number % 16)), place(entry(n, at, Scope::All))));
        let serial = (number % 4096) as u32;
        entries.push((Subject::Block(block(1, 0)), place(entry(n, at, single(1, serial)))));
    }
    let statements = vec![statement(Kind::Batch, number, 1, vec![Parent::All, Parent::Consignment(number % 8)])];
    Writes { records, entries, statements }
}

/// The capture that goes with [`writes`].
pub fn load_capture(number: u64) -> Capture {
    Capture { statements: vec![(Kind::Batch, number, 1)], ..capture(number, 1 + (number % 3) as u32) }
}
