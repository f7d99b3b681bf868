//! From a record to its entries: which ledgers it goes to, and what they keep of it.

use super::{Block, Entry, HandOver, Instance, Part, PartyId, Place, Record, Scope, Span, Subject, cut};
use crate::epcis::{BizStep, Class, ClassQuantity, Disposition, Event, EventKind, Goods, Party};

/// The entries of a record, in a fixed order: a pure function of the record, so that they can be made again at any time.
/// `event` is what the record's body says.
pub fn entries_of(record: &Record, event: &Event) -> Vec<(Subject, Entry)> {
    let goods = match (event.kind, &event.parent) {
        (EventKind::Aggregation, Some(parent)) => Part::Child(parent.clone()),
        (EventKind::Transformation, _) => Part::Input,
        (EventKind::Object, _) => Part::Object,
        _ => Part::Joined,
    };
    let parent = match event.kind {
        EventKind::Aggregation => Part::Parent { all: event.goods.is_empty() },
        _ => Part::Joined,
    };
    let named = subjects_of(&event.goods, event).map(|(subject, scope)| (subject, scope, goods.clone()));
    let made = subjects_of(&event.outputs, event).map(|(subject, scope)| (subject, scope, Part::Output));
    let parent = event.parent.iter().map(|instance| {
        let (subject, scope) = subject_of_instance(instance);
        (subject, scope, parent.clone())
    });
    // What makes several events one transformation leads from each to the others.
    let joined = event.transformation_id.iter().map(|id| (Subject::Epc(id.clone()), Scope::All, Part::Joined));
    let received = received(record, event);
    (0..)
        .zip(named.chain(made).chain(parent).chain(joined).chain(received))
        .map(|(ordinal, (subject, scope, part))| {
            let place = Place { event_time_ms: record.event_time_ms, record: record.id, ordinal };
            (subject, entry(record, event, place, scope, part))
        })
        .collect()
}

/// What the organization received by the record, whole: its ledger tells where to look for what it has. Custody passes
/// by such records alone ([`receives`]).
fn received<'e>(record: &Record, event: &'e Event) -> impl Iterator<Item = (Subject, Scope, Part)> + use<'e> {
    let party = Subject::Party(record.organization);
    let event = Some(event).filter(|event| receives(event) && event.error_declaration.is_none());
    event.into_iter().flat_map(move |event| {
        let party = party.clone();
        let spans = event.goods.spans.iter().map(|span| (Scope::Span(*span), None));
        let epcs = event.goods.epcs.iter().map(|epc| (Scope::All, Some(Box::from(epc.as_str()))));
        let parent = event.parent.iter().map(|parent| match parent {
            Instance::Code { run, serial } => (Scope::Span(Span::single(*run, *serial)), None),
            Instance::Epc(uri) => (Scope::All, Some(Box::from(uri.as_str()))),
        });
        spans.chain(epcs).chain(parent).map(move |(scope, epc)| (party.clone(), scope, Part::Received(epc)))
    })
}

/// Whether custody may pass to whoever says this: goods are received, or taken back.
pub fn receives(event: &Event) -> bool {
    matches!(event.biz_step, Some(BizStep::Receiving | BizStep::Accepting))
        || matches!(event.disposition, Some(Disposition::Returned))
}

fn subjects_of<'e>(goods: &'e Goods, event: &'e Event) -> impl Iterator<Item = (Subject, Scope)> + 'e {
    let spans = goods.spans.iter().flat_map(cut).map(|(subject, span)| (subject, Scope::Span(span)));
    let classes = goods.own_classes().iter().map(|class| (subject_of(&class.class), scope_of(class, event)));
    let others = goods.epcs.iter().map(|epc| (Subject::Epc(epc.clone()), Scope::All));
    spans.chain(classes).chain(others)
}

/// The subject whose ledger a class-level report goes to.
pub fn subject_of(class: &Class) -> Subject {
    match class {
        Class::Batch(id) => Subject::Batch(*id),
        Class::Lot { gtin, lot } => Subject::Lot { gtin: gtin.to_string(), lot: lot.to_string() },
        Class::Other(uri) => Subject::Epc(uri.clone()),
    }
}

/// The subject whose ledger tells of one thing, and what its entries there speak of.
fn subject_of_instance(instance: &Instance) -> (Subject, Scope) {
    match instance {
        Instance::Code { run, serial } => {
            (Subject::Block(Block::of(*run, *serial)), Scope::Span(Span::single(*run, *serial)))
        }
        Instance::Epc(uri) => (Subject::Epc(uri.clone()), Scope::All),
    }
}

/// The whole of a class where no quantity is given, where the class is registered or looked into as such, and for
/// measures; otherwise a quantity somewhere in it.
fn scope_of(class: &ClassQuantity, event: &Event) -> Scope {
    let of_the_whole = matches!(event.biz_step, Some(BizStep::CreatingClassInstance | BizStep::SensorReporting));
    let measure = event.set.iter().chain(&event.unset).any(super::authority::is_measure);
    if class.quantity.is_none() || of_the_whole || measure { Scope::All } else { Scope::Some }
}

fn entry(record: &Record, event: &Event, place: Place, scope: Scope, part: Part) -> Entry {
    Entry {
        place,
        event: record.event,
        organization: record.organization,
        role: record.role,
        record_time_ms: record.record_time_ms,
        scope,
        part,
        action: event.action,
        biz_step: event.biz_step.clone(),
        disposition: event.disposition.clone(),
        set: event.set.clone(),
        unset: event.unset.clone(),
        measure: event.measure,
        declares_error: event.error_declaration.is_some(),
        hand_over: hand_over(event),
        observed_ms: observed_ms(event),
    }
}

/// From the first reading to the last.
fn observed_ms(event: &Event) -> Option<(i64, i64)> {
    let first = event.temperatures.iter().map(|report| report.from_ms).min()?;
    let last = event.temperatures.iter().map(|report| report.to_ms).max()?;
    Some((first, last))
}

/// Who hands over to whom: possession, or ownership where possession is not told apart.
fn hand_over(event: &Event) -> HandOver {
    let of_kind = |parties: &[Party], kind: &str| parties.iter().find(|party| party.kind == kind).map(party_id);
    let possessor = |parties| of_kind(parties, "possessing_party").or_else(|| of_kind(parties, "owning_party"));
    HandOver {
        from: possessor(&event.sources),
        to: possessor(&event.destinations),
        owner: of_kind(&event.destinations, "owning_party"),
    }
}

fn party_id(party: &Party) -> PartyId {
    match party.organization {
        Some(organization) => PartyId::Organization(organization),
        None => PartyId::of_uri(&party.canonical_id()),
    }
}
