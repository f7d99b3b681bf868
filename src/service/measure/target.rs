//! What a measure names: whether it is there, and whose it is.

use std::collections::{BTreeSet, HashMap, hash_map::Entry};

use super::{MeasureError, NamedTargets, Result};
use crate::{
    code::{Code, Gtin, Lot, RunId, RunKey, Verification},
    limits::PAGE_ITEMS_MAX,
    registration::{FieldError, Kind, Parent, Run, Targets, ValueError},
    service::{Basis, Caller, Service, capture::heavy},
    store::{self, Slice},
    trace::{BatchId, OrganizationId, Role, Span, Subject},
};

/// A code and its serial's run in a body, roughly in bytes: proving many takes as long as reading a long document.
const SPAN_BYTES: usize = 63;

/// What is wrong with the goods that a measure names.
#[derive(Default)]
struct Faults {
    invalid: Vec<FieldError>,
    /// The first field that names goods of others.
    others: Option<String>,
}

impl Faults {
    fn invalid(&mut self, field: impl Into<String>, error: ValueError) {
        self.invalid.push(FieldError::new(field, error));
    }

    fn others(&mut self, field: impl Into<String>) {
        self.others.get_or_insert(field.into());
    }
}

/// A run whose codes a measure names.
struct NamedRun {
    run: Run,
    key: RunKey,
    importer: OrganizationId,
}

impl Service {
    /// The goods that a measure or an inspection names, all of them there, and of the caller where it is an importer.
    pub(in crate::service) async fn targets(&self, caller: &Caller, named: &NamedTargets) -> Result<Targets> {
        if !matches!(caller.role, Role::Inspector | Role::Importer) {
            let detail =
                format!("found a key with the role {:?}, expected an inspector's or an importer's", caller.role);
            return Err(MeasureError::Forbidden { field: None, detail });
        }
        let (sees_all, mut faults) = (caller.role == Role::Inspector, Faults::default());
        let mine = |owner: OrganizationId| sees_all || owner == caller.organization;
        if named.batch.is_none() && named.lot.is_none() && named.spans.is_empty() && named.units.is_empty() {
            faults.invalid("batch", ValueError::Missing { expected: "at least one of batch, lot, spans and units" });
        }
        if let Some(id) = named.batch {
            match self.batch(id.0).await?.filter(|batch| !batch.draft) {
                Some(batch) if mine(batch.organization) => {}
                Some(_) => faults.others("batch"),
                None => faults.invalid("batch", ValueError::out_of_range(id, "the number of a registered batch")),
            }
        }
        // A lot may be recalled before its batches are registered, by whoever may recall all goods.
        if let Some((gtin, lot)) = &named.lot
            && !sees_all
            && self.batches_of_lot(*gtin, lot, Some(caller.organization)).await?.is_empty()
        {
            faults.others("lot");
        }
        let spans = self.target_spans(named, mine, &mut faults).await?;
        let units: BTreeSet<&String> = named.units.iter().collect();
        for (at, unit) in named.units.iter().enumerate() {
            if !sees_all && !self.has_filled(caller.organization, unit).await? {
                faults.others(format!("units/{at}"));
            }
        }
        let targets =
            Targets { batch: named.batch, lot: named.lot.clone(), spans, units: units.into_iter().cloned().collect() };
        match faults {
            Faults { invalid, .. } if !invalid.is_empty() => Err(MeasureError::Invalid(invalid)),
            Faults { others: Some(field), .. } => {
                let detail =
                    format!("/{field} names goods of another organization; an inspector may hold or recall them");
                Err(MeasureError::Forbidden { field: Some(field), detail })
            }
            _ => Ok(targets),
        }
    }

    async fn target_spans(
        &self,
        named: &NamedTargets,
        mine: impl Fn(OrganizationId) -> bool,
        faults: &mut Faults,
    ) -> Result<Vec<(BatchId, Span)>> {
        let mut runs: HashMap<RunId, Option<NamedRun>> = HashMap::new();
        for (first, _) in &named.spans {
            if let Entry::Vacant(unknown) = runs.entry(first.run) {
                unknown.insert(self.named_run(first.run).await?);
            }
        }
        heavy(named.spans.len() * SPAN_BYTES, || {
            let mut spans = Vec::with_capacity(named.spans.len());
            for (at, (first, last)) in named.spans.iter().enumerate() {
                let run = runs.get(&first.run).and_then(Option::as_ref);
                match span_of(run, first, last) {
                    Ok((run, _)) if !mine(run.run.organization) && !mine(run.importer) => {
                        faults.others(format!("spans/{at}"));
                    }
                    Ok((run, span)) => spans.push((at, run.run.batch, span)),
                    Err((end, error)) => faults.invalid(format!("spans/{at}/{end}"), error),
                }
            }
            spans.sort_unstable_by_key(|(_, _, span)| *span);
            for pair in spans.windows(2) {
                if let [(_, _, before), (at, _, span)] = pair
                    && before.run() == span.run()
                    && span.first() <= before.last()
                {
                    let found = format!("serial {} of run {} twice", span.first().get(), span.run());
                    faults.invalid(format!("spans/{at}"), ValueError::out_of_range(found, "each code once"));
                }
            }
            Ok(spans.into_iter().map(|(_, batch, span)| (batch, span)).collect())
        })
    }

    async fn named_run(&self, id: RunId) -> store::Result<Option<NamedRun>> {
        let (Some(run), Some(key)) = (self.run(id).await?, self.keys.run_key(id)) else { return Ok(None) };
        let importer = self.batch(run.batch.0).await?.map_or(run.organization, |batch| batch.organization);
        Ok(Some(NamedRun { run, key, importer }))
    }

    /// The registered batches that a lot has or had: all, or those of one organization.
    pub(in crate::service) async fn batches_of_lot(
        &self,
        gtin: Gtin,
        lot: &Lot,
        of: Option<OrganizationId>,
    ) -> store::Result<Vec<BatchId>> {
        let (parent, mut after, mut batches) = (Parent::Lot(gtin.to_string(), lot.to_string()), None, Vec::new());
        loop {
            let page = self.store.children(&parent, Kind::Batch, after, PAGE_ITEMS_MAX).await?;
            let Some(last) = page.last() else { return Ok(batches) };
            after = Some(*last);
            for id in page {
                let batch = self.batch(id).await?.filter(|batch| !batch.draft);
                batches
                    .extend(batch.filter(|batch| of.is_none_or(|of| of == batch.organization)).map(|batch| batch.id));
            }
        }
    }

    /// Whether an organization has packed or made a unit. What is inside and not its own stays untouched by its word.
    async fn has_filled(&self, organization: OrganizationId, unit: &str) -> store::Result<bool> {
        let subject = Subject::Epc(unit.to_owned());
        let entries = self.ledger(&subject, Slice::Shared, &mut Basis::default()).await?;
        let fills = |action| action == Some(crate::epcis::Action::Add);
        Ok(entries.iter().any(|entry| entry.organization == organization && fills(entry.action)))
    }
}

/// The span between two codes, both proved and issued; or at which end it is wrong.
fn span_of<'r>(
    named: Option<&'r NamedRun>,
    first: &Code,
    last: &Code,
) -> std::result::Result<(&'r NamedRun, Span), (&'static str, ValueError)> {
    let Some(named) = named else {
        return Err(("first", ValueError::out_of_range(first, "a code that was issued")));
    };
    for (end, code) in [("first", first), ("last", last)] {
        let wrong = |expected: String| (end, ValueError::out_of_range(code, expected));
        if code.run != named.run.id {
            return Err(wrong(format!("a code of run {}, as the first", named.run.id)));
        }
        if !matches!(named.key.verify(code), Verification::Valid | Verification::Retired) {
            return Err(wrong("a code whose tag proves it".to_owned()));
        }
        if code.serial.get() >= named.run.count {
            return Err(wrong(format!("a code that was issued: the run has {}", named.run.count)));
        }
    }
    let span = Span::new(named.run.id, first.serial, last.serial);
    span.map(|span| (named, span)).ok_or(("last", ValueError::out_of_range(last, "a code at or behind the first")))
}
