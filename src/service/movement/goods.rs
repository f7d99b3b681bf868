//! The goods of a movement: every code proved and issued, none named twice, neighbours joined.

use std::collections::{HashMap, HashSet, hash_map::Entry};

use super::{MovementOrder, Named};
use crate::{
    code::{Code, Gtin, RunId, RunKey, Verification, code_epc},
    epcis::shapes::{BatchSpan, NamedGoods},
    limits::MOVEMENT_FAULTS_MAX,
    registration::{FieldError, Run, ValueError},
    service::{Service, capture::heavy},
    store,
    trace::{Instance, Span},
};

/// Roughly what a code takes in a body, in bytes: proving many takes as long as reading a long document.
const CODE_BYTES: usize = 24;

/// What a movement names, proved.
#[derive(Debug, Default)]
pub(super) struct Moved {
    /// In ascending order, neighbours joined.
    spans: Vec<(Span, BatchSpan)>,
    /// Canonical URIs.
    units: Vec<String>,
    /// The parent's URI.
    pub(super) parent: Option<String>,
}

/// A run whose codes are named.
struct NamedRun {
    run: Run,
    gtin: Option<Gtin>,
    key: RunKey,
}

type NamedRuns = HashMap<RunId, Option<NamedRun>>;

impl Moved {
    pub(super) fn goods(&self) -> NamedGoods {
        let spans = self.spans.iter().map(|(_, span)| *span).collect();
        NamedGoods { spans, epcs: self.units.clone(), classes: Vec::new() }
    }

    /// The first code of each span, and each unit; of all of a parent, the parent.
    pub(super) fn instances(&self) -> impl Iterator<Item = Instance> {
        let code = |(span, _): &(Span, BatchSpan)| Instance::Code { run: span.run(), serial: span.first() };
        let of_parent = self.parent.iter().filter(|_| self.spans.is_empty() && self.units.is_empty());
        let units = self.units.iter().chain(of_parent).cloned().map(Instance::Epc);
        self.spans.iter().map(code).chain(units)
    }
}

impl Service {
    /// The goods and the parent of a movement. What is wrong with them is added to `faults`.
    pub(super) async fn moved(&self, order: &MovementOrder, faults: &mut Vec<FieldError>) -> store::Result<Moved> {
        let mut runs = NamedRuns::new();
        for named in order.what.iter().chain(&order.parent) {
            let (Named::Code(Code { run, .. }, _) | Named::Span(Code { run, .. }, _)) = named else { continue };
            if let Entry::Vacant(unknown) = runs.entry(*run) {
                unknown.insert(self.named_with_gtin(*run).await?);
            }
        }
        Ok(heavy(order.what.len() * CODE_BYTES, || {
            let mut spans = Vec::new();
            let mut units = HashSet::new();
            let mut moved = Moved::default();
            for (at, named) in order.what.iter().enumerate() {
                if faults.len() >= MOVEMENT_FAULTS_MAX {
                    return moved;
                }
                let field = format!("/what/{at}");
                match named {
                    Named::Unit(uri) if units.insert(uri) => moved.units.push(uri.clone()),
                    Named::Unit(uri) => faults.push(twice(field, uri)),
                    Named::Code(code, gtin) => match proved(&runs, code, *gtin) {
                        Ok(_) => spans.push((Span::single(code.run, code.serial), at)),
                        Err(error) => faults.push(FieldError::new(field, error)),
                    },
                    Named::Span(first, last) => match span_of(&runs, first, last) {
                        Ok(span) => spans.push((span, at)),
                        Err((end, error)) => faults.push(FieldError::new(format!("{field}/{end}"), error)),
                    },
                }
            }
            let parent = self.parent_of(order, &runs, &spans, &units, faults);
            moved.parent = parent;
            moved.spans = joined(&runs, spans, faults);
            moved
        }))
    }

    async fn named_with_gtin(&self, id: RunId) -> store::Result<Option<NamedRun>> {
        let (Some((run, gtin)), Some(key)) = (self.run_and_gtin(id).await?, self.keys.run_key(id)) else {
            return Ok(None);
        };
        Ok(Some(NamedRun { run, gtin, key }))
    }

    /// The parent's URI, where it is sound and none of its own children.
    fn parent_of(
        &self,
        order: &MovementOrder,
        runs: &NamedRuns,
        children: &[(Span, usize)],
        units: &HashSet<&String>,
        faults: &mut Vec<FieldError>,
    ) -> Option<String> {
        let refused = |error| FieldError::new("/parent", error);
        match order.parent.as_ref()? {
            Named::Unit(uri) if units.contains(uri) => {
                faults.push(refused(ValueError::out_of_range(uri, "a parent that is none of `what`")));
                None
            }
            Named::Unit(uri) => Some(uri.clone()),
            Named::Span(first, _) => {
                faults.push(refused(ValueError::out_of_range(first, "one unit or one code")));
                None
            }
            Named::Code(code, gtin) => {
                let inside = |(span, _): &(Span, usize)| span.run() == code.run && span.contains(code.serial);
                match proved(runs, code, *gtin) {
                    Err(error) => faults.push(refused(error)),
                    Ok(_) if children.iter().any(inside) => {
                        faults.push(refused(ValueError::out_of_range(code, "a parent that is none of `what`")));
                    }
                    Ok(named) => return Some(code_epc(&self.settings.host, named.gtin, *code)),
                }
                None
            }
        }
    }
}

/// Spans in ascending order, neighbours joined; one that names a code again is a fault.
fn joined(runs: &NamedRuns, mut spans: Vec<(Span, usize)>, faults: &mut Vec<FieldError>) -> Vec<(Span, BatchSpan)> {
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::new();
    for (span, at) in spans {
        match joined.last_mut().filter(|last| last.run() == span.run()) {
            Some(last) if span.first() <= last.last() => {
                if faults.len() < MOVEMENT_FAULTS_MAX {
                    let found = format!("serial {} of run {}", span.first().get(), span.run());
                    faults.push(twice(format!("/what/{at}"), &found));
                }
            }
            Some(last) => match last.joined(&span) {
                Some(longer) => *last = longer,
                None => joined.push(span),
            },
            None => joined.push(span),
        }
    }
    let with_batch = |span: Span| {
        let NamedRun { run, key, .. } = runs.get(&span.run())?.as_ref()?;
        let batch_span = BatchSpan { batch: run.batch, first: key.code(span.first()), last: key.code(span.last()) };
        Some((span, batch_span))
    };
    joined.into_iter().filter_map(with_batch).collect()
}

fn twice(field: String, found: &str) -> FieldError {
    FieldError::new(field, ValueError::out_of_range(format!("{found} twice"), "each of the goods once"))
}

/// The run of a code that proves itself, was issued, and stands under its own product.
fn proved<'r>(runs: &'r NamedRuns, code: &Code, gtin: Option<Gtin>) -> Result<&'r NamedRun, ValueError> {
    let named = runs.get(&code.run).and_then(Option::as_ref);
    let named = named.ok_or_else(|| ValueError::out_of_range(code, "a code that was issued"))?;
    if !matches!(named.key.verify(code), Verification::Valid | Verification::Retired) {
        return Err(ValueError::out_of_range(code, "a code whose tag proves it: this one is mistyped or forged"));
    }
    if code.serial.get() >= named.run.count {
        let expected = format!("a code that was issued: the run has {}", named.run.count);
        return Err(ValueError::out_of_range(code, expected));
    }
    if gtin.is_some() && gtin != named.gtin {
        return Err(ValueError::out_of_range(code, "a code under the GTIN of its own product"));
    }
    Ok(named)
}

/// The span between two codes; or at which end it is wrong.
fn span_of(runs: &NamedRuns, first: &Code, last: &Code) -> Result<Span, (&'static str, ValueError)> {
    proved(runs, first, None).map_err(|error| ("first", error))?;
    if last.run != first.run {
        let expected = format!("a code of run {}, as the first", first.run);
        return Err(("last", ValueError::out_of_range(last, expected)));
    }
    proved(runs, last, None).map_err(|error| ("last", error))?;
    let span = Span::new(first.run, first.serial, last.serial);
    span.ok_or(("last", ValueError::out_of_range(last, "a code at or behind the first")))
}
