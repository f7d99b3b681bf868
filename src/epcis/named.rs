//! Everything that an event names one by one, each with its place: what stands there twice, and what it comes to.

use super::{
    GoodsList,
    error::{Fault, Reason, quote},
    event::Position,
};
use crate::{
    code::Code,
    trace::{Instance, Span},
};

/// Own codes and other EPCs of an event.
#[derive(Debug, Default)]
pub(super) struct Named {
    spans: Vec<(Span, Position)>,
    /// In the event's order, as canonical URIs.
    epcs: Vec<(String, Position)>,
}

impl Position {
    /// The list that it is in; `None` for the parent.
    fn list(self) -> Option<GoodsList> {
        match self {
            Self::Parent => None,
            Self::Epc(list, _) | Self::First(list, _) | Self::Last(list, _) => Some(list),
        }
    }
}

impl Named {
    pub(super) fn add_code(&mut self, at: Position, code: Code) {
        self.spans.push((Span::single(code.run, code.serial), at));
    }

    pub(super) fn add_epc(&mut self, at: Position, uri: String) {
        self.epcs.push((uri, at));
    }

    /// Adds a list's spans, in their order.
    pub(super) fn add_spans(&mut self, list: GoodsList, spans: &[Span]) {
        self.spans.extend(spans.iter().enumerate().map(|(at, span)| (*span, Position::First(list, at))));
    }

    /// Errors where something stands in two places: twice in a list, as input and output, or as a child of itself.
    pub(super) fn check_each_once(&mut self) -> Result<(), (Position, Fault)> {
        self.spans.sort_unstable();
        for pair in self.spans.windows(2) {
            // Up to the first overlap all spans lie apart, so that neighbours tell of it.
            if let [(one, at), (other, other_at)] = pair
                && one.run() == other.run()
                && other.first() <= one.last()
            {
                let found = format!("serial {} of run {}", other.first().get(), other.run());
                return Err(twice(*at, *other_at, &found));
            }
        }
        let mut sorted: Vec<&(String, Position)> = self.epcs.iter().collect();
        sorted.sort_unstable();
        for pair in sorted.windows(2) {
            if let [(one, at), (other, other_at)] = pair
                && one == other
            {
                return Err(twice(*at, *other_at, one));
            }
        }
        Ok(())
    }

    /// The own codes of a list as spans in ascending order, neighbours joined.
    pub(super) fn folded(&self, list: GoodsList) -> Vec<Span> {
        let mut spans: Vec<Span> =
            self.spans.iter().filter(|(_, at)| at.list() == Some(list)).map(|(span, _)| *span).collect();
        spans.sort_unstable();
        let mut folded: Vec<Span> = Vec::with_capacity(spans.len().min(16));
        for span in spans {
            match folded.last_mut() {
                Some(last) if last.run() == span.run() && span.first().get() == last.last().get() + 1 => {
                    if let Some(joined) = Span::new(last.run(), last.first(), span.last()) {
                        *last = joined;
                    }
                }
                _ => folded.push(span),
            }
        }
        folded
    }

    /// The other EPCs of a list, in the event's order.
    pub(super) fn take_epcs(&mut self, list: GoodsList) -> Vec<String> {
        let of_list = self.epcs.iter_mut().filter(|(_, at)| at.list() == Some(list));
        of_list.map(|(uri, _)| std::mem::take(uri)).collect()
    }

    /// The parent.
    pub(super) fn parent(&self) -> Option<Instance> {
        let code = self.spans.iter().find(|(_, at)| *at == Position::Parent);
        let code = code.map(|(span, _)| Instance::Code { run: span.run(), serial: span.first() });
        let epc = || self.epcs.iter().find(|(_, at)| *at == Position::Parent).map(|(uri, _)| uri.clone());
        code.or_else(|| epc().map(Instance::Epc))
    }
}

/// What is wrong with the same thing in two places; told of the later one.
fn twice(one: Position, other: Position, found: &str) -> (Position, Fault) {
    let (first, later) = (one.min(other), one.max(other));
    let fault = match (first.list(), later.list()) {
        (None, _) => Fault::unexpected(format!("{found}, the parent itself"), "things other than their parent"),
        (first, later) if first != later => {
            Fault::unexpected(format!("{found}, an input too"), "outputs that are none of the inputs")
        }
        _ => Fault::new(Reason::Duplicate { found: quote(found) }),
    };
    (later, fault)
}
