//! Numbers of a series: varints, and tokens that keep a run of zeros short.

use super::SeriesError;

/// Values and runs of zeros.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'a> {
    rest: &'a [u8],
    whole: usize,
    /// Zeros still to give, of the run last read.
    zeros: u32,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, whole: bytes.len(), zeros: 0 }
    }

    /// The next token: a value and how often it stands there, more than once only for 0.
    pub(super) fn token(&mut self) -> Result<(i64, u32), SeriesError> {
        let cut = SeriesError::CutShort { at: self.whole - self.rest.len() };
        let (token, rest) = varint(self.rest).ok_or(cut)?;
        self.rest = rest;
        if token & 1 == 1 {
            return Ok((unzigzag(token >> 1), 1));
        }
        let zeros = u32::try_from(token >> 1).ok().and_then(|zeros| zeros.checked_add(1));
        Ok((0, zeros.ok_or(SeriesError::Token)?))
    }

    pub(super) fn value(&mut self) -> Option<i64> {
        if let Some(left) = self.zeros.checked_sub(1) {
            self.zeros = left;
            return Some(0);
        }
        let (value, times) = self.token().ok()?;
        self.zeros = times - 1;
        Some(value)
    }

    pub(super) fn end(&self) -> Result<(), SeriesError> {
        if self.rest.is_empty() { Ok(()) } else { Err(SeriesError::TooLong) }
    }
}

pub(super) fn put_tokens(bytes: &mut Vec<u8>, values: impl Iterator<Item = i64>) {
    let mut zeros = 0u64;
    for value in values {
        if value == 0 {
            zeros += 1;
            continue;
        }
        put_zeros(bytes, std::mem::take(&mut zeros));
        put_varint(bytes, zigzag(value) << 1 | 1);
    }
    put_zeros(bytes, zeros);
}

fn put_zeros(bytes: &mut Vec<u8>, zeros: u64) {
    if let Some(more) = zeros.checked_sub(1) {
        put_varint(bytes, more << 1);
    }
}

pub(super) fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// The number that the bytes begin with, and what follows it.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().enumerate().take(10) {
        let part = u64::from(byte & 0x7f);
        // The tenth byte has room for one bit.
        if at == 9 && part > 1 {
            return None;
        }
        value |= part << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    None
}

pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
