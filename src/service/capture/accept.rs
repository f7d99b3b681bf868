//! The door: what is accepted, as far as facts that never change tell.

use std::collections::{HashMap, hash_map::Entry};

use super::{CaptureError, effects::Effects, heavy};
use crate::{
    code::{Code, Gtin, RunId, RunKey, Verification},
    epcis::{BizStep, Class, DocumentError, Draft, Event, EventKind, Ruling, record_id},
    limits::{CAPTURE_FACTS_MAX, CLOCK_SKEW_MS_MAX, EVENT_RECORDS_MAX},
    registration::{Batch, Content, Kind, Run},
    service::{Caller, Service},
    store,
    trace::{
        EventHash, OrganizationId, Role, Span,
        authority::{self, Said, SaidOf, Saying},
        cut, subject_of,
    },
};

/// What the acceptance of a document has found out so far. Nothing of the document has taken effect.
#[derive(Default)]
pub(super) struct Acceptance {
    /// When the document is accepted.
    pub(super) now_ms: i64,
    /// What it will take beside its records.
    pub(super) effects: Effects,
    facts: Facts,
}

/// What acceptance needs of runs and batches: facts that never change once they are there.
#[derive(Default)]
struct Facts {
    runs: HashMap<RunId, Option<RunFact>>,
    batches: HashMap<u64, Option<Batch>>,
}

struct RunFact {
    run: Run,
    gtin: Option<Gtin>,
    /// Set up once for all codes of the run; `None` where the ring lacks it.
    key: Option<RunKey>,
}

impl Acceptance {
    pub(super) fn new(now_ms: i64) -> Self {
        Self { now_ms, ..Self::default() }
    }
}

impl Facts {
    fn run(&self, run: RunId) -> Option<&RunFact> {
        self.runs.get(&run)?.as_ref()
    }
}

impl Service {
    /// Makes drafts events, if all of them may be captured by this caller. `from` is the first one's place in the document,
    /// `bytes` their length there.
    pub(super) async fn accept(
        &self,
        caller: &Caller,
        acceptance: &mut Acceptance,
        drafts: Vec<Draft<'_>>,
        from: usize,
        bytes: usize,
    ) -> Result<Vec<Event>, CaptureError> {
        let events = self.seal_all(acceptance, drafts, bytes).await?;
        let Acceptance { now_ms, effects, facts } = acceptance;
        for class in events.iter().flat_map(Event::classes) {
            if let Class::Batch(id) = class.class
                && !facts.batches.contains_key(&id.0)
            {
                facts.batches.insert(id.0, self.batch(id.0).await?);
            }
        }
        for (at, event) in (from..).zip(&events) {
            let owners = owners(at, event, facts)?;
            refuse_portions(at, event, facts)?;
            // Whose codes come out of a transformation is asked apart.
            let made = event.outputs.spans.iter().filter_map(|span| Some(facts.run(span.run())?.run.organization));
            let made: Vec<_> = made.collect();
            self.admit(caller, at, event, (&owners, &made), *now_ms).await?;
            self.count_growth(caller, at, event, &owners, effects)?;
            self.count_labels(caller, at, event, facts, effects).await?;
        }
        Ok(events)
    }

    /// Makes drafts events, as far as their codes are what they claim.
    pub(super) async fn seal_all(
        &self,
        acceptance: &mut Acceptance,
        drafts: Vec<Draft<'_>>,
        bytes: usize,
    ) -> Result<Vec<Event>, CaptureError> {
        let facts = &mut acceptance.facts;
        if facts.runs.len() + facts.batches.len() > CAPTURE_FACTS_MAX {
            *facts = Facts::default();
        }
        for run in drafts.iter().flat_map(Draft::codes).map(|code| code.code.run) {
            if let Entry::Vacant(unknown) = facts.runs.entry(run) {
                let fact = self.run_and_gtin(run).await?;
                let fact = fact.map(|(run, gtin)| RunFact { key: self.keys.run_key(run.id), run, gtin });
                unknown.insert(fact);
            }
        }
        let seal = || drafts.into_iter().map(|draft| self.seal(draft, facts)).collect::<Result<_, DocumentError>>();
        Ok(heavy(bytes, seal)?)
    }

    /// Decides which codes are ours, and refuses those that claim it and are not.
    fn seal(&self, draft: Draft<'_>, facts: &Facts) -> Result<Event, DocumentError> {
        for code in draft.codes() {
            let proved = matches!(self.verify_with(facts, &code.code), Verification::Valid | Verification::Retired);
            if !proved && !code.claims_ours {
                continue;
            }
            let refuse = |expected| Err(draft.refuse(code, &code.code.to_string(), expected));
            if !proved {
                return refuse("a code whose tag proves it");
            }
            let fact = facts.run(code.code.run);
            let Some(RunFact { gtin, .. }) = fact.filter(|fact| code.code.serial.get() < fact.run.count) else {
                return refuse("a code that was issued");
            };
            if code.gtin.is_some() && code.gtin != *gtin {
                return refuse("a code under the GTIN of its own product");
            }
        }
        draft.check_quantities(|run| facts.run(run).map(|fact| fact.run.batch))?;
        draft.seal(|code| match facts.run(code.code.run) {
            Some(fact) if self.verify_with(facts, &code.code) != Verification::Forged => Ruling::Ours(fact.gtin),
            _ => Ruling::Foreign,
        })
    }

    fn verify_with(&self, facts: &Facts, code: &Code) -> Verification {
        match facts.run(code.run).and_then(|fact| fact.key.as_ref()) {
            Some(key) => key.verify(code),
            None => self.keys.verify(code),
        }
    }

    /// The door: whether the caller may say this, as far as facts that never change tell.
    async fn admit(
        &self,
        caller: &Caller,
        at: usize,
        event: &Event,
        (owners, made): (&[OrganizationId], &[OrganizationId]),
        now_ms: i64,
    ) -> Result<(), CaptureError> {
        if event.event_time_ms > now_ms + CLOCK_SKEW_MS_MAX {
            let detail = "found a time to come, expected at most one day after now".to_owned();
            return Err(CaptureError::Invalid { event: at, field: "eventTime", detail });
        }
        for saying in sayings(event) {
            let owners = if saying == Saying::Make { made } else { owners };
            let own = if saying == Saying::DeclareError {
                self.may_declare(caller, event.hash).await?
            } else {
                owners.iter().all(|owner| *owner == caller.organization)
            };
            // Of goods that are not in this service anybody may say anything; it changes nothing here.
            let foreign = owners.is_empty() && caller.role != Role::Admin && saying != Saying::DeclareError;
            if !foreign && !authority::may_say(saying, caller.role, own) {
                let detail = format!(
                    "{saying:?} was said with the role {:?} of {}; see the table of authority for who may say it",
                    caller.role,
                    if own { "its own organization's goods or records" } else { "others' goods or records" },
                );
                return Err(CaptureError::Forbidden { event: at, detail });
            }
        }
        Ok(())
    }

    /// Counts the labels that a declaration makes live again, where what it voids is there and it is new itself.
    async fn count_labels(
        &self,
        caller: &Caller,
        at: usize,
        event: &Event,
        facts: &Facts,
        effects: &mut Effects,
    ) -> Result<(), CaptureError> {
        let declares_void = event.error_declaration.is_some() && event.biz_step == Some(BizStep::Decommissioning);
        if !declares_void
            || self.store.records_of_event(event.hash, 1).await?.is_empty()
            || self.store.record(record_id(caller.organization, &event.body)).await?.is_some()
        {
            return Ok(());
        }
        for span in event.spans() {
            if let Some(fact) = facts.run(span.run()).filter(|fact| !fact.run.split) {
                effects.take_back(at, &fact.run, span.codes())?;
            }
        }
        Ok(())
    }

    /// Reports on others' goods grow their ledgers: so many an organization and subject. Issuers, inspectors and measures
    /// are exempt.
    fn count_growth(
        &self,
        caller: &Caller,
        at: usize,
        event: &Event,
        owners: &[OrganizationId],
        effects: &mut Effects,
    ) -> Result<(), CaptureError> {
        let own = owners.iter().all(|owner| *owner == caller.organization);
        if own || caller.role == Role::Inspector || event.set.iter().chain(&event.unset).any(authority::is_measure) {
            return Ok(());
        }
        let classes = event.lists().into_iter().flat_map(|(_, goods)| goods.own_classes());
        let classes = classes.map(|class| subject_of(&class.class));
        let spans = event.spans().flat_map(|span| cut(&span)).map(|(subject, _)| subject);
        for subject in classes.chain(spans) {
            let counted = self.growth.count(&mut effects.growth, caller.organization, &subject, at);
            counted.map_err(|retry_after_s| CaptureError::TooMany { event: at, retry_after_s })?;
        }
        Ok(())
    }

    /// Whether a declaration by this caller could void anything, as far as the records that are known already tell.
    async fn may_declare(&self, caller: &Caller, event: EventHash) -> store::Result<bool> {
        if caller.role == Role::Inspector {
            return Ok(true);
        }
        let mut others = false;
        for id in self.store.records_of_event(event, EVENT_RECORDS_MAX).await? {
            let Some(record) = self.store.record(id).await? else { continue };
            // A declaration shares its event's id and is nobody's target: a stranger's must not keep the owner's out.
            if self.event_of(&record)?.error_declaration.is_some() {
                continue;
            }
            if record.organization == caller.organization && record.role != Role::Inspector {
                return Ok(true);
            }
            others = true;
        }
        Ok(!others)
    }

    /// A run and the GTIN under which its codes stand; `None` where it was never issued.
    pub(in crate::service) async fn run_and_gtin(&self, id: RunId) -> store::Result<Option<(Run, Option<Gtin>)>> {
        let Some(run) = self.run(id).await? else { return Ok(None) };
        let gtin = self.gtin_of(&run).await?;
        Ok(Some((run, gtin)))
    }

    /// The GTIN under which a run's codes stand.
    pub async fn gtin_of(&self, run: &Run) -> store::Result<Option<Gtin>> {
        let Some(product) = self.batch(run.batch.0).await?.and_then(|batch| batch.product) else { return Ok(None) };
        Ok(match self.statement(Kind::Product, product.0).await?.map(|statement| statement.content) {
            Some(Content::Product(product)) => product.gtin,
            _ => None,
        })
    }

    /// A run that was issued.
    pub async fn run(&self, id: RunId) -> store::Result<Option<Run>> {
        Ok(match self.statement(Kind::Run, id.bits().into()).await?.map(|statement| statement.content) {
            Some(Content::Run(run)) => Some(run),
            _ => None,
        })
    }

    pub(in crate::service) async fn batch(&self, id: u64) -> store::Result<Option<Batch>> {
        Ok(match self.statement(Kind::Batch, id).await?.map(|statement| statement.content) {
            Some(Content::Batch(batch)) => Some(batch),
            _ => None,
        })
    }
}

/// Codes of a split run come into being by splits alone, which know what the package holds.
fn refuse_portions(at: usize, event: &Event, facts: &Facts) -> Result<(), CaptureError> {
    let creates = sayings(event).contains(&Saying::Create);
    let goods: &[Span] = if creates { &event.goods.spans } else { &[] };
    let outputs: &[Span] = if event.error_declaration.is_some() { &[] } else { &event.outputs.spans };
    let portion = goods.iter().chain(outputs).find(|span| facts.run(span.run()).is_some_and(|fact| fact.run.split));
    match portion {
        None => Ok(()),
        Some(span) => {
            let detail = format!(
                "found codes of run {} made or applied, which is a split run; expected `POST /v1/splits` to do that",
                span.run()
            );
            Err(CaptureError::Forbidden { event: at, detail })
        }
    }
}

/// What an event says of its goods, and of its outputs where there are any.
fn sayings(event: &Event) -> Vec<Saying> {
    let said = |of| Said {
        of,
        action: event.action,
        biz_step: event.biz_step.as_ref(),
        disposition: event.disposition.as_ref(),
        set: &event.set,
        unset: &event.unset,
        declares_error: event.error_declaration.is_some(),
    };
    let mut sayings = authority::sayings(said(SaidOf::goods(event.kind)));
    if event.kind == EventKind::Transformation {
        let of_outputs = authority::sayings(said(SaidOf::Outputs));
        sayings.extend(of_outputs.into_iter().filter(|saying| *saying == Saying::Make));
    }
    sayings
}

/// Whose goods an event speaks of: the issuers of its codes, the importers of its batches.
fn owners(at: usize, event: &Event, facts: &Facts) -> Result<Vec<OrganizationId>, CaptureError> {
    let mut owners = Vec::new();
    let add = |owners: &mut Vec<_>, owner: OrganizationId| {
        if !owners.contains(&owner) {
            owners.push(owner);
        }
    };
    for span in event.spans() {
        let Some(fact) = facts.run(span.run()) else {
            let detail = format!("found codes of run {}, expected an issued run", span.run());
            return Err(CaptureError::Invalid { event: at, field: "cp:spans", detail });
        };
        add(&mut owners, fact.run.organization);
    }
    for (list, goods) in event.lists() {
        for class in &goods.classes {
            let Class::Batch(id) = class.class else { continue };
            let Some(Some(batch)) = facts.batches.get(&id.0) else {
                let detail = format!("found batch {id}, expected a registered batch");
                return Err(CaptureError::Invalid { event: at, field: list.quantities(), detail });
            };
            add(&mut owners, batch.organization);
        }
    }
    Ok(owners)
}
