//! Whose word counts: one table of what is said by which role, used at the door and in the fold.
//!
//! The door ([`may_say`]) looks only at facts that never change, so that acceptance does not depend on the order in
//! which documents arrive. The fold ([`has_effect`]) decides what an accepted entry changes.

use super::{Entry, OrganizationId, Role, Scope};
use crate::epcis::{Action, BizStep, Disposition};

/// What an entry says, as far as rights go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Saying {
    /// A batch is registered (`creating_class_instance`), or codes come into being (`reserving`, `commissioning`, any ADD).
    Create,
    /// Labels are declared void (`decommissioning`).
    Void,
    /// A hold or recall is set.
    SetMeasure,
    /// A hold or recall is lifted.
    LiftMeasure,
    /// Goods are destroyed (`destroying`, `destroyed`).
    Destroy,
    /// Anything else that moves, keeps, sells or looks at goods.
    Report,
    /// An event is declared in error.
    DeclareError,
}

/// What a saying is worth in one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Refused at the door with 403.
    Refused,
    /// Kept and shown as a report; changes nothing.
    Report,
    /// Counts on the goods of its own organization, refused at the door on others'.
    OwnOnly,
    /// Counts on the goods of its own organization, a report on others'.
    OwnElseReport,
    /// Counts on everybody's goods.
    Effect,
}

/// The whole table; `docs/spec/authority.md` shows it to people and a test compares the two.
pub const fn right(saying: Saying, role: Role) -> Right {
    use Right::{Effect, OwnElseReport, OwnOnly, Refused, Report};

    match (saying, role) {
        (_, Role::Admin) => Refused,
        (Saying::Create, Role::Importer) => OwnOnly,
        (Saying::Create, Role::Operator | Role::Inspector) => Refused,
        (Saying::Void | Saying::SetMeasure | Saying::LiftMeasure, Role::Operator) => Report,
        (Saying::Destroy | Saying::Report, Role::Operator) => OwnElseReport,
        (
            Saying::Void | Saying::SetMeasure | Saying::LiftMeasure | Saying::Destroy | Saying::Report,
            Role::Importer,
        ) => OwnElseReport,
        (
            Saying::Void | Saying::SetMeasure | Saying::LiftMeasure | Saying::Destroy | Saying::Report,
            Role::Inspector,
        ) => Effect,
        // On its own organization's records; which those are is looked up by whoever asks.
        (Saying::DeclareError, Role::Importer | Role::Operator) => OwnOnly,
        (Saying::DeclareError, Role::Inspector) => Effect,
    }
}

/// The parts of an event that decide what it says.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// ADD, OBSERVE or DELETE; a transformation has none.
    pub action: Option<Action>,
    /// The business step.
    pub biz_step: Option<&'a BizStep>,
    /// The disposition.
    pub disposition: Option<&'a Disposition>,
    /// Persistent dispositions set.
    pub set: &'a [Disposition],
    /// Persistent dispositions unset.
    pub unset: &'a [Disposition],
    /// Whether it declares an event in error.
    pub declares_error: bool,
}

/// Whether a persistent disposition is a measure: a hold or a recall.
pub fn is_measure(disposition: &Disposition) -> bool {
    matches!(disposition, Disposition::NonSellableOther | Disposition::Recalled)
}

/// What an event says; an event may say several things, and needs the right to each.
pub fn sayings(said: Said<'_>) -> Vec<Saying> {
    if said.declares_error {
        return vec![Saying::DeclareError];
    }
    let mut sayings = Vec::new();
    let creates = said.action == Some(Action::Add)
        || matches!(said.biz_step, Some(BizStep::CreatingClassInstance | BizStep::Commissioning | BizStep::Reserving));
    if creates {
        sayings.push(Saying::Create);
    }
    if matches!(said.biz_step, Some(BizStep::Decommissioning)) {
        sayings.push(Saying::Void);
    }
    if said.set.iter().any(is_measure) {
        sayings.push(Saying::SetMeasure);
    }
    if said.unset.iter().any(is_measure) {
        sayings.push(Saying::LiftMeasure);
    }
    if matches!(said.biz_step, Some(BizStep::Destroying)) || matches!(said.disposition, Some(Disposition::Destroyed)) {
        sayings.push(Saying::Destroy);
    }
    if sayings.is_empty() {
        sayings.push(Saying::Report);
    }
    sayings
}

/// Whether a role may say this of goods that are (`own`) or are not its organization's: the door.
pub fn may_say(saying: Saying, role: Role, own: bool) -> bool {
    match right(saying, role) {
        Right::Refused => false,
        Right::OwnOnly => own,
        Right::Report | Right::OwnElseReport | Right::Effect => true,
    }
}

/// Whether an entry changes the state or verdict of codes that `issuer` issued: the fold. Custody claims of
/// other organizations stand in the timeline as reports.
pub fn has_effect(entry: &Entry, issuer: OrganizationId) -> bool {
    if entry.scope == Scope::Some {
        return false;
    }
    let own = entry.organization == issuer;
    entry_sayings(entry).into_iter().all(|saying| match right(saying, entry.role) {
        Right::Refused | Right::Report => false,
        Right::OwnOnly | Right::OwnElseReport => own,
        Right::Effect => true,
    })
}

/// Whether a declaration voids a record: its own organization's, and an inspector's record only if an inspector made
/// the declaration; an inspector's declaration voids every record of the event.
pub fn voids(declaration: &Entry, record: &Entry) -> bool {
    let same = declaration.declares_error && !record.declares_error && declaration.event == record.event;
    let inspector = declaration.role == Role::Inspector;
    same && (inspector || (declaration.organization == record.organization && record.role != Role::Inspector))
}

/// What an entry says.
pub fn entry_sayings(entry: &Entry) -> Vec<Saying> {
    sayings(Said {
        action: entry.action,
        biz_step: entry.biz_step.as_ref(),
        disposition: entry.disposition.as_ref(),
        set: &entry.set,
        unset: &entry.unset,
        declares_error: entry.declares_error,
    })
}
