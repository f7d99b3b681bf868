//! What a store keeps, summed up: equal where the same things are kept, in whatever order and pieces they are read.

use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use super::{BackupError, frame::FrameKind, payload::encode_kept};
use crate::store::{Kept, Store};

/// The kinds of things that are summed up.
const KINDS: [FrameKind; 9] = [
    FrameKind::Claim,
    FrameKind::Statement,
    FrameKind::Capture,
    FrameKind::Staged,
    FrameKind::Applied,
    FrameKind::Row,
    FrameKind::Record,
    FrameKind::Entry,
    FrameKind::Scans,
];

/// How many things of one kind there are, and the sum of their SHA-256s, each taken as four numbers of 64 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many: of scan sums how many codes, because stores group them as they like.
    pub count: u64,
    sums: [u64; 4],
}

impl Sum {
    fn add(&mut self, payload: &[u8]) {
        self.count += 1;
        let digest = Sha256::digest(payload);
        for (sum, bytes) in self.sums.iter_mut().zip(digest.as_chunks::<8>().0) {
            *sum = sum.wrapping_add(u64::from_be_bytes(*bytes));
        }
    }

    /// The sum in hexadecimal.
    pub fn hex(&self) -> String {
        self.sums.iter().map(|sum| format!("{sum:016x}")).collect()
    }
}

/// The sums of everything that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally([Sum; KINDS.len()]);

impl Tally {
    /// Of everything in a store.
    ///
    /// # Errors
    /// Where the store gives no snapshot, or not to its end.
    pub async fn of(store: &dyn Store) -> Result<Self, BackupError> {
        let mut tally = Self::default();
        let mut snapshot = store.snapshot().await?;
        while let Some(things) = snapshot.things.next().await {
            things?.iter().try_for_each(|thing| tally.add(thing))?;
        }
        Ok(tally)
    }

    /// Adds a thing.
    pub fn add(&mut self, thing: &Kept) -> Result<(), BackupError> {
        if let Kept::Scans { block, writer, sums } = thing {
            for sum in sums {
                self.note(&Kept::Scans { block: *block, writer: *writer, sums: vec![sum.clone()] })?;
            }
            return Ok(());
        }
        self.note(thing)
    }

    fn note(&mut self, thing: &Kept) -> Result<(), BackupError> {
        let (kind, payload) = encode_kept(thing)?;
        let place = KINDS.iter().position(|counted| *counted == kind);
        if let Some(sum) = place.and_then(|place| self.0.get_mut(place)) {
            sum.add(&payload);
        }
        Ok(())
    }

    /// Each kind with its sum.
    pub fn kinds(&self) -> impl Iterator<Item = (&'static str, Sum)> {
        KINDS.iter().map(|kind| kind.name()).zip(self.0)
    }

    /// Refuses another tally, and names what differs.
    ///
    /// # Errors
    /// [`BackupError::Differs`].
    pub fn same_as(&self, found: &Self) -> Result<(), BackupError> {
        let differing = self.kinds().zip(found.kinds()).find(|(put, found)| put != found);
        let Some(((kind, put), (_, found))) = differing else { return Ok(()) };
        Err(BackupError::Differs { kind, put, found })
    }
}
