//! A span: a run and an inclusive range of serials.

use serde::{Deserialize, Serialize};

use crate::code::{RunId, Serial};

/// A run and an inclusive range of its serials; `first <= last` holds by construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    run: RunId,
    first: Serial,
    last: Serial,
}

impl Span {
    /// `None` where `first` stands after `last`.
    pub fn new(run: RunId, first: Serial, last: Serial) -> Option<Self> {
        (first <= last).then_some(Self { run, first, last })
    }
    /// One code.
    pub fn single(run: RunId, serial: Serial) -> Self {
        Self { run, first: serial, last: serial }
    }
    /// The run that the codes belong to.
    pub fn run(&self) -> RunId {
        self.run
    }
    /// The first serial.
    pub fn first(&self) -> Serial {
        self.first
    }
    /// The last serial, named too.
    pub fn last(&self) -> Serial {
        self.last
    }
    /// How many codes it names, from 1.
    pub fn codes(&self) -> u32 {
        self.last.get() - self.first.get() + 1
    }
    /// Both as one, where the other follows at once.
    pub fn joined(&self, next: &Self) -> Option<Self> {
        let follows = self.run == next.run && self.last.get() + 1 == next.first.get();
        follows.then_some(Self { run: self.run, first: self.first, last: next.last })
    }
    /// Whether the serial lies in it.
    pub fn contains(&self, serial: Serial) -> bool {
        self.first <= serial && serial <= self.last
    }
}
