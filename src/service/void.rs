//! Void codes: what is left to order of a batch once labels are spoiled.

use super::{Service, whereabouts::parts_of};
use crate::{
    epcis::BizStep,
    registration::Run,
    store::{self, Slice},
    trace::{Entry, OrganizationId, Scope, Span, Subject, authority},
};

impl Service {
    /// How many codes of a run are void; `whole` is what was said of its batch.
    pub(super) async fn void_codes(&self, run: &Run, whole: &[Entry]) -> store::Result<u64> {
        if whole.iter().any(|entry| is_void(entry, whole, run.organization)) {
            return Ok(run.count.into());
        }
        let mut spans = Vec::new();
        for subject in std::iter::once(Subject::Run(run.id)).chain(parts_of(run)) {
            let entries = self.ledger_after(&subject, Slice::Whole, None).await?;
            spans.extend(entries.iter().filter(|entry| is_void(entry, &entries, run.organization)).filter_map(span));
        }
        Ok(union(spans))
    }
}

/// Whether an entry declares codes void, by right and not in error.
fn is_void(entry: &Entry, ledger: &[Entry], issuer: OrganizationId) -> bool {
    // The cheap questions first: few entries of a ledger are voids.
    matches!(entry.biz_step, Some(BizStep::Decommissioning))
        && !entry.declares_error
        && authority::has_effect(entry, issuer)
        && !ledger.iter().any(|declaration| authority::voids(declaration, entry))
}

fn span(entry: &Entry) -> Option<Span> {
    match entry.scope {
        Scope::Span(span) => Some(span),
        Scope::All | Scope::Some => None,
    }
}

/// How many serials the spans name, each counted once.
fn union(mut spans: Vec<Span>) -> u64 {
    spans.sort_unstable();
    let (mut codes, mut next) = (0, 0);
    for span in spans {
        let (first, end) = (span.first().get().max(next), span.last().get() + 1);
        codes += u64::from(end.saturating_sub(first));
        next = next.max(end);
    }
    codes
}
