//! Layout of a code: 5 bits key | 25 bits run | 22 bits serial | 48 bits tag.

use serde::{Deserialize, Serialize};

/// Number of a master key, 0 to 31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeySlot(u8);

/// A run's number under its key: 30 bits, the first six characters of its codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunId(u32);

/// A code's position in its run, from 0; 22 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Serial(u32);

/// The 48 bits that prove a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tag(pub [u8; 6]);

/// One printed code, not yet proved.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code {
    /// The run that it belongs to.
    pub run: RunId,
    /// Its position in the run.
    pub serial: Serial,
    /// What proves it.
    pub tag: Tag,
}

impl KeySlot {
    /// `None` where `slot` is not below 32.
    pub const fn new(slot: u8) -> Option<Self> {
        if slot < crate::limits::KEY_SLOTS { Some(Self(slot)) } else { None }
    }
    /// 0 to 31.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl RunId {
    /// `None` where `number` is not below 2^25.
    pub const fn new(key: KeySlot, number: u32) -> Option<Self> {
        if number < crate::limits::KEY_RUNS_MAX { Some(Self((key.0 as u32) << 25 | number)) } else { None }
    }
    /// From its 30 bits; `None` where more are set.
    pub const fn from_bits(bits: u32) -> Option<Self> {
        if bits < 1 << 30 { Some(Self(bits)) } else { None }
    }
    /// Its 30 bits.
    pub const fn bits(self) -> u32 {
        self.0
    }
    /// The master key's slot.
    pub const fn key(self) -> KeySlot {
        KeySlot((self.0 >> 25) as u8)
    }
    /// Its number under that key.
    pub const fn number(self) -> u32 {
        self.0 & ((1 << 25) - 1)
    }
}

impl Serial {
    /// `None` where `serial` is not below 2^22.
    pub const fn new(serial: u32) -> Option<Self> {
        if serial < crate::limits::RUN_CODES_MAX { Some(Self(serial)) } else { None }
    }
    /// 0 to 2^22 - 1.
    pub const fn get(self) -> u32 {
        self.0
    }
}
