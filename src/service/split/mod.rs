//! Splits (拆包): a shop opens a package and sells what is in it in portions, each with a code of its own.
//!
//! The codes are those of the shop's open split run of the batch, taken from 0 upward. They do not count against the
//! batch's quantity: what may be split off is bounded by what the package holds.

mod case;
mod run;

use std::sync::Arc;

use jiff::civil::Date;

pub(in crate::service) use self::run::OPEN_CLAIMS;
use self::run::Taken;
use super::{Caller, Service, quarantine::Quarantined};
use crate::{
    code::{Code, RunKey, Serial},
    epcis::{
        BizStep, Disposition, DocumentError, Event,
        shapes::{self, BatchFacts as EventFacts, BatchSpan, CodeStep, Movement, NamedGoods, Occasion, Transformation},
    },
    limits::{CLOCK_SKEW_MS_MAX, SPLIT_PORTIONS_MAX},
    registration::{Amounts, Quantity, Run},
    store,
    trace::{EventHash, Role, State},
};

/// A package to be split.
#[derive(Clone, Debug, PartialEq)]
pub struct SplitOrder {
    /// The code on it.
    pub parent: Code,
    /// Into how many portions, 1 to `SPLIT_PORTIONS_MAX`.
    pub portions: u32,
    /// What each of them holds; `None` for what an item of the product holds by its packaging.
    pub weight: Option<Quantity>,
    /// The last day on which they may be used; that of the package where left out.
    pub expiry: Option<Date>,
    /// When it was split, milliseconds since 1970-01-01 UTC; now where left out.
    pub at_ms: Option<i64>,
    /// What becomes of the rest.
    pub remainder: Remainder,
}

/// What becomes of what is left in a package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Remainder {
    /// It stays where it is, opened; more may be split off later.
    #[default]
    Kept,
    /// It is destroyed, with the package.
    Destroyed,
}

/// Portions, as a split is answered.
#[derive(Clone, Debug)]
pub struct Split {
    /// The shop's run.
    pub run: Run,
    /// What makes its codes.
    pub key: RunKey,
    /// The first portion's serial.
    pub first: Serial,
    /// The last portion's serial.
    pub last: Serial,
    /// The public ids of the events, in order.
    pub events: Vec<EventHash>,
}

/// Why a package was not split. Nothing was written; serials of portions may be lost.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// A role that has no goods.
    #[error("found a key with the role {0:?}, expected an operator's or an importer's")]
    Role(Role),
    /// The code proves nothing, or was never issued.
    #[error("found {0}, expected a code that was issued")]
    NotIssued(Code),
    /// Too few or too many portions.
    #[error("found {found} portions, expected 1 to {SPLIT_PORTIONS_MAX}")]
    Portions {
        /// How many.
        found: u32,
    },
    /// The caller does not have the package, as far as shippers and receivers agree.
    #[error("{0} is held by another organization, as far as shippers and receivers agree; receive it first")]
    NotHeld(Code),
    /// The package is in a state in which nobody opens it.
    #[error("{parent} is {}, expected goods that are in store or on sale", state.word())]
    State {
        /// The package.
        parent: Code,
        /// Where it is in its life.
        state: State,
    },
    /// A hold or recall stands on it.
    #[error("a hold or recall stands on {0}")]
    Measured(Code),
    /// Nothing says what the package holds.
    #[error("nothing says what {0} holds: neither its run nor the product's packaging")]
    NoContent(Code),
    /// Nothing says what an item holds.
    #[error("the product's packaging does not say what an item holds; give the weight of a portion")]
    NoItemContent,
    /// More than there is in the package.
    #[error(
        "found {portions} portions of {weight}, expected at most {room}: {parent} holds {content}, of which {out} were split off before"
    )]
    Weight {
        /// The package.
        parent: Code,
        /// How many.
        portions: u32,
        /// What each holds.
        weight: Quantity,
        /// How many may still be split off.
        room: u64,
        /// What the package held.
        content: Quantity,
        /// What was split off before, each dimension by itself.
        out: String,
    },
    /// A weight that cannot be compared with what the package holds.
    #[error("found {weight}, expected a unit that converts to that of {content}")]
    Incomparable {
        /// What each holds.
        weight: Quantity,
        /// What the package held.
        content: Quantity,
    },
    /// A portion would outlast the package.
    #[error("found {found}, expected a day no later than the package's, {parents}")]
    Expiry {
        /// The day given.
        found: Date,
        /// The last day of the package.
        parents: Date,
    },
    /// A time to come, or before the caller had the package.
    #[error("found a time {0}")]
    Time(&'static str),
    /// Every key of the ring is retired, or has no run number left.
    #[error("no key of the key ring can issue: every one is retired or used up; add one with `coldproof keygen`")]
    NoKey,
    /// The store was restored and not released yet.
    #[error(transparent)]
    Quarantine(#[from] Quarantined),
    /// The event could not be made.
    #[error(transparent)]
    Event(#[from] DocumentError),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] store::Error),
}

type Result<T> = std::result::Result<T, SplitError>;

impl Service {
    /// Splits a package that the caller has into portions of its open split run, which the first split opens.
    ///
    /// # Errors
    /// Why it is refused; no portion comes into being then.
    pub async fn split(self: &Arc<Self>, caller: &Caller, order: SplitOrder) -> Result<Split> {
        if !matches!(caller.role, Role::Operator | Role::Importer) {
            return Err(SplitError::Role(caller.role));
        }
        if !(1..=SPLIT_PORTIONS_MAX).contains(&order.portions) {
            return Err(SplitError::Portions { found: order.portions });
        }
        let (service, caller) = (Arc::clone(self), *caller);
        // On a task of its own: a client that hangs up must not free the lock before the portions are written.
        let task = tokio::spawn(async move {
            let run = service.parent_run(&order.parent).await?;
            // Two splits of one package at the same time would both find room.
            let split = service.split_in_turn(&caller, &order, &run);
            service.in_turn(&service.issuing, [run.batch], split).await
        });
        task.await.unwrap_or_else(|error| Err(store::Error::Unavailable(error.to_string()).into()))
    }

    async fn split_in_turn(&self, caller: &Caller, order: &SplitOrder, parent_run: &Run) -> Result<Split> {
        let now_ms = self.now_ms();
        let case = self.case(caller, &order.parent, parent_run).await?;
        if order.at_ms.is_some_and(|at_ms| at_ms > now_ms + CLOCK_SKEW_MS_MAX) {
            return Err(SplitError::Time("to come, expected at most one day after now"));
        }
        if order.at_ms.is_some_and(|at_ms| at_ms <= case.held_ms) {
            return Err(SplitError::Time("before the package came to you, expected one after that"));
        }
        let weight = order.weight.clone().or_else(|| case.item_content.clone()).ok_or(SplitError::NoItemContent)?;
        case.check_weight(order, &weight)?;
        if let (Some(found), Some(parents)) = (order.expiry, case.expiry)
            && found > parents
        {
            return Err(SplitError::Expiry { found, parents });
        }
        if let Some(quarantined) = self.quarantined().await? {
            return Err(quarantined.into());
        }
        let taken = self.take_portions(caller.organization, parent_run.batch, order.portions).await?;
        // Clocks differ: the package is opened after it came, whatever the time.
        let at_ms = order.at_ms.unwrap_or(now_ms.max(case.held_ms + 1));
        // Codes are there before they are used; at the same time neither would come first.
        let mut events = self.opening_events(&taken, at_ms - 1)?;
        events.extend(self.split_events(order, &taken, &weight, order.expiry.or(case.expiry), at_ms)?);
        let statements = taken.opened.iter().map(run::statement).collect();
        let captured = self.commit_events(caller, &events, statements, now_ms).await?;
        let Taken { run, key, first, last, .. } = taken;
        Ok(Split { run, key, first, last, events: captured.events })
    }

    /// The event that issues the codes of a run that this split opens.
    fn opening_events(&self, taken: &Taken, at_ms: i64) -> Result<Vec<Event>> {
        let Some(run) = &taken.opened else { return Ok(Vec::new()) };
        let last = Serial::new(run.count.saturating_sub(1)).unwrap_or(Serial::FIRST);
        let all = BatchSpan { batch: run.batch, first: taken.key.code(Serial::FIRST), last: taken.key.code(last) };
        Ok(vec![shapes::codes(&self.occasion(at_ms), CodeStep::Issued, &[all], &self.hosts)?])
    }

    /// The split itself, and what becomes of the package.
    fn split_events(
        &self,
        order: &SplitOrder,
        taken: &Taken,
        weight: &Quantity,
        expiry: Option<Date>,
        at_ms: i64,
    ) -> Result<[Event; 2]> {
        let span = |first, last| NamedGoods {
            spans: vec![BatchSpan { batch: taken.run.batch, first, last }],
            ..NamedGoods::default()
        };
        let amount = |quantity: &Quantity| (quantity.value.to_number(), quantity.uom.to_string());
        let mut all = Amounts::default();
        all.add(weight, order.portions.into());
        let occasion: Occasion = self.occasion(at_ms);
        let parent = span(order.parent, order.parent);
        let transformation = Transformation {
            inputs: parent.clone(),
            outputs: span(taken.key.code(taken.first), taken.key.code(taken.last)),
            id: None,
            disposition: Some(Disposition::Active),
            facts: EventFacts {
                expiry: expiry.map(|day| (day.to_string(), day.to_string())),
                content: Some(amount(weight)),
                net_weight: all.quantities().first().map(amount),
                ..EventFacts::default()
            },
        };
        let (biz_step, disposition) = match order.remainder {
            Remainder::Kept => (BizStep::Repackaging, Disposition::ContainerOpen),
            Remainder::Destroyed => (BizStep::Destroying, Disposition::Destroyed),
        };
        let rest = Movement {
            biz_step,
            disposition: Some(disposition),
            goods: parent,
            from: None,
            to: None,
            biz_location: None,
            transactions: Vec::new(),
        };
        Ok([
            shapes::transformation(&occasion, &transformation, &self.hosts)?,
            shapes::movement(&occasion, &rest, &self.hosts)?,
        ])
    }
}
