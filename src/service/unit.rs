//! Units: SSCCs from an organization's prefix, and what is known of one unit.

use super::{
    Basis, Caller, Service,
    capture::{CaptureError, Captured},
    contents::Contents,
    gather::{Gathered, TimelineLine, Units},
    whereabouts::{Held, held},
};
use crate::{
    code::{Gs1Prefix, Sscc, sscc_epc},
    epcis::{Action, shapes},
    limits::{STOCK_LINES_MAX, UNITS_MADE_MAX},
    store,
    trace::{BatchId, Bearing, Entry, Instance, Ledger, OrganizationId, Owners, PartyId, Role, Status, WholeStatus},
};

/// Why no units were made. Nothing was written, but numbers may be lost.
#[derive(Debug, thiserror::Error)]
pub enum UnitError {
    /// A count out of range.
    #[error("found a count of {found}, expected 1 to {UNITS_MADE_MAX}")]
    Count {
        /// What was ordered.
        found: u32,
    },
    /// Nothing to number them from.
    #[error(
        "organization {0} has no GS1 Company Prefix to number SSCCs from; an admin sets its gs1_prefix. Until then an \
         importer packs into codes of a run of level case"
    )]
    NoPrefix(OrganizationId),
    /// The prefix has fewer numbers left.
    #[error(
        "the GS1 Company Prefix {prefix} has {left} SSCCs left, and {count} were ordered; a further prefix is needed"
    )]
    UsedUp {
        /// The prefix.
        prefix: Gs1Prefix,
        /// How many it has left.
        left: u64,
        /// How many were ordered.
        count: u32,
    },
    /// Their event may not be captured.
    #[error(transparent)]
    Capture(#[from] CaptureError),
}

impl From<store::Error> for UnitError {
    fn from(error: store::Error) -> Self {
        Self::Capture(error.into())
    }
}

/// Units that were numbered.
#[derive(Clone, Debug)]
pub struct MadeUnits {
    /// Their numbers, ascending.
    pub units: Vec<Sscc>,
    /// The capture of the event that says so.
    pub captured: Captured,
}

/// Codes that are inside of a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct InsideCodes {
    /// Their batch.
    pub batch: BatchId,
    /// Which, and what became of them.
    pub held: Held,
}

/// What is known of one unit.
#[derive(Clone, Debug)]
pub struct UnitFacts {
    /// Whose unit it is.
    pub owner: OrganizationId,
    /// What follows of it.
    pub status: Status,
    /// What was said of it and of the units around it, in the order of the fold.
    pub lines: Vec<TimelineLine>,
    /// Own codes that are inside now, at most `STOCK_LINES_MAX` lines.
    pub codes: Vec<InsideCodes>,
    /// How many lines more there are.
    pub codes_further: usize,
    /// Units that are inside now, directly or in others.
    pub units: Vec<String>,
}

/// A unit by itself.
pub(super) struct OneUnit {
    pub(super) owner: OrganizationId,
    pub(super) gathered: Gathered,
}

impl Service {
    /// Numbers so many new units of the caller's organization, and says so in an event.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn make_units(&self, caller: &Caller, count: u32) -> Result<MadeUnits, UnitError> {
        if !(1..=UNITS_MADE_MAX).contains(&count) {
            return Err(UnitError::Count { found: count });
        }
        let organization = self.organization(caller.organization, &mut Basis::default()).await?;
        let prefix = organization.gs1_prefix.ok_or(UnitError::NoPrefix(organization.id))?;
        let numbers = self.lease_units(prefix, count.into()).await?;
        let numbers = numbers.map_err(|left| UnitError::UsedUp { prefix, left, count })?;
        let units: Vec<Sscc> = numbers.filter_map(|number| prefix.sscc(number)).collect();
        let uris: Vec<String> = units.iter().copied().map(sscc_epc).collect();
        let event = shapes::units(&self.occasion(self.now_ms()), &uris, &self.hosts).map_err(CaptureError::Document)?;
        let captured = self.capture_canonical(caller, &event.body).await?;
        Ok(MadeUnits { units, captured })
    }

    /// What a caller may know of a unit, or of a case by its code: all, for inspectors and whoever has or had something to
    /// do with it; its own goods, for whoever has goods inside; `None` for anybody else.
    ///
    /// # Errors
    /// Where the store fails, or more is inside than can be told.
    pub async fn unit_facts(&self, caller: &Caller, unit: &Instance) -> store::Result<Option<UnitFacts>> {
        let Some(OneUnit { owner, gathered }) = self.one_unit(unit).await? else { return Ok(None) };
        let Gathered { lines, status } = gathered;
        let mut facts = UnitFacts { owner, status, lines, codes: Vec::new(), codes_further: 0, units: Vec::new() };
        let sees_all = caller.role == Role::Inspector || facts.concern(caller.organization);
        let contents = self.with_contents(Contents::of(unit)).await?;
        let mut units = Units::default();
        for (run, spans) in contents.by_run() {
            let Some(run) = self.run(run).await? else { continue };
            let Some((importer, whole)) = self.whole_status(run.batch).await? else { continue };
            let owners = Owners { issuer: run.organization, importer };
            let ledger = Ledger::new(self.span_entries(&spans).await?);
            let own = run.organization == caller.organization || importer == caller.organization;
            let meet = |span, Gathered { status, .. }: &Gathered| {
                if (own || sees_all) && is_inside(status, unit) {
                    facts.add(InsideCodes { batch: run.batch, held: held(span, status) });
                }
            };
            self.fold_spans(&spans, &ledger, &whole, owners, &mut units, meet).await?;
        }
        if !sees_all {
            return Ok((!facts.codes.is_empty()).then_some(facts));
        }
        for epc in contents.epcs {
            let inner = Instance::Epc(epc);
            if let Some(OneUnit { gathered, .. }) = self.one_unit(&inner).await?
                && is_inside(&gathered.status, unit)
                && let Instance::Epc(epc) = inner
            {
                facts.units.push(epc);
            }
        }
        Ok(Some(facts))
    }

    /// A unit with what was said of it; `None` where nothing was.
    pub(super) async fn one_unit(&self, unit: &Instance) -> store::Result<Option<OneUnit>> {
        let entries = self.instance_entries(unit, i64::MIN).await?;
        let Some(owner) = self.owner_of(unit, &entries).await? else { return Ok(None) };
        let (own, whole): (Vec<_>, _) = (entries.iter().collect(), WholeStatus::default());
        let (mut units, mut basis) = (Units::default(), Basis::default());
        let gathered = self.gather(&own, &whole, Owners::one(owner), &mut units, &mut basis).await?;
        Ok(Some(OneUnit { owner, gathered }))
    }

    /// Whose a unit is: of an SSCC from a prefix known here, the prefix's; of a code, its issuer's; otherwise whoever was the
    /// first to tell this service that the unit was made or packed. Event times play no part: anybody may claim an early one.
    async fn owner_of(&self, unit: &Instance, entries: &[Entry]) -> store::Result<Option<OrganizationId>> {
        let sscc = match unit {
            Instance::Code { run, serial } => {
                let run = self.run(*run).await?.filter(|run| serial.get() < run.count);
                return Ok(run.map(|run| run.organization));
            }
            Instance::Epc(uri) => uri.strip_prefix("https://id.gs1.org/00/").and_then(|sscc| sscc.parse().ok()),
        };
        let Some(first) = entries
            .iter()
            .min_by_key(|entry| (entry.action != Some(Action::Add), entry.record_time_ms, entry.place.record))
        else {
            return Ok(None);
        };
        let of_prefix = match &sscc {
            Some(sscc) => self.organization_of_sscc(sscc).await?,
            None => None,
        };
        Ok(of_prefix.or(Some(first.organization)))
    }
}

impl UnitFacts {
    /// Whether an organization has something to do with the unit: it is its own, in its hands, or what it said of it,
    /// or others said of handing it over to it, took effect.
    fn concern(&self, organization: OrganizationId) -> bool {
        let party = Some(PartyId::Organization(organization));
        let effective = self.lines.iter().filter(|line| line.bearing == Bearing::Effective).map(|line| &line.entry);
        let mut concerning = effective.filter(|entry| {
            entry.organization == organization || entry.hand_over.to == party || entry.hand_over.owner == party
        });
        self.owner == organization || self.status.holder == organization || concerning.next().is_some()
    }

    fn add(&mut self, inside: InsideCodes) {
        let same_batch = self.codes.last().is_some_and(|last| last.batch == inside.batch);
        if let Some(last) = self.codes.last_mut().filter(|_| same_batch && self.codes_further == 0)
            && inside.held.joins(std::slice::from_mut(&mut last.held))
        {
            return;
        }
        if self.codes.len() < STOCK_LINES_MAX {
            self.codes.push(inside);
        } else {
            self.codes_further += 1;
        }
    }
}

/// Whether something is inside of a unit now, directly or in another.
fn is_inside(status: &Status, unit: &Instance) -> bool {
    status.stays.iter().any(|stay| stay.until_ms.is_none() && stay.unit == *unit)
}
