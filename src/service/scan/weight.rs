//! What things take in memory, so that caches are bounded in bytes and not in things of any size.

use serde::Serialize;

use super::facts::BatchFacts;
use crate::{epcis::Disposition, registration::Document, trace::Entry};

/// What an entry takes in a ledger's indexes beside itself.
const INDEX_BYTES: usize = 32;
/// What an allocation takes beside what it holds.
const ALLOCATION_BYTES: usize = 16;

/// An entry in a ledger, with its words: anybody's own words are URIs of any length up to `URI_BYTES_MAX`.
pub fn entry_bytes(entry: &Entry) -> usize {
    let step = entry.biz_step.as_ref().map_or(0, |step| step.as_str().len());
    let dispositions = entry.disposition.iter().map(|found| found.as_str().len()).sum::<usize>();
    let lists = entry.set.iter().chain(&entry.unset);
    let lists = lists.map(|found| size_of::<Disposition>() + found.as_str().len() + ALLOCATION_BYTES).sum::<usize>();
    size_of::<Entry>() + INDEX_BYTES + step + dispositions + lists
}

/// Entries in a ledger.
pub fn entries_bytes(entries: &[Entry]) -> usize {
    entries.iter().map(entry_bytes).sum()
}

/// What a batch refers to, beside the bytes of the struct itself.
pub fn batch_bytes(facts: &BatchFacts) -> usize {
    let BatchFacts { batch, consignment, product, importer, documents, lots } = facts;
    let texts = text_bytes(batch) + text_bytes(consignment) + text_bytes(product) + text_bytes(importer);
    let documents = documents.iter().map(|document| size_of::<Document>() + text_bytes(document)).sum::<usize>();
    let lots = lots.iter().map(|lot| size_of_val(lot) + 2 * ALLOCATION_BYTES).sum::<usize>();
    texts + documents + lots
}

/// What a registered thing's texts take: what it takes where it is stored, and half as much again for what each
/// allocation adds.
pub fn text_bytes(it: &impl Serialize) -> usize {
    rmp_serde::to_vec(it).map_or(0, |stored| stored.len() * 3 / 2)
}
