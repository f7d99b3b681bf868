//! Rows of ledgers: an entry in typed columns, and back.

use scylla::{
    DeserializeRow, SerializeRow,
    value::{CqlTimestamp, MaybeUnset},
};

use super::words::{self, corrupt, digest, hex};
use crate::{
    code::Serial,
    epcis::Disposition,
    limits::BLOCK_CODES,
    store::{Result, Slice},
    trace::{
        Entry, EventHash, HandOver, Instance, MeasureId, OrganizationId, Part, Place, RecordId, Scope, Span, Subject,
    },
};

pub const TABLE: &str = "ledgers";

/// Cluster of the entries that bear on more than one code.
const SHARED: i32 = 0;

/// Cluster of a part of a ledger; of a whole block there is none, and it is read without.
pub fn cluster(slice: Slice) -> i32 {
    match slice {
        Slice::Serial(serial) => 1 + (serial % BLOCK_CODES).cast_signed(),
        Slice::Shared | Slice::Whole => SHARED,
    }
}

/// Defines one row for writing, where what is absent is left out so that no tombstone is written, and one for reading.
macro_rules! rows {
    ({ $($name:ident: $type:ty,)* } { $($optional:ident: $of:ty,)* }) => {
        /// An entry as it is written.
        #[derive(SerializeRow)]
        pub struct NewEntry<'s> {
            pub subject: &'s str,
            pub bucket: i32,
            $(pub $name: $type,)*
            $(pub $optional: MaybeUnset<$of>,)*
        }

        /// An entry as it is read.
        #[derive(Clone, DeserializeRow)]
        pub struct EntryRow {
            $(pub $name: $type,)*
            $(pub $optional: Option<$of>,)*
            /// Where it lies, and the timestamp of its first write: what a pass over all ledgers goes by.
            pub subject: String,
            pub bucket: i32,
            pub stamp: Option<i64>,
        }
    };
}

rows! {
    {
        cluster: i32,
        event_time: CqlTimestamp,
        record: Vec<u8>,
        ordinal: i32,
        event: Vec<u8>,
        organization: i64,
        role: String,
        record_time: CqlTimestamp,
        scope: String,
        plays: String,
        declares_error: bool,
    }
    {
        span_run: String,
        span_first: i32,
        span_last: i32,
        other_code: String,
        other_epc: String,
        action: String,
        biz_step: String,
        disposition: String,
        dispositions_set: Vec<String>,
        dispositions_unset: Vec<String>,
        measure: i64,
        handed_from: String,
        handed_to: String,
        owner: String,
        observed_from: CqlTimestamp,
        observed_to: CqlTimestamp,
    }
}

fn set<T>(value: Option<T>) -> MaybeUnset<T> {
    MaybeUnset::from_option(value)
}

fn words_of(dispositions: &[Disposition]) -> MaybeUnset<Vec<String>> {
    let words: Vec<_> = dispositions.iter().map(|word| word.as_str().to_owned()).collect();
    set((!words.is_empty()).then_some(words))
}

/// How a part is written: its word, and the other thing where it has one.
fn part_columns(part: &Part) -> (&'static str, Option<String>, Option<String>) {
    match part {
        Part::Object => ("object", None, None),
        Part::Child(Instance::Code { run, serial }) => ("child", Some(words::code(*run, *serial)), None),
        Part::Child(Instance::Epc(uri)) => ("child", None, Some(uri.clone())),
        Part::Parent { all: false } => ("parent", None, None),
        Part::Parent { all: true } => ("parent of all", None, None),
        Part::Input => ("input", None, None),
        Part::Output => ("output", None, None),
        Part::Received(epc) => ("received", None, epc.as_deref().map(str::to_owned)),
        Part::Joined => ("joined", None, None),
    }
}

impl<'s> NewEntry<'s> {
    /// The row of an entry in a bucket of its subject's ledger.
    pub fn new(name: &'s str, bucket: i32, subject: &Subject, entry: &Entry) -> Self {
        let (scope, span) = match &entry.scope {
            Scope::All => ("all", None),
            Scope::Some => ("some", None),
            Scope::Span(span) => ("span", Some(span)),
        };
        let (plays, other_code, other_epc) = part_columns(&entry.part);
        let party = |party: Option<_>| set(party.map(words::party));
        Self {
            subject: name,
            bucket,
            cluster: cluster(Slice::of(subject, &entry.scope)),
            event_time: CqlTimestamp(entry.place.event_time_ms),
            record: entry.place.record.0.to_vec(),
            ordinal: entry.place.ordinal.cast_signed(),
            event: entry.event.0.to_vec(),
            organization: entry.organization.0.cast_signed(),
            role: words::role(entry.role).to_owned(),
            record_time: CqlTimestamp(entry.record_time_ms),
            scope: scope.to_owned(),
            plays: plays.to_owned(),
            declares_error: entry.declares_error,
            span_run: set(span.map(|span| span.run().to_string())),
            span_first: set(span.map(|span| span.first().get().cast_signed())),
            span_last: set(span.map(|span| span.last().get().cast_signed())),
            other_code: set(other_code),
            other_epc: set(other_epc),
            action: set(entry.action.map(|action| words::action(action).to_owned())),
            biz_step: set(entry.biz_step.as_ref().map(|step| step.as_str().to_owned())),
            disposition: set(entry.disposition.as_ref().map(|disposition| disposition.as_str().to_owned())),
            dispositions_set: words_of(&entry.set),
            dispositions_unset: words_of(&entry.unset),
            measure: set(entry.measure.map(|measure| measure.0.cast_signed())),
            handed_from: party(entry.hand_over.from),
            handed_to: party(entry.hand_over.to),
            owner: party(entry.hand_over.owner),
            observed_from: set(entry.observed_ms.map(|(from, _)| CqlTimestamp(from))),
            observed_to: set(entry.observed_ms.map(|(_, to)| CqlTimestamp(to))),
        }
    }
}

impl EntryRow {
    /// The subject that it names, and the entry.
    pub fn in_subject(self) -> Result<(Subject, Entry)> {
        let (name, bucket) = (self.subject.clone(), self.bucket);
        let odd = || corrupt(TABLE, format!("{name}/{bucket}"), "it names no subject");
        let subject = words::parse_subject(&name).ok_or_else(odd)?;
        Ok((subject, self.entry(&name, bucket)?))
    }

    /// The entry; `subject` and `bucket` are for the message where it cannot be read.
    pub fn entry(self, subject: &str, bucket: i32) -> Result<Entry> {
        let (time, ordinal) = (self.event_time.0, self.ordinal);
        let key = format!("{subject}/{bucket}/{}/{time}/{}/{ordinal}", self.cluster, hex(&self.record));
        let wrong = |column: &str, found: &dyn std::fmt::Debug| corrupt(TABLE, &key, format!("{column} is {found:?}"));
        let place = Place {
            event_time_ms: time,
            record: RecordId(digest(TABLE, &key, "record", &self.record)?),
            ordinal: ordinal.cast_unsigned(),
        };
        let party = |column: &str, text: Option<String>| {
            text.map(|text| words::parse_party(&text).ok_or_else(|| wrong(column, &text))).transpose()
        };
        let words_in = |column: &str, texts: Option<Vec<String>>| {
            let parse = |text: &String| words::parse_disposition(text).ok_or_else(|| wrong(column, text));
            texts.unwrap_or_default().iter().map(parse).collect::<Result<Vec<_>>>()
        };
        Ok(Entry {
            place,
            event: EventHash(digest(TABLE, &key, "event", &self.event)?),
            organization: OrganizationId(self.organization.cast_unsigned()),
            role: words::parse_role(&self.role).ok_or_else(|| wrong("role", &self.role))?,
            record_time_ms: self.record_time.0,
            scope: scope(&self.scope, self.span_run.as_deref(), self.span_first, self.span_last)
                .ok_or_else(|| wrong("scope", &(&self.scope, &self.span_run, self.span_first, self.span_last)))?,
            part: part(&self.plays, self.other_code.as_deref(), self.other_epc.as_deref())
                .ok_or_else(|| wrong("plays", &(&self.plays, &self.other_code, &self.other_epc)))?,
            action: parsed(self.action, words::parse_action).map_err(|text| wrong("action", &text))?,
            biz_step: parsed(self.biz_step, words::parse_biz_step).map_err(|text| wrong("biz_step", &text))?,
            disposition: parsed(self.disposition, words::parse_disposition)
                .map_err(|text| wrong("disposition", &text))?,
            set: words_in("dispositions_set", self.dispositions_set)?,
            unset: words_in("dispositions_unset", self.dispositions_unset)?,
            measure: self.measure.map(|measure| MeasureId(measure.cast_unsigned())),
            declares_error: self.declares_error,
            hand_over: HandOver {
                from: party("handed_from", self.handed_from)?,
                to: party("handed_to", self.handed_to)?,
                owner: party("owner", self.owner)?,
            },
            observed_ms: self.observed_from.zip(self.observed_to).map(|(from, to)| (from.0, to.0)),
        })
    }
}

/// A word that may be absent; the text where it is none.
fn parsed<T>(text: Option<String>, parse: fn(&str) -> Option<T>) -> std::result::Result<Option<T>, String> {
    text.map(|text| parse(&text).ok_or(text)).transpose()
}

fn scope(word: &str, run: Option<&str>, first: Option<i32>, last: Option<i32>) -> Option<Scope> {
    let serial = |serial: Option<i32>| Serial::new(u32::try_from(serial?).ok()?);
    match word {
        "all" => Some(Scope::All),
        "some" => Some(Scope::Some),
        "span" => Span::new(run?.parse().ok()?, serial(first)?, serial(last)?).map(Scope::Span),
        _ => None,
    }
}

fn part(word: &str, code: Option<&str>, epc: Option<&str>) -> Option<Part> {
    Some(match word {
        "object" => Part::Object,
        "child" => Part::Child(match (code, epc) {
            (Some(code), None) => words::parse_code(code)?,
            (None, Some(epc)) => Instance::Epc(epc.to_owned()),
            _ => return None,
        }),
        "parent" => Part::Parent { all: false },
        "parent of all" => Part::Parent { all: true },
        "input" => Part::Input,
        "output" => Part::Output,
        "received" => Part::Received(epc.map(Box::from)),
        "joined" => Part::Joined,
        _ => return None,
    })
}
