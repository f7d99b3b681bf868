//! The door: what is accepted, as far as facts that never change tell.

use std::collections::{HashMap, HashSet};

use super::{CaptureError, heavy};
use crate::{
    code::{Gtin, RunId, Verification},
    epcis::{BizStep, Class, DocumentError, Draft, Event, EventKind, Ruling},
    limits::{CLOCK_SKEW_MS_MAX, EVENT_RECORDS_MAX},
    registration::{Batch, Content, Kind, Run},
    service::{
        Basis, Caller, Service,
        issue::{Order, OrderError},
    },
    store,
    trace::{
        EventHash, OrganizationId, Role, Span,
        authority::{self, Said, SaidOf, Saying},
        cut, subject_of,
    },
};

/// What acceptance needs of runs and batches: facts that never change once they are there.
#[derive(Default)]
struct Facts {
    runs: HashMap<RunId, Option<(Run, Option<Gtin>)>>,
    batches: HashMap<u64, Option<Batch>>,
}

impl Service {
    /// Makes drafts events, if all of them may be captured by this caller.
    pub(super) async fn accept(
        &self,
        caller: &Caller,
        drafts: Vec<Draft<'_>>,
        bytes: usize,
        now_ms: i64,
    ) -> Result<Vec<Event>, CaptureError> {
        if drafts.is_empty() {
            return Err(CaptureError::Empty);
        }
        let mut facts = Facts::default();
        for run in drafts.iter().flat_map(Draft::codes).map(|code| code.code.run).collect::<HashSet<_>>() {
            let of_run = self.run_and_gtin(run).await?;
            facts.runs.insert(run, of_run);
        }
        let events = heavy(bytes, || {
            drafts.into_iter().map(|draft| self.seal(draft, &facts)).collect::<Result<Vec<Event>, DocumentError>>()
        })?;
        for class in events.iter().flat_map(Event::classes) {
            if let Class::Batch(id) = class.class
                && !facts.batches.contains_key(&id.0)
            {
                facts.batches.insert(id.0, self.batch(id.0).await?);
            }
        }
        for (at, event) in events.iter().enumerate() {
            self.admit(caller, at, event, &facts, now_ms).await?;
            self.admit_growth(caller, at, event, &facts, now_ms)?;
        }
        for (at, event) in events.iter().enumerate() {
            self.take_back_void(at, event, &facts).await?;
        }
        Ok(events)
    }

    /// Decides which codes are ours, and refuses those that claim it and are not.
    fn seal(&self, draft: Draft<'_>, facts: &Facts) -> Result<Event, DocumentError> {
        for code in draft.codes() {
            let proved = matches!(self.keys.verify(&code.code), Verification::Valid | Verification::Retired);
            if !proved && !code.claims_ours {
                continue;
            }
            let found = code.code.to_string();
            if !proved {
                return Err(draft.refuse(code, &found, "a code whose tag proves it"));
            }
            let Some(Some((run, gtin))) = facts.runs.get(&code.code.run) else {
                return Err(draft.refuse(code, &found, "a code that was issued"));
            };
            if code.code.serial.get() >= run.count {
                return Err(draft.refuse(code, &found, "a code that was issued"));
            }
            if code.gtin.is_some() && code.gtin != *gtin {
                return Err(draft.refuse(code, &found, "a code under the GTIN of its own product"));
            }
        }
        draft.check_quantities(|run| facts.runs.get(&run)?.as_ref().map(|(run, _)| run.batch))?;
        draft.seal(|code| match facts.runs.get(&code.code.run) {
            Some(Some((_, gtin))) if self.keys.verify(&code.code) != Verification::Forged => Ruling::Ours(*gtin),
            _ => Ruling::Foreign,
        })
    }

    /// The door: whether the caller may say this, as far as facts that never change tell.
    async fn admit(
        &self,
        caller: &Caller,
        at: usize,
        event: &Event,
        facts: &Facts,
        now_ms: i64,
    ) -> Result<(), CaptureError> {
        if event.event_time_ms > now_ms + CLOCK_SKEW_MS_MAX {
            let detail = "found a time to come, expected at most one day after now".to_owned();
            return Err(CaptureError::Invalid { event: at, field: "eventTime", detail });
        }
        let owners = owners(at, event, facts)?;
        refuse_portions(at, event, facts)?;
        // Whose codes come out of a transformation is asked apart.
        let made = event.outputs.spans.iter().filter_map(|span| Some(facts.run(span.run())?.organization)).collect();
        for saying in sayings(event) {
            let owners: &HashSet<OrganizationId> = if saying == Saying::Make { &made } else { &owners };
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

    /// Voiding labels frees their quantity for new ones. Declaring that in error takes it again: it is an order of so many
    /// codes, and refused where the batch has no room for them any more.
    async fn take_back_void(&self, at: usize, event: &Event, facts: &Facts) -> Result<(), CaptureError> {
        let declares_void = event.error_declaration.is_some() && event.biz_step == Some(BizStep::Decommissioning);
        if !declares_void || self.store.records_of_event(event.hash, 1).await?.is_empty() {
            return Ok(());
        }
        for span in event.spans() {
            let Some(run) = facts.run(span.run()).filter(|run| !run.split) else { continue };
            let Some(batch) = self.batch_facts(run.batch, &mut Basis::default()).await? else { continue };
            let order =
                Order { count: span.codes(), level: run.level, content: run.content.clone(), activate: run.activate };
            let _one_order_a_batch = self.issuing.lock(run.batch).await;
            match self.reserve(&batch, &order).await {
                Ok(()) => {}
                Err(OrderError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    let detail = format!("the labels were replaced by others in the meantime: {error}");
                    return Err(CaptureError::Forbidden { event: at, detail });
                }
            }
        }
        Ok(())
    }

    /// Reports on others' goods grow their ledgers: so many an organization and subject. Issuers, inspectors and measures
    /// are exempt.
    fn admit_growth(
        &self,
        caller: &Caller,
        at: usize,
        event: &Event,
        facts: &Facts,
        now_ms: i64,
    ) -> Result<(), CaptureError> {
        let own = owners(at, event, facts)?.iter().all(|owner| *owner == caller.organization);
        if own || caller.role == Role::Inspector || event.set.iter().chain(&event.unset).any(authority::is_measure) {
            return Ok(());
        }
        let classes = event.lists().into_iter().flat_map(|(_, goods)| goods.own_classes());
        let classes = classes.map(|class| subject_of(&class.class));
        let spans = event.spans().flat_map(|span| cut(&span)).map(|(subject, _)| subject);
        for subject in classes.chain(spans) {
            if let Err(retry_after_s) = self.growth.admit(caller.organization, &subject, now_ms) {
                return Err(CaptureError::TooMany { event: at, retry_after_s });
            }
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
    pub(super) async fn run_and_gtin(&self, id: RunId) -> store::Result<Option<(Run, Option<Gtin>)>> {
        let run = self.statement(Kind::Run, u64::from(id.bits())).await?.map(|statement| statement.content);
        let Some(Content::Run(run)) = run else { return Ok(None) };
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

    pub(in crate::service) async fn batch(&self, id: u64) -> store::Result<Option<Batch>> {
        Ok(match self.statement(Kind::Batch, id).await?.map(|statement| statement.content) {
            Some(Content::Batch(batch)) => Some(batch),
            _ => None,
        })
    }
}

impl Facts {
    /// A run that was issued.
    fn run(&self, id: RunId) -> Option<&Run> {
        self.runs.get(&id)?.as_ref().map(|(run, _)| run)
    }
}

/// Codes of a split run come into being by splits alone, which know what the package holds.
fn refuse_portions(at: usize, event: &Event, facts: &Facts) -> Result<(), CaptureError> {
    let creates = sayings(event).contains(&Saying::Create);
    let goods: &[Span] = if creates { &event.goods.spans } else { &[] };
    let outputs: &[Span] = if event.error_declaration.is_some() { &[] } else { &event.outputs.spans };
    let portion = goods.iter().chain(outputs).find(|span| facts.run(span.run()).is_some_and(|run| run.split));
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
fn owners(at: usize, event: &Event, facts: &Facts) -> Result<HashSet<OrganizationId>, CaptureError> {
    let mut owners = HashSet::new();
    for span in event.spans() {
        let Some(run) = facts.run(span.run()) else {
            let detail = format!("found codes of run {}, expected an issued run", span.run());
            return Err(CaptureError::Invalid { event: at, field: "cp:spans", detail });
        };
        owners.insert(run.organization);
    }
    for (list, goods) in event.lists() {
        for class in &goods.classes {
            let Class::Batch(id) = class.class else { continue };
            let Some(Some(batch)) = facts.batches.get(&id.0) else {
                let detail = format!("found batch {id}, expected a registered batch");
                return Err(CaptureError::Invalid { event: at, field: list.quantities(), detail });
            };
            owners.insert(batch.organization);
        }
    }
    Ok(owners)
}
