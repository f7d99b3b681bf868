//! Tags: 48 bits of an HMAC that prove a code, five to one HMAC.
//!
//! ```text
//! run key = HKDF-SHA-256 (RFC 5869, no salt, master key, info = "coldproof/run/1" || u8 key || u32be run)
//! tag(s)  = bytes [6*(s mod 5), +6) of HMAC-SHA-256(run key, "coldproof/tag/1" || u64be(s / 5))
//! ```

use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use sha2::block_api::compress256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Code, RunId, Serial, Tag};

/// Neighbouring serials that one HMAC serves: five tags of 6 bytes are 30 of its 32.
pub(super) const TAGS_PER_MAC: u32 = 5;

const RUN_LABEL: &[u8; 15] = b"coldproof/run/1";
const TAG_LABEL: &[u8; 15] = b"coldproof/tag/1";

/// SHA-256's block, in bytes.
const BLOCK_BYTES: usize = 64;
/// SHA-256's initial state (FIPS 180-4, 5.3.3).
const INITIAL_STATE: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// What a check of a code's tag says. It says nothing about whether the code was ever issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// The tag is right.
    Valid,
    /// The tag is right, and the key that made it is retired.
    Retired,
    /// The tag is wrong: forged or mistyped.
    Forged,
    /// The key ring has no key in the code's slot, so that nothing can be said.
    UnknownKey,
}

/// The key of one run, set up: a tag costs two compressions of SHA-256 and no key set-up.
///
/// Keep it with the run. Its memory is cleared when it is dropped, and no formatting shows it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RunKey {
    #[zeroize(skip)]
    run: RunId,
    #[zeroize(skip)]
    retired: bool,
    /// State of the inner hash behind the block `key ^ ipad` (RFC 2104).
    inner: [u32; 8],
    /// State of the outer hash behind the block `key ^ opad`.
    outer: [u32; 8],
}

impl RunKey {
    /// Derives the key of `run` from what HKDF extracted from its master.
    #[expect(clippy::expect_used, reason = "RFC 5869 gives 32 bytes from any key")]
    pub(super) fn derive(master: &Hkdf<Sha256>, run: RunId, retired: bool) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        let (slot, number) = ([run.key().get()], run.number().to_be_bytes());
        master.expand_multi_info(&[RUN_LABEL, &slot, &number], key.as_mut_slice()).expect("32 bytes");
        Self { run, retired, inner: keyed_state(&key, 0x36), outer: keyed_state(&key, 0x5c) }
    }

    /// The run that it belongs to.
    pub fn run(&self) -> RunId {
        self.run
    }

    /// Whether its master key is retired: codes verify, none are issued.
    pub fn is_retired(&self) -> bool {
        self.retired
    }

    /// The tag of one serial.
    pub fn tag(&self, serial: Serial) -> Tag {
        let [a, b, c, d, e] = self.tags(serial.get() / TAGS_PER_MAC);
        let bits = match serial.get() % TAGS_PER_MAC {
            0 => a,
            1 => b,
            2 => c,
            3 => d,
            _ => e,
        };
        let [_, _, tag @ ..] = bits.to_be_bytes();
        Tag(tag)
    }

    /// The code of one serial.
    pub fn code(&self, serial: Serial) -> Code {
        Code { run: self.run, serial, tag: self.tag(serial) }
    }

    /// Whether the code is this run's and its tag is right. Tags are compared in constant time.
    pub fn verify(&self, code: &Code) -> Verification {
        let right = self.tag(code.serial).0.ct_eq(&code.tag.0);
        match code.run == self.run && bool::from(right) {
            true if self.retired => Verification::Retired,
            true => Verification::Valid,
            false => Verification::Forged,
        }
    }

    /// The tags, as 48-bit numbers, of the five serials from `5 * mac` on.
    ///
    /// The two blocks of HMAC are laid out here and not by the `hmac` crate, whose copy of a keyed
    /// state and buffering cost as much as the hash: this is the loop that streams codes.
    #[inline]
    pub(super) fn tags(&self, mac: u32) -> [u64; 5] {
        let mut block = [0; BLOCK_BYTES];
        let (label, rest) = block.split_at_mut(TAG_LABEL.len());
        label.copy_from_slice(TAG_LABEL);
        let (number, rest) = rest.split_at_mut(8);
        number.copy_from_slice(&u64::from(mac).to_be_bytes());
        pad(rest, BLOCK_BYTES + TAG_LABEL.len() + 8);
        let mut state = self.inner;
        compress256(&mut state, &[block]);

        let mut block = [0; BLOCK_BYTES];
        let (digest, rest) = block.split_at_mut(32);
        for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        pad(rest, BLOCK_BYTES + 32);
        let mut state = self.outer;
        compress256(&mut state, &[block]);

        // 48 bits are a word and a half.
        let [a, b, c, d, e, f, g, h] = state.map(u64::from);
        [a << 16 | b >> 16, (b & 0xffff) << 32 | c, d << 16 | e >> 16, (e & 0xffff) << 32 | f, g << 16 | h >> 16]
    }
}

impl fmt::Debug for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunKey").field("run", &self.run).field("retired", &self.retired).finish_non_exhaustive()
    }
}

/// State of SHA-256 behind one block of the key, each byte XORed with `pad` (RFC 2104).
fn keyed_state(key: &[u8; 32], pad: u8) -> [u32; 8] {
    let mut block = Zeroizing::new([pad; BLOCK_BYTES]);
    for (byte, key) in block.iter_mut().zip(key) {
        *byte ^= key;
    }
    let mut state = INITIAL_STATE;
    compress256(&mut state, &[*block]);
    state
}

/// Ends a message of `message_bytes` in its last block (FIPS 180-4, 5.1.1); `rest` follows the message and is zero.
#[inline]
fn pad(rest: &mut [u8], message_bytes: usize) {
    if let Some(first) = rest.first_mut() {
        *first = 0x80;
    }
    if let Some(length) = rest.last_chunk_mut() {
        *length = (8 * message_bytes as u64).to_be_bytes();
    }
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use proptest::prelude::*;

    use super::*;
    use crate::code::KeySlot;

    fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }

    proptest! {
        #[test]
        fn tags_are_slices_of_the_hmac_that_the_hmac_crate_computes(
            master in any::<[u8; 32]>(),
            slot in 0u8..32,
            number in 0u32..1 << 25,
            serial in 0u32..1 << 22,
        ) {
            let run = RunId::new(KeySlot::new(slot).unwrap(), number).unwrap();
            let key = RunKey::derive(&Hkdf::new(None, &master), run, false);
            // RFC 5869 by hand: extract with a salt of zeros, expand by one block.
            let extracted = hmac(&[0; 32], &[&master]);
            let derived = hmac(&extracted, &[RUN_LABEL, &[slot], &number.to_be_bytes(), &[1]]);
            let mac = hmac(&derived, &[TAG_LABEL, &u64::from(serial / 5).to_be_bytes()]);
            let from = 6 * (serial as usize % 5);
            prop_assert_eq!(&key.tag(Serial::new(serial).unwrap()).0[..], &mac[from..from + 6]);
        }
    }

    #[test]
    fn a_key_refuses_codes_of_another_run() {
        let master = Hkdf::new(None, &[7; 32]);
        let [one, other] = [1, 2].map(|bits| RunKey::derive(&master, RunId::from_bits(bits).unwrap(), false));
        let code = one.code(Serial::new(9).unwrap());
        assert_eq!(one.verify(&code), Verification::Valid);
        assert_eq!(other.verify(&code), Verification::Forged);
        assert_eq!(other.verify(&Code { tag: other.tag(code.serial), ..code }), Verification::Forged);
    }

    #[test]
    fn formatting_shows_no_key() {
        let key = RunKey::derive(&Hkdf::new(None, &[7; 32]), RunId::from_bits(1).unwrap(), true);
        assert_eq!(format!("{key:?}"), "RunKey { run: RunId(000001), retired: true, .. }");
    }
}
