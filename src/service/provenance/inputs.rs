//! One input of a transformation: its own history until then, and what holds of it now.

use std::sync::Arc;

use super::{Made, Source, Walk, whole::WholeOf};
use crate::{
    code::Serial,
    epcis::{Class, Disposition},
    limits::{BLOCK_CODES, GROUP_CODES, INPUT_BLOCKS_MAX, INPUT_HISTORIES_MAX, PUBLIC_TIMELINE_LINES_MAX},
    registration::{Content, Kind, Parent},
    service::{
        Basis, Service, Watched,
        gather::{Gathered, TimelineLine},
        temperature::{self, ColdRecord, newest, sensed, sensed_of},
    },
    store::{self, Slice},
    trace::{
        BatchId, Bearing, Block, Entry, Group, Ledger, Listed, Owners, Part, RecordId, Scope, Span, Subject, What,
        WholeStatus, fold, subject_of,
    },
};

impl Walk<'_> {
    /// Adds an input; `next` gets the transformations that it came out of.
    pub(super) async fn input(
        &mut self,
        made: &Made<'_>,
        input: Listed,
        next: &mut Vec<RecordId>,
        basis: &mut Basis,
    ) -> store::Result<()> {
        match input.what.clone() {
            What::Span(span) => self.span(made, input, span, next, basis).await,
            What::Class(Class::Batch(batch)) => self.batch(made, input, batch, next, basis).await,
            What::Class(Class::Lot { gtin, lot }) => {
                let parent = Parent::Lot(gtin.to_string(), lot.to_string());
                self.service.watch.add(basis, Watched::Children(parent, Kind::Batch));
                let batches = self.service.batches_of_lot(gtin, &lot, None).await?;
                let subject = subject_of(&Class::Lot { gtin, lot });
                if batches.is_empty() {
                    return self.other(made, input, subject, next, basis).await;
                }
                for batch in batches.into_iter().take(INPUT_HISTORIES_MAX) {
                    self.batch(made, input.clone(), batch, next, basis).await?;
                }
                Ok(())
            }
            What::Class(Class::Other(uri)) | What::Epc(uri) => {
                self.other(made, input, Subject::Epc(uri), next, basis).await
            }
        }
    }

    /// An input of which nothing is known but that it was consumed.
    fn source(made: &Made<'_>, input: Listed) -> Source {
        Source {
            level: made.level,
            event: made.record.event,
            record: made.record.id,
            at_ms: made.record.event_time_ms,
            organization: made.record.organization,
            biz_step: made.biz_step.clone(),
            input,
            run: None,
            batch: None,
            confirmed: false,
            measures: Vec::new(),
            suspicious: false,
            chain_broken: false,
            lines: Vec::new(),
            sensed: Vec::new(),
        }
    }

    /// Some or all of a batch. Nobody has custody of a class, so that its importer's word counts.
    async fn batch(
        &mut self,
        made: &Made<'_>,
        input: Listed,
        batch: BatchId,
        next: &mut Vec<RecordId>,
        basis: &mut Basis,
    ) -> store::Result<()> {
        let mut source = Self::source(made, input);
        if let Some(whole) = self.whole(batch, basis).await? {
            let owners = Owners::one(whole.facts.batch.organization);
            let status = fold(&[], &whole.status, owners);
            source.confirmed = made.record.organization == owners.importer;
            (source.measures, source.suspicious) = (status.measures, status.suspicious);
            source.batch = Some(Arc::clone(&whole.facts));
            next.extend(&whole.status.made);
            self.past(&mut source, &whole, Vec::new()).await?;
        }
        self.found.sources.push(source);
        Ok(())
    }

    /// A thing that is not of this service: its ledger tells measures, and what the same organization made it of.
    async fn other(
        &mut self,
        made: &Made<'_>,
        input: Listed,
        subject: Subject,
        next: &mut Vec<RecordId>,
        basis: &mut Basis,
    ) -> store::Result<()> {
        let mut source = Self::source(made, input);
        let entries = self.service.ledger(&subject, Slice::Shared, basis).await?;
        let owners = Owners::one(made.record.organization);
        let (whole, _) = WholeStatus::of(&entries, owners);
        next.extend(&whole.made);
        let status = fold(&[], &whole, owners);
        (source.measures, source.suspicious) = (status.measures, status.suspicious);
        self.found.sources.push(source);
        Ok(())
    }

    /// Own codes: those with the same history are looked at together.
    async fn span(
        &mut self,
        made: &Made<'_>,
        input: Listed,
        span: Span,
        next: &mut Vec<RecordId>,
        basis: &mut Basis,
    ) -> store::Result<()> {
        let mut source = Self::source(made, input);
        let Some(Content::Run(run)) = self.service.watched(basis, Kind::Run, span.run().bits().into()).await? else {
            self.found.sources.push(source);
            return Ok(());
        };
        let Some(whole) = self.whole(run.batch, basis).await? else { return Ok(()) };
        let owners = Owners { issuer: run.organization, importer: whole.facts.batch.organization };
        let (ledgers, blocks_further) = self.service.span_ledgers(&span, basis).await?;
        let (histories, further) = histories(&ledgers, &span, INPUT_HISTORIES_MAX.min(1 + self.left));
        self.left -= histories.len().saturating_sub(1);
        self.found.further += blocks_further + further;
        let mut past = Vec::new();
        source.confirmed = true;
        for first in histories {
            let mut own = Vec::new();
            ledgers.iter().for_each(|ledger| ledger.find(first, &mut own));
            own.sort_unstable_by_key(|entry| entry.place);
            let gathered = self.service.gather(&own, &whole.status, owners, &mut self.units, basis);
            let Gathered { lines, mut status } = gathered.await?;
            let effective = |part: Part| {
                lines.iter().filter(move |line| line.entry.part == part && line.bearing == Bearing::Effective)
            };
            source.confirmed &= effective(Part::Input).any(|line| line.entry.place.record == made.record.id);
            next.extend(effective(Part::Output).map(|line| line.entry.place.record));
            source.suspicious |= status.suspicious;
            status.inherit(&source.measures, false);
            let sensed = sensed_of(&lines, &status.stays);
            source.measures = status.measures;
            past.push((lines, sensed));
        }
        source.batch = Some(Arc::clone(&whole.facts));
        source.run = Some(run);
        next.extend(&whole.status.made);
        self.past(&mut source, &whole, past).await?;
        self.found.sources.push(source);
        Ok(())
    }

    /// What happened to an input until it was consumed. Of the whole batch it is told where that is another batch than that
    /// of the goods, whose own page has it.
    async fn past(
        &self,
        source: &mut Source,
        whole: &WholeOf,
        past: Vec<(Vec<TimelineLine>, Vec<temperature::Sensed>)>,
    ) -> store::Result<()> {
        let of_whole = || whole.entries.iter().zip(whole.bearings.iter().copied());
        let mut own = Vec::new();
        for (lines, sensed) in past {
            let before = lines.into_iter().map(|line| (line.entry, line.bearing));
            source.lines.extend(before.filter(|(entry, _)| is_before(source.at_ms, source.record, entry)));
            for sensed in sensed.into_iter().filter_map(|sensed| sensed.until(source.at_ms)) {
                // A logger in a container was beside every case of it: it is one report.
                if !own.iter().any(|known: &temperature::Sensed| known.is_same(&sensed)) {
                    own.push(sensed);
                }
            }
        }
        let whole_sensed = sensed(of_whole(), &[]).into_iter().filter_map(|sensed| sensed.until(source.at_ms));
        let all = newest(own.iter().cloned().chain(whole_sensed).collect());
        if !all.is_empty() {
            let limits = temperature::limits(whole.facts.effective().storage);
            let record = self.service.cold_record(&all, limits, &whole.bodies).await?;
            source.chain_broken = record.as_ref().is_some_and(ColdRecord::is_broken);
        }
        if !source.confirmed {
            source.lines.clear();
            return Ok(());
        }
        source.sensed = own;
        if whole.facts.batch.id != self.of {
            let before = of_whole().filter(|(entry, _)| is_before(source.at_ms, source.record, entry));
            source.lines.extend(before.map(|(entry, bearing)| (entry.clone(), bearing)));
        }
        source.lines.sort_by_key(|(entry, _)| entry.place);
        source.lines.dedup_by_key(|(entry, _)| entry.place);
        let older = source.lines.len().saturating_sub(PUBLIC_TIMELINE_LINES_MAX);
        source.lines.drain(..older);
        Ok(())
    }
}

/// Whether an entry belongs to what was before goods were consumed at `at_ms` by `record`. What was done to the rest with the
/// same stroke does not.
fn is_before(at_ms: i64, record: RecordId, entry: &Entry) -> bool {
    let of_the_rest = matches!(entry.disposition, Some(Disposition::ContainerOpen | Disposition::Destroyed));
    entry.scope != Scope::Some
        && entry.place.record != record
        && (entry.place.event_time_ms < at_ms || (entry.place.event_time_ms == at_ms && !of_the_rest))
}

impl Service {
    /// The ledgers that tell of a span's codes, at most `INPUT_BLOCKS_MAX` blocks, and how many more there are. They are
    /// watched from before they are read.
    async fn span_ledgers(&self, span: &Span, basis: &mut Basis) -> store::Result<(Vec<Ledger>, usize)> {
        let run = span.run();
        let mut ledgers = vec![Ledger::new(self.ledger(&Subject::Run(run), Slice::Shared, basis).await?)];
        let indexes = |codes: u32| span.first().get() / codes..=span.last().get() / codes;
        for index in indexes(GROUP_CODES).filter_map(|index| u8::try_from(index).ok()) {
            let group = Subject::Group(Group { run, index });
            ledgers.push(Ledger::new(self.ledger(&group, Slice::Shared, basis).await?));
        }
        let (mut blocks, mut further) = (0, 0);
        for index in indexes(BLOCK_CODES).filter_map(|index| u16::try_from(index).ok()) {
            if blocks == INPUT_BLOCKS_MAX {
                further += 1;
                continue;
            }
            blocks += 1;
            let block = Block { run, index };
            let (subject, slice) = if span.codes() == 1 {
                let offset = Block::offset(span.first());
                self.watch.add(basis, Watched::Code(block, offset));
                let single = self.ledger(&Subject::Block(block), Slice::Serial(offset.into()), basis).await?;
                ledgers.push(Ledger::new(single));
                (Subject::Block(block), Slice::Shared)
            } else {
                self.watch.add(basis, Watched::Codes(block));
                (Subject::Block(block), Slice::Whole)
            };
            let mut entries = self.ledger(&subject, slice, basis).await?;
            entries.sort_unstable_by_key(|entry| entry.place);
            ledgers.push(Ledger::new(entries));
        }
        Ok((ledgers, further))
    }
}

/// The first code of each part of a span whose codes share their history, at most `most`, and how many more parts there are.
fn histories(ledgers: &[Ledger], span: &Span, most: usize) -> (Vec<Serial>, usize) {
    let mut borders = vec![span.first().get()];
    ledgers.iter().for_each(|ledger| ledger.borders(&mut borders));
    borders.retain(|border| (span.first().get()..=span.last().get()).contains(border));
    borders.sort_unstable();
    borders.dedup();
    let further = borders.len().saturating_sub(most);
    borders.truncate(most);
    (borders.into_iter().filter_map(Serial::new).collect(), further)
}
