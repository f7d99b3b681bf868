//! Keys: one byte names the table, then fixed-length numbers, big-endian, so that keys sort as the
//! things do, and texts behind their length, so that no key is the beginning of another's.

use super::commit::WRITER;
use crate::{
    code::RunId,
    registration::{Kind, Parent},
    store::{Error, Result, Slice, Writer},
    trace::{BatchId, Block, CaptureId, EventHash, Group, OrganizationId, Place, RecordId, Scope, Subject},
};
use sha2::{Digest, Sha256};

/// The longest text inside a key, in bytes: EPC URIs and names of claims.
pub const TEXT_BYTES_MAX: usize = crate::limits::KEY_TEXT_BYTES_MAX;

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal, $text:literal;)*) => {
        /// What is kept, each under its prefix in the one keyspace.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Table { $($(#[$doc])* $name = $prefix,)* }

        impl Table {
            /// All of them, in the order of their prefixes' first use; the markers' counts stand in this order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in messages and in the specification.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

tables! {
    /// Bodies by record id.
    Record = b'r', "record";
    /// Records by public event id.
    Event = b'e', "event";
    /// Records by organization and given event id.
    Given = b'g', "given";
    /// Entries by subject, cluster and place.
    Entry = b'l', "entry";
    /// Statements by kind, number and version.
    Statement = b's', "statement";
    /// Statements by parent.
    Child = b'p', "child";
    /// Captures by id.
    Capture = b'c', "capture";
    /// Committed captures that are not applied.
    Unfinished = b'u', "unfinished";
    /// Staged chunks by capture and number.
    Staged = b't', "staged";
    /// Applied chunks by capture and number.
    Applied = b'a', "applied";
    /// Rows of this store's feed by position.
    Feed = b'f', "feed";
    /// Claims by name.
    Claim = b'k', "claim";
    /// Scan sums by block, server and serial.
    Scan = b'n', "scan";
    /// Markers of the newest groups by number.
    Marker = b'm', "marker";
    /// Rows of other stores' feeds by writer and position.
    Moved = b'o', "moved";
}

impl Table {
    /// Its place in [`Table::ALL`].
    pub fn index(self) -> usize {
        Self::ALL.iter().position(|table| *table == self).unwrap_or(usize::MAX)
    }
    /// The table that a key belongs to.
    pub fn of(key: &[u8]) -> Option<Self> {
        Self::ALL.iter().copied().find(|table| Some(&(*table as u8)) == key.first())
    }
}

/// A key under construction.
pub struct Key(Vec<u8>);

impl Key {
    pub fn new(table: Table) -> Self {
        let mut bytes = Vec::with_capacity(96);
        bytes.push(table as u8);
        Self(bytes)
    }
    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
    fn text(self, what: &'static str, text: &str) -> Result<Self> {
        let len = text.len();
        match u16::try_from(len) {
            Ok(short) if len <= TEXT_BYTES_MAX => Ok(self.bytes(&short.to_be_bytes()).bytes(text.as_bytes())),
            _ => Err(Error::TooLarge { what, found: len, max: TEXT_BYTES_MAX }),
        }
    }
    pub fn done(self) -> Vec<u8> {
        self.0
    }
}

pub fn record(id: RecordId) -> Vec<u8> {
    Key::new(Table::Record).bytes(&id.0).done()
}

pub fn events(event: EventHash) -> Vec<u8> {
    Key::new(Table::Event).bytes(&event.0).done()
}

pub fn event(event: EventHash, id: RecordId) -> Vec<u8> {
    Key::new(Table::Event).bytes(&event.0).bytes(&id.0).done()
}

/// Given event ids stand hashed: they may be long.
pub fn givens(organization: OrganizationId, given: &str) -> Vec<u8> {
    let hash: [u8; 32] = Sha256::digest(given.as_bytes()).into();
    Key::new(Table::Given).bytes(&organization.0.to_be_bytes()).bytes(&hash).done()
}

pub fn given(organization: OrganizationId, given: &str, id: RecordId) -> Vec<u8> {
    Key(givens(organization, given)).bytes(&id.0).done()
}

pub fn subject(subject: &Subject) -> Result<Vec<u8>> {
    let key = Key::new(Table::Entry);
    let key = match subject {
        Subject::Batch(id) => key.bytes(&[0]).bytes(&id.0.to_be_bytes()),
        Subject::Lot { gtin, lot } => key.bytes(&[1]).text("a GTIN", gtin)?.text("a lot", lot)?,
        Subject::Run(run) => key.bytes(&[2]).bytes(&run.bits().to_be_bytes()),
        Subject::Group(group) => key.bytes(&[3]).bytes(&group.run.bits().to_be_bytes()).bytes(&[group.index]),
        Subject::Block(block) => {
            key.bytes(&[4]).bytes(&block.run.bits().to_be_bytes()).bytes(&block.index.to_be_bytes())
        }
        Subject::Epc(uri) => key.bytes(&[5]).text("an EPC", uri)?,
        Subject::Party(id) => key.bytes(&[6]).bytes(&id.0.to_be_bytes()),
    };
    Ok(key.done())
}

/// Cluster of the entries that bear on more than one code; those of one serial follow under 1 + serial.
const SHARED: u32 = 0;

/// Cluster of a part of a ledger; of a whole block there is none, and it is read without.
pub fn cluster(slice: Slice) -> u32 {
    match slice {
        Slice::Serial(serial) => 1 + serial % crate::limits::BLOCK_CODES,
        Slice::Shared | Slice::Whole => SHARED,
    }
}

pub fn entry(of: &Subject, scope: &Scope, at: Place) -> Result<Vec<u8>> {
    Ok(place(subject(of)?, cluster(Slice::of(of, scope)), at))
}

/// Key of a place in a cluster of the ledger that `subject` begins.
pub fn place(subject: Vec<u8>, cluster: u32, place: Place) -> Vec<u8> {
    Key(subject)
        .bytes(&cluster.to_be_bytes())
        .bytes(&ordered(place.event_time_ms))
        .bytes(&place.record.0)
        .bytes(&place.ordinal.to_be_bytes())
        .done()
}

/// Bytes of a key of an entry that tell its place.
pub const PLACE_BYTES: usize = 8 + 32 + 4;

/// The place that an entry's key ends with.
pub fn place_of(key: &[u8]) -> Option<Place> {
    let tail = key.len().checked_sub(PLACE_BYTES).and_then(|at| key.get(at..))?;
    let (time, tail) = tail.split_first_chunk::<8>()?;
    let (record, ordinal) = tail.split_first_chunk::<32>()?;
    Some(Place {
        event_time_ms: (u64::from_be_bytes(*time) ^ (1 << 63)).cast_signed(),
        record: RecordId(*record),
        ordinal: u32::from_be_bytes(ordinal.try_into().ok()?),
    })
}

/// A signed number as bytes that sort as it does.
fn ordered(number: i64) -> [u8; 8] {
    (number.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

const fn kind_byte(kind: Kind) -> u8 {
    match kind {
        Kind::Organization => 1,
        Kind::Key => 2,
        Kind::Product => 3,
        Kind::Consignment => 4,
        Kind::Batch => 5,
        Kind::Document => 6,
        Kind::Run => 7,
        Kind::Measure => 8,
        Kind::Alert => 9,
        Kind::Look => 10,
    }
}

pub fn statements(kind: Kind, id: u64) -> Vec<u8> {
    Key::new(Table::Statement).bytes(&[kind_byte(kind)]).bytes(&id.to_be_bytes()).done()
}

pub fn statement(kind: Kind, id: u64, version: u32) -> Vec<u8> {
    Key(statements(kind, id)).bytes(&version.to_be_bytes()).done()
}

pub fn children(parent: &Parent, kind: Kind) -> Result<Vec<u8>> {
    let key = Key::new(Table::Child);
    let key = match parent {
        Parent::All => key.bytes(&[0]),
        Parent::Organization(id) => key.bytes(&[1]).bytes(&id.to_be_bytes()),
        Parent::Consignment(id) => key.bytes(&[2]).bytes(&id.to_be_bytes()),
        Parent::Batch(id) => key.bytes(&[3]).bytes(&id.to_be_bytes()),
        Parent::Gtin(gtin) => key.bytes(&[4]).text("a GTIN", gtin)?,
        Parent::Lot(gtin, lot) => key.bytes(&[5]).text("a GTIN", gtin)?.text("a lot", lot)?,
        Parent::Splits(id) => key.bytes(&[6]).bytes(&id.to_be_bytes()),
    };
    Ok(key.bytes(&[kind_byte(kind)]).done())
}

pub fn child(parent: &Parent, kind: Kind, id: u64) -> Result<Vec<u8>> {
    Ok(Key(children(parent, kind)?).bytes(&id.to_be_bytes()).done())
}

pub fn capture(id: CaptureId) -> Vec<u8> {
    Key::new(Table::Capture).bytes(&id.0).done()
}

pub fn unfinished(id: CaptureId) -> Vec<u8> {
    Key::new(Table::Unfinished).bytes(&id.0).done()
}

/// The heads of all staged chunks: they stand apart from the records, so that looking at them reads nothing large.
pub fn staged_heads() -> Vec<u8> {
    Key::new(Table::Staged).bytes(&[0]).done()
}

/// The head of a staged chunk.
pub fn staged_head(id: CaptureId, chunk: u32) -> Vec<u8> {
    Key(staged_heads()).bytes(&id.0).bytes(&chunk.to_be_bytes()).done()
}

/// The capture and chunk that such a key ends with.
pub fn staged_tail(key: &[u8]) -> Option<(CaptureId, u32)> {
    let (capture, chunk) =
        tail::<36>(key)?.split_first_chunk::<32>().map(|(capture, chunk)| (*capture, chunk.to_vec()))?;
    Some((CaptureId(capture), u32::from_be_bytes(chunk.try_into().ok()?)))
}

/// The records of a staged chunk.
pub fn staged(id: CaptureId, chunk: u32) -> Vec<u8> {
    Key::new(Table::Staged).bytes(&[1]).bytes(&id.0).bytes(&chunk.to_be_bytes()).done()
}

pub fn applied(id: CaptureId, chunk: u32) -> Vec<u8> {
    Key::new(Table::Applied).bytes(&id.0).bytes(&chunk.to_be_bytes()).done()
}

/// What the keys of all rows of a feed begin with: those of this store's own stand apart.
pub fn feed_of(writer: Writer) -> Vec<u8> {
    match writer {
        WRITER => Key::new(Table::Feed).done(),
        other => Key::new(Table::Moved).bytes(&other.0.to_be_bytes()).done(),
    }
}

pub fn feed_row(writer: Writer, position: u64) -> Vec<u8> {
    Key(feed_of(writer)).bytes(&position.to_be_bytes()).done()
}

/// Whose row a key of the moved table leads to.
pub fn moved_writer(key: &[u8]) -> Option<Writer> {
    Some(Writer(u64::from_be_bytes(*tail::<16>(key)?.first_chunk()?)))
}

pub fn claim(name: &str) -> Result<Vec<u8>> {
    Ok(Key::new(Table::Claim).text("the name of a claim", name)?.done())
}

fn block(block: Block) -> Key {
    Key::new(Table::Scan).bytes(&block.run.bits().to_be_bytes()).bytes(&block.index.to_be_bytes())
}

pub fn block_scans(of: Block) -> Vec<u8> {
    block(of).done()
}

pub fn scan(of: Block, writer: Writer, serial: u16) -> Vec<u8> {
    block(of).bytes(&writer.0.to_be_bytes()).bytes(&serial.to_be_bytes()).done()
}

pub fn marker(number: u64) -> Vec<u8> {
    Key::new(Table::Marker).bytes(&number.to_be_bytes()).done()
}

/// The record id that a key of the event or given table ends with, the capture id of the unfinished table, and so on.
pub fn tail<const N: usize>(key: &[u8]) -> Option<[u8; N]> {
    key.last_chunk::<N>().copied()
}

/// The name that a claim's key ends with.
pub fn claim_name(key: &[u8]) -> Option<String> {
    let (name, rest) = split_text(key.get(1..)?)?;
    rest.is_empty().then_some(name)
}

/// The subject of an entry's key.
pub fn subject_of(key: &[u8]) -> Option<Subject> {
    const TAIL: usize = size_of::<u32>() + PLACE_BYTES;
    let (tag, rest) = key.get(1..key.len().checked_sub(TAIL)?)?.split_first()?;
    match tag {
        0 => Some(Subject::Batch(BatchId(u64::from_be_bytes(rest.try_into().ok()?)))),
        1 => {
            let (gtin, rest) = split_text(rest)?;
            let (lot, rest) = split_text(rest)?;
            rest.is_empty().then_some(Subject::Lot { gtin, lot })
        }
        2 => Some(Subject::Run(RunId::from_bits(u32::from_be_bytes(rest.try_into().ok()?))?)),
        3 => {
            let (run, rest) = split_run(rest)?;
            let [index] = *rest else { return None };
            Some(Subject::Group(Group { run, index }))
        }
        4 => {
            let (run, rest) = split_run(rest)?;
            Some(Subject::Block(Block { run, index: u16::from_be_bytes(rest.try_into().ok()?) }))
        }
        5 => {
            let (uri, rest) = split_text(rest)?;
            rest.is_empty().then_some(Subject::Epc(uri))
        }
        6 => Some(Subject::Party(OrganizationId(u64::from_be_bytes(rest.try_into().ok()?)))),
        _ => None,
    }
}

/// Block, writer and serial of a scan sum's key.
pub fn scan_of(key: &[u8]) -> Option<(Block, Writer, u16)> {
    let (run, rest) = split_run(key.get(1..)?)?;
    let (index, rest) = rest.split_first_chunk::<2>()?;
    let (writer, rest) = rest.split_first_chunk::<8>()?;
    let block = Block { run, index: u16::from_be_bytes(*index) };
    Some((block, Writer(u64::from_be_bytes(*writer)), u16::from_be_bytes(rest.try_into().ok()?)))
}

fn split_text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let (text, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    Some((str::from_utf8(text).ok()?.to_owned(), rest))
}

fn split_run(bytes: &[u8]) -> Option<(RunId, &[u8])> {
    let (bits, rest) = bytes.split_first_chunk::<4>()?;
    Some((RunId::from_bits(u32::from_be_bytes(*bits))?, rest))
}
