//! The code: 20 characters of Crockford base32 that prove themselves (`docs/spec/trace-code.md`). PURE.
//!
//! In reading order: [`Code`] and its layout; [`KeyRing`] and [`RunKey`], which make and check
//! tags; [`Encoder`], which writes codes by the million; [`Link`] and its text, which lead from a
//! symbol to a code and back; [`qr`], which draws symbols.

mod alphabet;
mod layout;

mod keyring;
mod tag;

mod encoder;

mod company;
mod digital_link;
mod gs1;
mod host;
mod link_text;

pub mod qr;

#[cfg(test)]
mod spec;

pub use company::{Gln, Gs1Prefix};
pub use digital_link::{Link, LinkError};
pub use encoder::{Encoder, Form, FormError};
pub use gs1::{Gs1Error, Gtin, Lot, Sscc, check_digit, is_charset_82};
pub use host::{Host, HostError};
pub use keyring::{KeyRing, KeyRingError, MASTER_BYTES, key_table};
pub use layout::{CODE_DIGITS, Code, CodeError, KeySlot, RUN_DIGITS, RangeError, RunId, Serial, Tag};
pub use link_text::{LinkCase, LinkPrefix, LinkScheme, batch_class, code_epc, gtin_class, lot_class, sscc_epc};
pub use tag::{RunKey, Verification};
