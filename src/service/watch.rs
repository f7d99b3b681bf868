//! Which caches a write makes stale.
//!
//! A cached view keeps a counter for everything that it was made from, with the value that it had before the
//! reading began. A write moves the counters of what it touched once it is durable and before it is answered. So a view
//! is current if its counters stand where they stood: a scan compares a few integers and asks no store.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    registration::{Content, Kind, Organization, Parent},
    store::Writes,
    trace::{Block, Part, Scope, Subject},
};

/// What something watched takes in memory: its counter, with its place in a basis and in the table of all.
const WATCHED_BYTES: usize = 80;

/// Something that a cached view is made from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Watched {
    /// The ledger of a subject; of a block, what bears on more than one of its codes.
    Ledger(Subject),
    /// What bears on one code of a block alone: the block, and the code's serial within it.
    Code(Block, u16),
    /// What bears on single codes of a block, on any of them.
    Codes(Block),
    /// A statement, in all its versions.
    Statement(Kind, u64),
    /// What is listed of a kind: documents of a batch, batches of a lot.
    Children(Parent, Kind),
    /// Which organizations GLNs name.
    Parties,
}

impl Watched {
    /// Everything that `writes` touches.
    pub fn by(writes: &Writes) -> HashSet<Self> {
        let ledgers = writes.entries.iter().flat_map(|(subject, entry)| match (subject, entry.scope) {
            (Subject::Block(block), Scope::Span(span)) if span.codes() == 1 => {
                [Some(Self::Code(*block, Block::offset(span.first()))), Some(Self::Codes(*block))]
            }
            // What is said of some of a batch shows on no code, but for what it was made of or made into.
            (_, Scope::Some) if !matches!(entry.part, Part::Input | Part::Output) => [None, None],
            _ => [Some(Self::Ledger(subject.clone())), None],
        });
        let ledgers = ledgers.flatten();
        let statements = writes.statements.iter().map(|statement| Self::Statement(statement.kind, statement.id));
        let listed = writes.statements.iter().flat_map(|made| made.parents.iter().map(|parent| (parent, made.kind)));
        let parents = listed.map(|(parent, kind)| Self::Children(parent.clone(), kind));
        let named = |content: &Content| matches!(content, Content::Organization(Organization { gln: Some(_), .. }));
        let parties = writes.statements.iter().any(|made| named(&made.content)).then_some(Self::Parties);
        ledgers.chain(statements).chain(parents).chain(parties).collect()
    }
}

/// What a view was made from, as it stood before the reading began.
#[derive(Clone, Debug, Default)]
pub struct Basis {
    /// Each with the value that it had.
    seen: Vec<(Arc<AtomicU64>, u64)>,
    /// How many of them every view has.
    shared: usize,
}

impl Basis {
    /// Roughly how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        (self.seen.len() - self.shared) * WATCHED_BYTES + self.shared * size_of::<(Arc<AtomicU64>, u64)>()
    }

    /// Adds what another one was made from.
    pub fn extend(&mut self, other: Self) {
        self.seen.extend(other.seen);
        self.shared += other.shared;
    }

    /// It without room for more.
    pub fn shrunk(mut self) -> Self {
        self.seen.shrink_to_fit();
        self
    }

    /// Whether nothing of it has been touched since.
    pub fn is_current(&self) -> bool {
        self.seen.iter().all(|(counter, seen)| counter.load(Ordering::Acquire) == *seen)
    }
}

/// The counters of everything that some view was made from.
#[derive(Debug, Default)]
pub struct Watch {
    /// By a hash of what is watched, so that a name of any length takes eight bytes. Two that share one make each other's
    /// views stale too, which costs a reading and no more.
    counters: Mutex<HashMap<u64, Weak<AtomicU64>>>,
    /// Of this process alone, so that nobody can make names collide.
    hashing: RandomState,
    touches: AtomicU64,
}

impl Watch {
    /// Begins to watch `watched`: call it before reading what it names.
    pub fn add(&self, basis: &mut Basis, watched: Watched) {
        basis.shared += usize::from(watched == Watched::Parties);
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        if counters.len() == counters.capacity() {
            counters.retain(|_, counter| counter.strong_count() > 0);
        }
        let slot = counters.entry(self.hashing.hash_one(&watched)).or_default();
        let counter = slot.upgrade().unwrap_or_else(|| {
            let counter = Arc::new(AtomicU64::new(0));
            *slot = Arc::downgrade(&counter);
            counter
        });
        let seen = counter.load(Ordering::Acquire);
        basis.seen.push((counter, seen));
    }

    /// Makes every view stale that was made from any of `touched`.
    pub fn touch<'a>(&self, touched: impl IntoIterator<Item = &'a Watched>) {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let hashes = touched.into_iter().map(|watched| self.hashing.hash_one(watched));
        let mut any = false;
        for counter in hashes.filter_map(|hash| counters.get(&hash)?.upgrade()) {
            counter.fetch_add(1, Ordering::Release);
            any = true;
        }
        // After the counters: whoever sees this number sees them as well. What no view was made from is none of it: an
        // alert, a capture of other goods.
        if any {
            self.touches.fetch_add(1, Ordering::Release);
        }
    }

    /// Makes every view stale.
    pub fn touch_all(&self) {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        for counter in counters.values().filter_map(Weak::upgrade) {
            counter.fetch_add(1, Ordering::Release);
        }
        self.touches.fetch_add(1, Ordering::Release);
    }

    /// How often anything watched was touched. What was found to be current at a number of touches is current as long as the
    /// number stands; it has to be read before the counters are.
    pub fn touches(&self) -> u64 {
        self.touches.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::BatchId;

    #[test]
    fn a_view_is_stale_once_something_it_was_made_from_is_touched() {
        let watch = Watch::default();
        let (batch, other) = (Watched::Ledger(Subject::Batch(BatchId(1))), Watched::Ledger(Subject::Batch(BatchId(2))));
        let mut basis = Basis::default();
        watch.add(&mut basis, batch.clone());
        watch.touch([&other]);
        assert!(basis.is_current());
        assert_eq!(watch.touches(), 0);
        watch.touch([&batch]);
        assert!(!basis.is_current());
        assert_eq!(watch.touches(), 1);
    }

    #[test]
    fn what_is_listed_of_one_kind_touches_no_other() {
        let watch = Watch::default();
        let listed = |kind| Watched::Children(Parent::Batch(1), kind);
        let mut basis = Basis::default();
        watch.add(&mut basis, listed(Kind::Document));
        watch.touch([&listed(Kind::Alert)]);
        assert_eq!((basis.is_current(), watch.touches()), (true, 0));
        watch.touch([&listed(Kind::Document)]);
        assert_eq!((basis.is_current(), watch.touches()), (false, 1));
    }

    #[test]
    fn counters_that_no_view_holds_are_dropped() {
        let watch = Watch::default();
        for id in 0..10_000 {
            watch.add(&mut Basis::default(), Watched::Ledger(Subject::Batch(BatchId(id))));
        }
        assert!(watch.counters.lock().unwrap().len() < 2_000);
    }
}
