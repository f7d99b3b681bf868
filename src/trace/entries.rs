//! From a record to its entries: which ledgers it goes to, and what they keep of it.

use super::{Entry, Place, Record, Scope, Subject, cut};
use crate::epcis::{BizStep, Class, ClassQuantity, Event};

/// The entries of a record, in a fixed order: a pure function of the record, so that they can be made again at any time.
/// `event` is what the record's body says.
pub fn entries_of(record: &Record, event: &Event) -> Vec<(Subject, Entry)> {
    let spans = event.spans.iter().flat_map(cut).map(|(subject, span)| (subject, Scope::Span(span)));
    // Where spans are named, the quantities repeat what they name.
    let classes = event.classes.iter().filter(|_| !event.names_spans);
    let classes = classes.map(|class| (subject_of(&class.class), scope_of(class, event)));
    let others = event.epcs.iter().map(|epc| (Subject::Epc(epc.clone()), Scope::All));
    (0..)
        .zip(spans.chain(classes).chain(others))
        .map(|(ordinal, (subject, scope))| {
            let place = Place { event_time_ms: record.event_time_ms, record: record.id, ordinal };
            (subject, entry(record, event, place, scope))
        })
        .collect()
}

/// The subject whose ledger a class-level report goes to.
pub fn subject_of(class: &Class) -> Subject {
    match class {
        Class::Batch(id) => Subject::Batch(*id),
        Class::Lot { gtin, lot } => Subject::Lot { gtin: gtin.to_string(), lot: lot.to_string() },
        Class::Other(uri) => Subject::Epc(uri.clone()),
    }
}

/// The whole of a class where no quantity is given, where the class is registered or looked into as such, and for
/// measures; otherwise a quantity somewhere in it.
fn scope_of(class: &ClassQuantity, event: &Event) -> Scope {
    let of_the_whole = matches!(event.biz_step, Some(BizStep::CreatingClassInstance | BizStep::SensorReporting));
    let measure = event.set.iter().chain(&event.unset).any(super::authority::is_measure);
    if class.quantity.is_none() || of_the_whole || measure { Scope::All } else { Scope::Some }
}

fn entry(record: &Record, event: &Event, place: Place, scope: Scope) -> Entry {
    Entry {
        place,
        event: record.event,
        organization: record.organization,
        role: record.role,
        record_time_ms: record.record_time_ms,
        scope,
        action: event.action,
        biz_step: event.biz_step.clone(),
        disposition: event.disposition.clone(),
        set: event.set.clone(),
        unset: event.unset.clone(),
        measure: event.measure,
        declares_error: event.error_declaration.is_some(),
    }
}
