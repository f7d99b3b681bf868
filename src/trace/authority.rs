//! Whose word counts: one table of what is said by which role, used at the door and in the fold.
//!
//! The door ([`may_say`]) looks only at facts that never change, so that acceptance does not depend on the order in
//! which documents arrive. The fold ([`has_effect`]) decides what an accepted entry changes.

use super::{Entry, OrganizationId, Part, Role, Scope};
use crate::epcis::{Action, BizStep, Disposition, EventKind};

/// What an entry says, as far as rights go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Saying {
    /// A batch is registered (`creating_class_instance`), or codes come into being (`reserving`, `commissioning`, any ADD of
    /// an object event).
    Create,
    /// Labels are declared void (`decommissioning`).
    Void,
    /// A hold or recall is set.
    SetMeasure,
    /// A hold or recall is lifted.
    LiftMeasure,
    /// Goods are destroyed (`destroying`, `destroyed`).
    Destroy,
    /// Goods are consumed for others (the inputs of a transformation).
    Transform,
    /// Own codes come out of a transformation.
    Make,
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
        (Saying::Destroy | Saying::Transform | Saying::Report, Role::Operator) => OwnElseReport,
        (
            Saying::Void
            | Saying::SetMeasure
            | Saying::LiftMeasure
            | Saying::Destroy
            | Saying::Transform
            | Saying::Report,
            Role::Importer,
        ) => OwnElseReport,
        (
            Saying::Void
            | Saying::SetMeasure
            | Saying::LiftMeasure
            | Saying::Destroy
            | Saying::Transform
            | Saying::Report,
            Role::Inspector,
        ) => Effect,
        // Whose codes they are prints their labels: nobody else can make the goods under them, and an inspector makes none.
        (Saying::Make, Role::Importer | Role::Operator) => OwnOnly,
        (Saying::Make, Role::Inspector) => Refused,
        // On its own organization's records; which those are is looked up by whoever asks.
        (Saying::DeclareError, Role::Importer | Role::Operator) => OwnOnly,
        (Saying::DeclareError, Role::Inspector) => Effect,
    }
}

/// The parts of an event that decide what it says.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// What kind of event says it, and of which of its goods.
    pub of: SaidOf,
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

/// Of which goods something is said, as far as rights depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaidOf {
    /// The objects of an object event: its ADD creates.
    Objects,
    /// Goods of an aggregation, association or transaction event: its ADD joins what is there.
    Joined,
    /// The inputs of a transformation.
    Inputs,
    /// The outputs of a transformation.
    Outputs,
}

impl SaidOf {
    /// What an event of this type says of its own list of goods; its outputs are apart.
    pub fn goods(kind: EventKind) -> Self {
        match kind {
            EventKind::Object => Self::Objects,
            EventKind::Aggregation | EventKind::Association | EventKind::Transaction => Self::Joined,
            EventKind::Transformation => Self::Inputs,
        }
    }
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
    let creating_step =
        matches!(said.biz_step, Some(BizStep::CreatingClassInstance | BizStep::Commissioning | BizStep::Reserving));
    match said.of {
        SaidOf::Objects if creating_step || said.action == Some(Action::Add) => sayings.push(Saying::Create),
        SaidOf::Joined if creating_step => sayings.push(Saying::Create),
        SaidOf::Objects | SaidOf::Joined => {}
        // A creating step speaks of the outputs, and those are made in any case.
        SaidOf::Inputs => sayings.push(Saying::Transform),
        SaidOf::Outputs => sayings.push(Saying::Make),
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
    entry.scope != Scope::Some && is_by_right(entry, issuer)
}

/// Whether everything that an entry says of goods that `issuer` issued is said by right, however much of them it names.
pub fn is_by_right(entry: &Entry, issuer: OrganizationId) -> bool {
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

/// What an entry says. Of [`Part::Object`] it does not tell whether an object event, an association or a transaction is
/// behind it: an ADD is taken for one that creates, which gives nobody more rights.
pub fn entry_sayings(entry: &Entry) -> Vec<Saying> {
    sayings(Said {
        of: match entry.part {
            Part::Object => SaidOf::Objects,
            Part::Child(_) | Part::Parent { .. } | Part::Received(_) | Part::Joined => SaidOf::Joined,
            Part::Input => SaidOf::Inputs,
            Part::Output => SaidOf::Outputs,
        },
        action: entry.action,
        biz_step: entry.biz_step.as_ref(),
        disposition: entry.disposition.as_ref(),
        set: &entry.set,
        unset: &entry.unset,
        declares_error: entry.declares_error,
    })
}
