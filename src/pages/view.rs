//! What the pages show: plain data, filled by the service.
//!
//! A page is for one language, so names and sentences that are data stand here already chosen;
//! labels are chosen by the template. Dates and times are in the service's configured zone.

use jiff::{
    civil::{Date, DateTime},
    tz::TimeZone,
};

use super::Lang;
use crate::{
    cold_chain::ColdChain,
    trace::{Notice, State, Verdict},
};

/// The answer to the scan of one code, without the code and its scans: those differ from code to
/// code where everything else is the same, and are spliced in when the page is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanPage {
    /// The page's language.
    pub lang: Lang,
    /// What stands before the code in its canonical link: `https://HOST/01/{gtin}/21/`.
    pub link_prefix: String,
    /// The gravest of `verdicts`.
    pub verdict: Verdict,
    /// All that hold, gravest first; `verdict` among them.
    pub verdicts: Vec<Verdict>,
    /// Why, a sentence each, beside the words and the advice that every verdict has: the date of
    /// expiry, the product that a label belongs to.
    pub reasons: Vec<String>,
    /// Holds and recalls that stand, by number.
    pub measures: Vec<Measure>,
    /// Where the goods are in their life; `None` for a code that was never issued.
    pub state: Option<State>,
    /// What the code is stuck on; `None` for a code that was never issued.
    pub product: Option<Product>,
    /// The batch; `None` for a code that was never issued.
    pub batch: Option<Batch>,
    /// The temperatures that it went through, where anybody reported one.
    pub temperatures: Option<Temperatures>,
    /// What it was made of, where that is told.
    pub made_of: Option<MadeOf>,
    /// Its papers, in the order to show.
    pub documents: Vec<Document>,
    /// What happened.
    pub journey: Journey,
    /// The code was issued under a master key that has been retired since.
    pub retired_key: bool,
    /// Since when the service has heard nothing new from its store, where that is worth saying.
    pub data_as_of: Option<DateTime>,
}

/// A hold or recall that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Its number, where it has one.
    pub number: Option<u64>,
    /// Whether it is a recall; otherwise a hold.
    pub recall: bool,
    /// From when on.
    pub since: DateTime,
    /// What the public is told, in its author's words.
    pub notice: Option<String>,
    /// What to do, in its author's words.
    pub advice: Option<String>,
}

/// What differs between the codes of one rendered page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodePart<'a> {
    /// The 20 characters of a canonical code. Anything but `0-9A-Z` is left out.
    pub code: &'a str,
    /// Scans by the public before this one.
    pub scans: u64,
    /// When the first of them was; `None` where there was none.
    pub first_scan: Option<DateTime>,
    /// What is noticed about its scans.
    pub notice: Option<Notice>,
    /// Whether the goods are sold, so that scans are the buyer's.
    pub sold: bool,
    /// Of when the page is, where the service has heard nothing from its store since and confirms no safety.
    pub as_of: Option<DateTime>,
}

/// A trade item, and how much of it one code stands for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Product {
    /// Its Chinese name.
    pub name_zh: Option<String>,
    /// Its English name.
    pub name_en: Option<String>,
    /// Path of its picture on this host, as `/pictures/3.jpg`; the content security policy admits no other host.
    pub picture: Option<String>,
    /// Net weight or content of what the label is on, with its unit: `0.4 kg`.
    pub net_weight: Option<String>,
    /// What the label is on.
    pub level: Option<Level>,
    /// The last day on which a portion may be used; other goods have the batch's.
    pub expires: Option<Date>,
    /// Specification, as `16/20`, `20 × 400 g`.
    pub specification: Option<String>,
    /// Brand.
    pub brand: Option<String>,
    /// Not to be kept below it.
    pub storage_min_celsius: Option<f64>,
    /// Not to be kept above it.
    pub storage_max_celsius: Option<f64>,
    /// 14 digits.
    pub gtin: Option<String>,
}

/// What a label is on. (GS1 General Specifications, "trade item unit descriptor".)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What a consumer buys.
    Item,
    /// A carton of items.
    Case,
    /// A tray that items are sold from.
    Display,
    /// What a shop split off an opened package.
    Portion,
}

/// One lot of one product in one consignment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// The producer's lot, any text.
    pub lot: Option<String>,
    /// Production dates.
    pub produced: Option<DateRange>,
    /// Expiry dates.
    pub expires: Option<DateRange>,
    /// Country or region of origin, by name.
    pub origin: Option<String>,
    /// The foreign producer.
    pub producer: Option<String>,
    /// The producer's number in the register of overseas producers of imported food (GACC).
    pub producer_registration: Option<String>,
    /// The importer.
    pub importer: Option<String>,
    /// Port of entry, by name.
    pub port: Option<String>,
    /// Day of entry.
    pub entered: Option<Date>,
    /// Quantity of the batch with its unit: `2,000 cartons, 20,000 kg`.
    pub quantity: Option<String>,
}

/// What goods were made of, or split off.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MadeOf {
    /// What went in, nearest first.
    pub came_from: Vec<CameFrom>,
    /// How many more went in.
    pub further: u64,
}

/// Goods of one batch that went into others.
#[derive(Clone, Debug, PartialEq)]
pub struct CameFrom {
    /// The trade item.
    pub product: Product,
    /// The batch.
    pub batch: Batch,
    /// What it was in, where it bore a code.
    pub level: Option<Level>,
    /// What one of these held.
    pub content: Option<String>,
    /// When it was opened or consumed.
    pub at: DateTime,
    /// What nobody with a right to it has confirmed.
    pub report: bool,
}

/// A temperature record with its curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Temperatures {
    /// The record.
    pub chain: ColdChain,
    /// Whether it is the word of somebody with a right to it.
    pub confirmed: bool,
    /// The zone in which times are shown.
    pub zone: TimeZone,
}

/// An inclusive range of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateRange {
    /// The first day.
    pub first: Date,
    /// The last day; equal to the first for a single day.
    pub last: Date,
}

/// What is always public of a paper, and the way to its public rendition.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its kind, by name in the page's language: a profile may name kinds of its own.
    pub kind: String,
    /// Its number with the middle masked; `None` where it has none.
    pub number_masked: Option<String>,
    /// Who issued it.
    pub issuer: Option<String>,
    /// When.
    pub issued: Option<Date>,
    /// Path of the public rendition on this host.
    pub rendition: Option<String>,
}

/// The public timeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journey {
    /// Latest first, at most `limits::PUBLIC_TIMELINE_LINES_MAX`.
    pub lines: Vec<JourneyLine>,
    /// How many earlier ones there are.
    pub further: u64,
}

/// One line of the public timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct JourneyLine {
    /// When it happened.
    pub at: DateTime,
    /// What happened.
    pub step: Step,
    /// Where, as far as that is public: a country, a port, or the city of the party.
    pub place: Option<String>,
    /// Who did it.
    pub party: Party,
    /// What nobody with a right to it has confirmed: it changes no state and no verdict.
    pub report: bool,
    /// It happened to what the goods were made of, before they were.
    pub before: bool,
}

/// Who did a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    /// A business that made its name public, the importer, or an authority.
    Named(String),
    /// A business that did not.
    Private,
    /// Nobody worth naming.
    Nobody,
}

/// What happened, as a consumer would say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The batch was registered.
    Registered,
    /// The codes were issued.
    Issued,
    /// The label was put on.
    Applied,
    /// The label was declared void.
    Voided,
    /// Packed by the producer, to be exported.
    PackedForExport,
    /// Left a port or an airport.
    Departed,
    /// Arrived at one.
    Arrived,
    /// Inspected or sampled; what was found is not known yet.
    Inspected,
    /// Inspected, and as it must be.
    Passed,
    /// Inspected, and not as it must be.
    Failed,
    /// An authority lets it go on to be sold.
    Released,
    /// Packed into a larger unit.
    Packed,
    /// Unpacked from one.
    Unpacked,
    /// Loaded into a vehicle or container.
    Loaded,
    /// Unloaded from one.
    Unloaded,
    /// Split into smaller packages.
    Split,
    /// Opened, to be sold in portions.
    Opened,
    /// Shipped.
    Shipped,
    /// Received.
    Received,
    /// Put into store.
    Stored,
    /// Offered for sale.
    Offered,
    /// Sold.
    Sold,
    /// Sent back.
    Returned,
    /// Destroyed.
    Destroyed,
    /// Put on hold.
    Held,
    /// Recalled.
    Recalled,
    /// A hold or a recall was lifted.
    Lifted,
    /// A temperature was recorded.
    Temperature,
    /// An earlier report was declared to be in error.
    DeclaredInError,
    /// A user's own step, by name.
    Other(String),
}

/// A page about goods without a code: a product, a lot of it, or a batch. It never says "genuine",
/// because nothing was proved.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassPage {
    /// The page's language.
    pub lang: Lang,
    /// What the link names.
    pub class: Class,
    /// What holds for all of it, gravest first; a hold or a recall, mostly nothing.
    pub verdicts: Vec<Verdict>,
    /// A sentence each, as on a scan.
    pub reasons: Vec<String>,
    /// Holds and recalls that stand for all of it, by number.
    pub measures: Vec<Measure>,
    /// The trade item.
    pub product: Product,
    /// The batches to show: one for a batch, those of the lot for a lot, none for a product.
    pub batches: Vec<Batch>,
    /// How many batches of the lot are not shown.
    pub batches_further: u64,
    /// The temperatures that a batch went through.
    pub temperatures: Option<Temperatures>,
    /// What a batch was made of, where that is told.
    pub made_of: Option<MadeOf>,
    /// The papers of a batch.
    pub documents: Vec<Document>,
    /// What happened to the whole batch.
    pub journey: Journey,
}

/// What a link without a code names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// `/01/{gtin}`
    Product,
    /// `/01/{gtin}/10/{lot}`
    Lot,
    /// `/batch/{id}`
    Batch,
}

/// A page that says why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailurePage {
    /// The page's language.
    pub lang: Lang,
    /// Why.
    pub failure: Failure,
    /// The request's id, to tell the operator.
    pub request_id: Option<String>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// 400: the link breaks the GS1 Digital Link syntax; what is wrong, in a sentence.
    BadLink(String),
    /// 404: the link names nothing that is known here.
    NotFound,
    /// 429: too many from this address; seconds until the next is admitted.
    TooMany {
        /// Seconds to wait.
        retry_after_s: u64,
    },
    /// 503: safety could not be confirmed.
    Unavailable,
}
