//! Every bound of the service, with its reason. Units stand last in a name.

mod audit;
mod cluster;
mod embedded;

pub use self::{audit::*, cluster::*, embedded::*};

/// Codes in one run: 22 bits of serial. A larger order becomes several runs.
pub const RUN_CODES_MAX: u32 = 1 << 22;
/// Serials in one group of a run: ledgers of groups keep a span's cost constant.
pub const GROUP_CODES: u32 = 1 << 17;
/// Serials in one block of a run: the unit in which single codes' ledgers and scan sums are read.
pub const BLOCK_CODES: u32 = 1 << 12;
/// Master key slots: 5 bits of a code.
pub const KEY_SLOTS: u8 = 32;
/// Run numbers under one master key: 25 bits of a code.
pub const KEY_RUNS_MAX: u32 = 1 << 25;
/// Side of a PNG of a QR symbol, in pixels: 10 cm at 600 dots an inch is 2,362; and 4 MiB while it is drawn.
pub const QR_SIDE_PIXELS_MAX: u32 = 2_048;
/// Codes in one order, over several runs: twelve full runs are more boxes than a bulk ship carries.
pub const ORDER_CODES_MAX: u32 = 50_000_000;

/// Spans and EPCs that one event may name.
pub const EVENT_SUBJECTS_MAX: usize = 100_000;
/// One URI of an event (EPC, class, place, id) or name of an extension, its prefix expanded, in bytes: what browsers and
/// proxies pass on as a link; canonical forms, which may be a little longer, must fit a key of the store.
pub const URI_BYTES_MAX: usize = 2_048;
/// Prefixes in force for one event of an EPCIS document, and elements of one `@context`: each shortened name is looked
/// for among them, and each element compared with the others.
pub const PREFIXES_MAX: usize = 64;
/// The IRI of a declared prefix, in bytes. A name of three bytes becomes so long; what a whole document's expansion adds
/// is at most `CAPTURE_BYTES_MAX`.
pub const PREFIX_IRI_BYTES_MAX: usize = 256;
/// EPCs and classes of one event as text, in bytes: `EVENT_SUBJECTS_MAX` of 80 bytes. Each becomes a key of the store.
pub const EVENT_URIS_BYTES_MAX: usize = 8 << 20;
/// Entries that one span makes in ledgers: one of groups, two of blocks, two ragged ends.
pub const SPAN_ENTRIES_MAX: usize = 5;

/// Body of an ordinary JSON request, in bytes: a consignment of 60 batches is below 200 kB.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Body of a report on spans of codes, in bytes: `EVENT_SUBJECTS_MAX` spans of 63 bytes, with room for hyphens in codes
/// and white space.
pub const SPANS_BYTES_MAX: usize = EVENT_SUBJECTS_MAX * 96;
/// EPCIS text that is parsed whole, in bytes: `RECORD_BYTES_MAX` written with room to spare. It bounds what prefixes add to it too.
pub const CAPTURE_BYTES_MAX: usize = 32 << 20;
/// Body of an EPCIS capture that is held in memory, in bytes: 8,000 ordinary events. A larger one goes through a file.
pub const CAPTURE_MEMORY_BYTES_MAX: usize = 4 << 20;
/// Bodies of captures that are in memory at the same time, in KiB: each takes some six times its size while it is
/// worked on, the events of one chunk of a larger document likewise.
pub const CAPTURES_KIB_MAX: u32 = 32 << 10;
/// How long a capture waits for its share of that memory, or for a file of its own, in milliseconds.
pub const CAPTURE_WAIT_MS: u64 = 5_000;
/// How fast the body of a capture has to come on the whole, in bytes a second: a poor line over mobile telephones.
/// Who sends less keeps others out.
pub const CAPTURE_BYTES_PER_S_MIN: u64 = 16 << 10;
/// How long it may come more slowly at first, in seconds.
pub const CAPTURE_SLOW_S_MAX: u64 = 30;
/// Events in one capture document. An audit sorts half of each one's record id: 32 MB.
pub const CAPTURE_EVENTS_MAX: usize = 2_000_000;
/// The largest document of events that an operator may choose to take, in bytes.
pub const SPOOL_BYTES_MAX: u64 = 64 << 30;
/// Files that an operator may choose to have for such documents at once.
pub const SPOOLS_MAX: usize = 64;
/// Events of a spooled document that are read, checked and given up together, in bytes of their text.
pub const SPOOL_CHUNK_BYTES: usize = 512 << 10;
/// What is read from a spooled document, or written to it, at once, in bytes.
pub const SPOOL_PIECE_BYTES: usize = 128 << 10;
/// What stands beside the events of a document, in bytes: all that a document in memory may have.
pub const ENVELOPE_BYTES_MAX: usize = CAPTURE_MEMORY_BYTES_MAX;
/// Bytes that prefixes may add to one document, over all its events: as much as the largest document by default has itself.
pub const EXPANDED_BYTES_MAX: usize = 2 << 30;
/// Runs and batches whose facts are kept while the events of one document are accepted.
pub const CAPTURE_FACTS_MAX: usize = 4_096;
/// One record's canonical JSON, in bytes: `EVENT_SUBJECTS_MAX` EPCs of 80 bytes fit.
pub const RECORD_BYTES_MAX: usize = 16 << 20;
/// What the embedded store applies in one atomic batch, in bytes; larger captures are staged first.
pub const ATOMIC_BYTES_MAX: usize = 4 << 20;
/// One uploaded document or picture, in bytes: a scanned certificate of several pages.
pub const DOCUMENT_BYTES_MAX: usize = 16 << 20;
/// Codes in one `/v1/verify` request.
pub const VERIFY_CODES_MAX: usize = 10_000;
/// Rows of a CSV of batches: a declaration has at most 50 lines, a consignment rarely more than 60.
pub const CSV_ROWS_MAX: usize = 1_000;

/// Objects and arrays inside one another in an EPCIS document: the standard's own need nine, extensions a few more.
pub const JSON_DEPTH_MAX: usize = 32;

/// Things on one page of a list.
pub const PAGE_ITEMS_MAX: usize = 100;
/// Lines of a public timeline; the rest is a count.
pub const PUBLIC_TIMELINE_LINES_MAX: usize = 100;

/// Text inside a key of the embedded store, in bytes: EPC URIs and names of claims.
pub const KEY_TEXT_BYTES_MAX: usize = 4096;
/// Value of a claim, in bytes: a signed checkpoint is below 1 kB, an answer kept under an `Idempotency-Key` larger.
pub const CLAIM_BYTES_MAX: usize = 16 << 10;
/// What one call may ask the embedded store to write, in bytes: the largest record with its keys, indexes and entries.
pub const WRITE_BYTES_MAX: usize = 64 << 20;
/// Captures in one row of the feed: 36 bytes each keep it below 64 KiB.
pub const FEED_ROW_CAPTURES_MAX: usize = 1024;
/// Faults that one pass over the store lists; beyond it they are counted.
pub const FAULTS_LISTED_MAX: usize = 1_000;
/// Staged chunks that one step of a sweep removes.
pub const SWEEP_CHUNKS_MAX: usize = 256;
/// Items that a read collects on the caller's own thread; a longer one moves to a thread that may block.
pub const READ_INLINE_ITEMS_MAX: usize = 1000;

const _: () = assert!(RUN_CODES_MAX.is_multiple_of(GROUP_CODES) && GROUP_CODES.is_multiple_of(BLOCK_CODES));
const _: () = assert!(CAPTURE_MEMORY_BYTES_MAX <= RECORD_BYTES_MAX && RECORD_BYTES_MAX <= CAPTURE_BYTES_MAX);
const _: () = assert!(CAPTURE_BYTES_MAX >> 10 <= CAPTURES_KIB_MAX as usize && SPOOL_PIECE_BYTES <= SPOOL_CHUNK_BYTES);
const _: () = assert!(EVENT_SUBJECTS_MAX * 80 <= EVENT_URIS_BYTES_MAX && EVENT_URIS_BYTES_MAX <= RECORD_BYTES_MAX);
const _: () = assert!(PREFIX_IRI_BYTES_MAX < URI_BYTES_MAX && URI_BYTES_MAX < KEY_TEXT_BYTES_MAX);
const _: () = assert!(ORDER_CODES_MAX.div_ceil(RUN_CODES_MAX) <= 12);
const _: () = assert!(WRITE_BYTES_MAX >> 10 <= WRITES_WAITING_KIB_MAX as usize);
const _: () = assert!(3 * GROUPS_UNFLUSHED_MAX < MARKERS_KEPT);
const _: () = assert!(FEED_ROW_CAPTURES_MAX * 40 + 64 <= 64 << 10);
const _: () = assert!(KEY_TEXT_BYTES_MAX * 2 + 256 <= u16::MAX as usize);

/// Blocks whose scan sums wait to be written, in some 60 MB; reached only while the store takes no writes. At half of them they
/// are written before the interval ends: more than the cache holds of ordinary blocks.
pub const SCAN_BLOCKS_UNFLUSHED_MAX: usize = 1 << 16;
/// Regions of one code whose scans are counted apart, the first ones; the rest are one. Copies in more are found by these.
pub const SCAN_REGIONS_MAX: usize = 8;
/// How often scan sums are written: what a crash may lose of them. Sums of blocks that are scanned all the time are written
/// once in it: at one second that took a fifth of a busy server's processor time.
pub const SCAN_FLUSH_INTERVAL_MS: u64 = 5_000;

/// How long an `Idempotency-Key` is kept: 30 days.
pub const IDEMPOTENCY_KEPT_MS: i64 = 30 * 24 * 3_600 * 1_000;
/// The longest answer kept under an `Idempotency-Key`, in bytes: a claim's value less its other fields.
pub const IDEMPOTENCY_ANSWER_BYTES_MAX: usize = CLAIM_BYTES_MAX - 1024;

// Rates: the ranges in which an operator may choose, so that arithmetic on them cannot overflow.

/// Codes per second that one caller may be granted.
pub const RATE_CODES_PER_SECOND_MAX: u32 = 1_000_000;
/// Codes that one caller may be granted at once.
pub const RATE_CODES_BURST_MAX: u32 = 10_000_000;
/// What one wrong tag may be made to cost, in codes.
pub const RATE_FAILED_TAG_COST_MAX: u32 = 1_000;
/// Addresses whose rate is remembered: about 100 bytes each.
pub const RATE_ADDRESSES_MAX: u64 = 10_000_000;

/// How far failed tags may push back the next admission, in milliseconds. Behind one address there may be a whole
/// carrier's customers: one person's guesses must not lock them out for longer.
pub const RATE_PENALTY_MS_MAX: u64 = 600_000;

/// Body of an answer that a command reads from the admin socket, in bytes; downloads are streamed instead.
pub const ADMIN_ANSWER_BYTES_MAX: usize = BODY_BYTES_MAX;
/// Pause after the system refused a connection (too many open files), in milliseconds: no busy loop, no long silence.
pub const ACCEPT_PAUSE_MS: u64 = 100;
/// How often histograms are drained, in seconds, so that they stay small where nobody reads /metrics.
pub const METRICS_UPKEEP_S: u64 = 5;
/// Documents of one batch, and of one consignment, that are read with it.
pub const DOCUMENTS_MAX: usize = 200;
/// Entries of one ledger slice that are held in memory.
pub const LEDGER_ENTRIES_MAX: usize = 1_000_000;
/// Blocks of codes kept ready for scans, in bytes, with what is kept of their views and what is rendered of these, and
/// their scan sums: 10,000 with a usual history, the views of ten codes each, and their JSON (12 kB).
pub const BLOCK_CACHE_BYTES_MAX: u64 = 128 << 20;
/// Runs kept ready for the view of another of their codes, in bytes: 2,000 with a usual history.
pub const RUN_CACHE_BYTES_MAX: u64 = 16 << 20;
/// Ledgers of blocks kept ready for the view of another of their codes, in bytes: 280 with a usual history.
pub const LEDGER_CACHE_BYTES_MAX: u64 = 8 << 20;
/// Organizations as timelines name them, in bytes: 10,000.
pub const ORGANIZATION_CACHE_BYTES_MAX: u64 = 8 << 20;
/// Whole batches kept ready for their own links, in bytes, and as much for lots: 6,000 ordinary ones. Fewer people open
/// them than scan codes.
pub const CLASS_CACHE_BYTES_MAX: u64 = 32 << 20;

/// One chunk of a staged capture with its entries, in bytes: applied in one write. Large enough that a sync for each costs
/// little, small enough that several fit into memory.
pub const CAPTURE_CHUNK_BYTES: usize = 2 << 20;
/// What one ledger entry takes in the store, key and value, in bytes, without texts: its subject's, its parent's, and words
/// of one's own.
pub const ENTRY_BYTES_MAX: usize = 400;
/// Reports that one organization may add to one subject of another at once: a warehouse that catches up.
pub const GROWTH_BURST_ENTRIES: i64 = 5_000;
/// And one more in so many milliseconds: 8,640 a day, far more than happens to a batch.
pub const GROWTH_ENTRY_MS: i64 = 10_000;
/// Organizations and subjects whose rate is remembered.
pub const GROWTH_SUBJECTS_MAX: u64 = 200_000;
/// Records that share one event id and are looked at: everybody who says the same at the same time.
pub const EVENT_RECORDS_MAX: usize = 1_000;
/// Units inside one another: items in cases on pallets in containers are three.
pub const CONTAINMENT_LEVELS_MAX: usize = 8;
/// Units that one code was inside of in all its life, and that are read to tell it: a few hand-overs, repacked at each.
pub const UNITS_AROUND_MAX: usize = 256;
/// Lines of one batch's whereabouts that are kept; a batch over 10,000 shops has a few lines for each.
pub const WHEREABOUTS_LINES_MAX: usize = 100_000;
/// Lines of whereabouts in one answer: about 2 MB.
pub const WHEREABOUTS_PAGE_LINES_MAX: usize = 10_000;
/// Ledgers that one question reads at the same time.
pub const LEDGERS_READ_AT_ONCE: usize = 64;
/// How far in the future an event may lie: clocks differ, and so do the minds about time zones.
pub const CLOCK_SKEW_MS_MAX: i64 = 24 * 3_600 * 1_000;
/// The longest document that is parsed where it stands, in bytes; a longer one moves other work to another thread first.
pub const PARSE_INLINE_BYTES_MAX: usize = 64 << 10;
/// Numbers in one lease of a counter: one claim serves so many new things, and a stop wastes at most so many.
pub const NUMBER_LEASE: u64 = 64;
/// Batches of one consignment: a declaration has at most 50 lines, each a few lots. A change of the consignment writes
/// them all in one capture.
pub const CONSIGNMENT_BATCHES_MAX: usize = 1_000;
/// Batches of which one document may take labels back: all of a consignment.
pub const CAPTURE_LABEL_BATCHES_MAX: usize = 1_000;
/// Runs of one batch: at the smallest order a pallet, ten thousand pallets are more than a ship carries.
pub const RUNS_OF_BATCH_MAX: usize = 10_000;
/// Containers of one consignment.
pub const CONTAINERS_MAX: usize = 200;
/// One side of a picture, in pixels: a phone's camera.
pub const PICTURE_SIDE_PIXELS_MAX: u32 = 8_192;
/// What decoding one picture may take, in bytes: `PICTURE_SIDE_PIXELS_MAX` squared in four channels.
pub const PICTURE_DECODED_BYTES_MAX: u64 = 256 << 20;
/// The body of an upload, in bytes: an original, a rendition and the text parts.
pub const UPLOAD_BYTES_MAX: usize = 2 * DOCUMENT_BYTES_MAX + (64 << 10);
/// Uploads that are read at once: each may hold `DOCUMENT_BYTES_MAX` twice.
pub const UPLOADS_MAX: usize = 4;

/// Files that are in memory because they are being sent, in KiB: anyone may ask for public ones, and read them slowly. It
/// holds 16 of the largest, or 2,600 pictures of 100 kB.
pub const DOWNLOADS_KIB_MAX: u32 = 256 << 10;

const _: () = assert!(DOCUMENT_BYTES_MAX >> 10 <= DOWNLOADS_KIB_MAX as usize);
const _: () = assert!(CSV_ROWS_MAX <= CONSIGNMENT_BATCHES_MAX);

/// Rendered batches and lots that are kept, in bytes: 3,000 of 10 kB.
pub const RENDERED_CLASSES_BYTES_MAX: u64 = 32 << 20;

/// Batches of one lot that its page shows.
pub const LOT_BATCHES_SHOWN_MAX: usize = 20;

/// One piece of a stream of codes, in bytes: below the size for which an allocator asks the system each time.
pub const STREAM_PIECE_BYTES: usize = 64 << 10;

/// Spans that one measure may name. Whole runs need one each, so that this is for goods that were scattered; with
/// `MEASURE_UNITS_MAX` units its statement stays below 1 MiB.
pub const MEASURE_SPANS_MAX: usize = 10_000;
/// Units that one measure may name: the pallets of a ship's hold.
pub const MEASURE_UNITS_MAX: usize = 1_000;
/// Body of a measure, in bytes: its spans with room for hyphens in codes, units as URIs, and texts.
pub const MEASURE_BYTES_MAX: usize = MEASURE_SPANS_MAX * 96 + MEASURE_UNITS_MAX * 256 + (64 << 10);
/// Reason, notice and advice of a measure, each in characters: they are read on a phone.
pub const MEASURE_TEXT_CHARS_MAX: usize = 1_000;
/// Measures of one importer that stand at a time: more than it has goods on the market. Inspectors' have no bound,
/// because none of theirs may be refused for a number.
pub const MEASURES_OF_IMPORTER_MAX: usize = 1_000;
/// Standing measures whose words are held in memory: a few kB each. Beyond it the oldest are told without them.
pub const MEASURES_HELD_MAX: usize = 20_000;
/// Goods of a measure that its public entry names; the rest is a count.
pub const MEASURE_GOODS_SHOWN_MAX: usize = 20;
/// What a page of the public list of measures costs, in codes: it reads as much as so many scans.
pub const MEASURES_PAGE_CODES: u32 = 10;

const _: () = assert!(MEASURE_SPANS_MAX <= EVENT_SUBJECTS_MAX && MEASURE_UNITS_MAX <= EVENT_SUBJECTS_MAX);
const _: () = assert!(MEASURE_SPANS_MAX * SPAN_ENTRIES_MAX * ENTRY_BYTES_MAX <= WRITE_BYTES_MAX);

/// Units in one order of SSCCs: three trucks of pallets. The answer fits `IDEMPOTENCY_ANSWER_BYTES_MAX`.
pub const UNITS_MADE_MAX: u32 = 100;
/// Codes, spans and units that one movement may name: an event's.
pub const MOVEMENT_GOODS_MAX: usize = EVENT_SUBJECTS_MAX;
/// Faults of one movement that are told.
pub const MOVEMENT_FAULTS_MAX: usize = 100;
/// Spans and units of one movement of which the answer says what they count for. It fits `IDEMPOTENCY_ANSWER_BYTES_MAX`.
pub const MOVEMENT_MARKS_MAX: usize = 100;
/// Records of packing that one question about contents reads: a truck's pallets, their cases, and each repacked.
pub const CONTENTS_RECORDS_MAX: usize = 10_000;
/// Batches in one answer about an organization's stock: a shop's assortment.
pub const STOCK_BATCHES_MAX: usize = 1_000;
/// Lines in one answer about an organization's stock or a unit's contents: about 2 MB.
pub const STOCK_LINES_MAX: usize = WHEREABOUTS_PAGE_LINES_MAX;

const _: () = assert!(UNITS_MADE_MAX as usize * 100 <= IDEMPOTENCY_ANSWER_BYTES_MAX);
const _: () = assert!(MOVEMENT_MARKS_MAX * 140 <= IDEMPOTENCY_ANSWER_BYTES_MAX);
/// Alerts of one batch that are kept: whoever has a thousand copied codes needs no further one to act.
pub const ALERTS_OF_BATCH_MAX: usize = 1_000;
/// Alerts that wait to be written; those beyond are raised again by the next scan of their code.
pub const ALERTS_WAITING_MAX: usize = 1_000;
/// Codes and rules that are known to have been told, so that their next scan need not ask the store: 16 bytes each.
pub const ALERTS_KNOWN_MAX: usize = 100_000;
/// Path and query of a look that are noted, in bytes: every path of the interface, and a URI as a unit in it.
pub const LOOK_TARGET_BYTES_MAX: usize = 2_048;

/// Lines of a code's whole timeline in one answer.
pub const TIMELINE_LINES_MAX: usize = 1_000;

/// How long a start, or an audit, which may have worked for an hour, asks for what is not answered in time, in milliseconds: a
/// node that starts, or a pause of all of them, takes no longer.
pub const STORE_PATIENCE_MS: u64 = 60_000;
/// The pause before the store is asked a second time, in milliseconds; it grows by as much each time. A driver without a node fails
/// within microseconds.
pub const STORE_TRY_PAUSE_MS: u64 = 50;

/// How long staged records wait for their commit: far longer than a capture may take.
pub const STAGED_KEPT_MS: i64 = 3_600 * 1_000;
/// How often such records are looked for, in milliseconds.
pub const SWEEP_INTERVAL_MS: u64 = 600 * 1_000;

/// Consignments that the demo registers at once: so many share each fsync, and each holds a few kB.
pub const DEMO_CONSIGNMENTS_AT_ONCE: usize = 64;
/// Events of one document of the demo: with their entries they stay below `ATOMIC_BYTES_MAX`.
pub const DEMO_DOCUMENT_EVENTS: usize = 1_000;
/// Documents of the demo that are captured at once: each takes about 10 MB while it is.
pub const DEMO_CAPTURES_AT_ONCE: usize = 4;

/// Blocks whose scan sums are written at the same time: they share one sync.
pub const SCAN_BLOCKS_FLUSHED_AT_ONCE: usize = 256;
/// How often captures that were committed and not applied are looked for: a client that hung up leaves one.
pub const FINISH_INTERVAL_MS: u64 = 5_000;
/// Bodies of an event's records in one answer, in bytes.
pub const EVENT_ANSWER_BYTES_MAX: usize = 32 << 20;

const _: () = assert!(RECORD_BYTES_MAX + EVENT_SUBJECTS_MAX * ENTRY_BYTES_MAX <= WRITE_BYTES_MAX);
const _: () = assert!(CAPTURE_CHUNK_BYTES <= WRITE_BYTES_MAX);

/// What a snapshot of the embedded store reads before it hands it on, in bytes of keys and values; one thing may be larger.
pub const SNAPSHOT_BATCH_BYTES: usize = 256 << 10;
/// Such batches that wait for whoever takes them.
pub const SNAPSHOT_BATCHES_WAITING: usize = 2;
/// One frame of a backup, in bytes: a chunk of one record alone may pass `CAPTURE_CHUNK_BYTES`.
pub const BACKUP_FRAME_BYTES_MAX: usize = 20 << 20;
/// One piece of a backup that is being sent, in bytes; one frame may be larger.
pub const BACKUP_PIECE_BYTES: usize = 256 << 10;
/// Such pieces that wait for the connection.
pub const BACKUP_PIECES_WAITING: usize = 2;
/// What a restore puts into the store at once, in bytes of the backup; one thing may be larger.
pub const RESTORE_BATCH_BYTES: usize = 4 << 20;
/// How far a restore moves the counters of organizations, batches and so on: more than a server gives out between two
/// backups, and of no weight among 2^64.
pub const RESTORE_NUMBERS_SKIPPED: u64 = 1_000_000;

const _: () = assert!(RECORD_BYTES_MAX + CAPTURE_CHUNK_BYTES < BACKUP_FRAME_BYTES_MAX);
const _: () = assert!(DOCUMENT_BYTES_MAX < BACKUP_FRAME_BYTES_MAX);
const _: () = assert!(RESTORE_BATCH_BYTES + 2 * BACKUP_FRAME_BYTES_MAX < WRITE_BYTES_MAX);
/// Readings in one series: a year at five-minute steps; a longer record becomes several.
pub const READINGS_MAX: usize = 100_000;
/// The first second of the year 2000: no logger is older. A clock that lost its battery begins before it.
pub const READINGS_EARLIEST_S: i64 = 946_684_800;
/// The last second of the year 2199, so that arithmetic on times cannot overflow.
pub const READINGS_LATEST_S: i64 = 7_258_118_399;
/// A logger's file, or readings as JSON, in bytes: 200,000 readings of 80 bytes.
pub const LOGGER_BYTES_MAX: usize = 16 << 20;
/// Lines of a logger's file: two years at five-minute steps.
pub const LOGGER_LINES_MAX: usize = 200_000;
/// Lines of a logger's file before its header: loggers write up to a page about themselves.
pub const LOGGER_PREAMBLE_LINES_MAX: usize = 200;
/// Columns of a logger's file: 16 channels with time, humidity and remarks.
pub const LOGGER_COLUMNS_MAX: usize = 64;
/// Times outside a limit that one record lists; beyond it they are counted.
pub const EXCURSIONS_MAX: usize = 100;
/// Gaps that one record lists; beyond it they are counted.
pub const GAPS_MAX: usize = 100;
/// Columns of a curve: one for each and a half pixels of a phone's screen. Each is two points.
pub const CURVE_COLUMNS: i64 = 200;
/// Records of one batch whose bodies are looked into for temperatures, the newest: a logger a day for a year.
pub const TEMPERATURE_RECORDS_MAX: usize = 366;
/// Of these, so many are read at the same time: a shipment's loggers in one round, and not much more than may be folded.
pub const TEMPERATURE_RECORDS_AT_ONCE: usize = 32;
/// Readings of one batch that are folded, the newest reports first: 40 days at five-minute steps from 85 loggers.
pub const TEMPERATURE_READINGS_MAX: u64 = 1_000_000;
/// Reports of one batch that are folded: each is followed at the same time, in about 200 bytes.
pub const TEMPERATURE_REPORTS_MAX: usize = 10_000;
/// Bodies of records with temperatures that are read for one batch, in bytes: twice what so many readings take.
pub const TEMPERATURE_BYTES_MAX: usize = 8 << 20;

const _: () = assert!(READINGS_EARLIEST_S < READINGS_LATEST_S && READINGS_MAX < u32::MAX as usize);
const _: () = assert!(READINGS_MAX as u64 <= TEMPERATURE_READINGS_MAX);

/// Portions of one split: a case of 20 kg in pieces of 2 g.
pub const SPLIT_PORTIONS_MAX: u32 = 10_000;
/// Transformations behind one another that are followed from goods to what they were made of, and on to what was made of
/// them: a catch that is cut, breaded, packed and split at a shop has four.
pub const TRANSFORMATION_LEVELS_MAX: usize = 8;
/// Inputs that are looked into for one code or batch, those of different history each: each costs as much as a first scan.
pub const INPUTS_MAX: usize = 256;
/// Blocks of one input's codes that are read: a span of 262,144 codes.
pub const INPUT_BLOCKS_MAX: usize = 64;
/// Parts of one input's codes, of different history each, that are folded.
pub const INPUT_HISTORIES_MAX: usize = 64;
/// Inputs that a scan names; the rest is a count.
pub const INPUTS_SHOWN_MAX: usize = 20;
/// Batches whose codes are gone through to follow one batch to what was made of it.
pub const TRACED_BATCHES_MAX: usize = 64;
/// Lines of one trace.
pub const TRACE_LINES_MAX: usize = 10_000;
/// Records whose bodies are read for one batch's balance, the newest: their figures stand nowhere else.
pub const BALANCE_RECORDS_MAX: usize = 1_000;

const _: () = assert!(SPLIT_PORTIONS_MAX <= RUN_CODES_MAX && INPUTS_SHOWN_MAX <= INPUTS_MAX);
