//! QR symbols (ISO/IEC 18004) of links, at error correction level M: singly, and in bulk.

mod bulk;
mod render;

pub use bulk::BulkSymbols;
pub use render::{png, svg};

use qrcode::bits::Bits;
use qrcode::canvas::{Canvas, MaskPattern};
use qrcode::{Color, EcLevel, QrCode, Version, ec};

/// Light modules around a symbol (ISO/IEC 18004, 6.3.8): readers need four to find it.
pub const QUIET_ZONE_MODULES: u32 = 4;

const LEVEL: EcLevel = EcLevel::M;
/// The mask of every upper-case symbol. The standard lets an encoder choose the fairest of eight and makes
/// readers take any; one for all is what makes a symbol an affine function of its text.
const MASK: MaskPattern = MaskPattern::Checkerboard;
/// The characters of alphanumeric mode by value (ISO/IEC 18004, table 5).
const ALPHANUMERIC: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/// Why a text has no symbol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// Longer than the largest symbol at level M takes.
    #[error("QR symbol: a text of {found} bytes is longer than the largest symbol holds")]
    TooLong {
        /// Bytes of the text.
        found: usize,
    },
    /// Symbols in bulk are drawn in alphanumeric mode only; lower-case links are drawn singly.
    #[error("QR symbol: character {found:?} at position {position} is not in alphanumeric mode")]
    Character {
        /// The first one that does not belong there.
        found: char,
        /// Its place, counted in characters from 1.
        position: usize,
    },
    /// The picture asked for is too small for one pixel a module, or beyond the limit.
    #[error("QR symbol: size {found} found where {least} to {most} pixels are expected")]
    Size {
        /// Side of the picture asked for, in pixels.
        found: u32,
        /// The side with one pixel a module.
        least: u32,
        /// The limit.
        most: u32,
    },
    /// The encoder of the picture failed.
    #[error("QR symbol: PNG: {reason}")]
    Png {
        /// What it said.
        reason: String,
    },
}

/// The modules of a symbol, a bit each, row by row; the quiet zone is not among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    side: u32,
    /// Module (x, y) is bit `y * side + x`, the lowest bit of the first word first; 1 is dark.
    words: Vec<u64>,
}

impl Matrix {
    fn new(side: u32) -> Self {
        Self { side, words: vec![0; (side * side).div_ceil(64) as usize] }
    }

    /// From the modules row by row.
    fn from_modules(side: u32, dark: impl IntoIterator<Item = bool>) -> Self {
        let mut matrix = Self::new(side);
        for (at, dark) in dark.into_iter().enumerate() {
            if let Some(word) = matrix.words.get_mut(at / 64) {
                *word |= u64::from(dark) << (at % 64);
            }
        }
        matrix
    }

    /// Modules along a side, 21 to 177.
    pub fn side(&self) -> u32 {
        self.side
    }

    /// Whether a module is dark, column and row counted from 0 at the upper left. Light outside.
    pub fn is_dark(&self, column: u32, row: u32) -> bool {
        if column >= self.side || row >= self.side {
            return false;
        }
        let at = (row * self.side + column) as usize;
        self.words.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    fn xor(&mut self, words: &[u64]) {
        for (word, other) in self.words.iter_mut().zip(words) {
            *word ^= other;
        }
    }
}

/// Draws the smallest symbol of a text at level M.
///
/// A text in the characters of alphanumeric mode, such as an upper-case link, gets the same symbol as
/// from [`BulkSymbols`], so that a label printed again equals the first one.
///
/// # Errors
/// [`QrError::TooLong`] beyond 2,331 bytes, or 3,391 alphanumeric characters.
pub fn draw(text: &str) -> Result<Matrix, QrError> {
    let too_long = |_| QrError::TooLong { found: text.len() };
    if check_alphanumeric(text).is_ok() {
        return draw_fixed(text.as_bytes(), version_for(text)?);
    }
    let symbol = QrCode::with_error_correction_level(text, LEVEL).map_err(too_long)?;
    let colors = symbol.to_colors();
    Ok(Matrix::from_modules(symbol.width() as u32, colors.into_iter().map(|color| color == Color::Dark)))
}

/// Modules along a side of the symbols of links that begin with `prefix` and end in a code, without
/// the quiet zone; what `serve` prints.
///
/// # Errors
/// [`QrError::TooLong`].
pub fn side_of_links(prefix: &super::LinkPrefix) -> Result<u32, QrError> {
    draw(&(prefix.as_str().to_owned() + &"0".repeat(super::CODE_DIGITS))).map(|matrix| matrix.side)
}

/// Side of a printed symbol in millimetres, its quiet zone included, where a module is so many dots
/// of a printer's head: 203 dots an inch is what label printers have, and 4 dots make the 0.5 mm
/// that GS1 asks of a symbol on a consumer item at least (0.396 mm; General Specifications, 5.12.3).
pub fn printed_side_mm(side_modules: u32, dots_per_module: u32, dots_per_inch: u32) -> f64 {
    let dots = (side_modules + 2 * QUIET_ZONE_MODULES) * dots_per_module;
    f64::from(dots) * 25.4 / f64::from(dots_per_inch)
}

/// The smallest version whose symbol holds an alphanumeric text.
fn version_for(text: &str) -> Result<Version, QrError> {
    let mut versions = (1..=40).map(Version::Normal);
    let fits = |version: &Version| data_bytes(text.as_bytes(), *version).is_ok();
    versions.find(fits).ok_or(QrError::TooLong { found: text.len() })
}

/// The data of a symbol: one segment in alphanumeric mode, padded.
fn data_bytes(text: &[u8], version: Version) -> Result<Vec<u8>, qrcode::types::QrError> {
    let mut bits = Bits::new(version);
    bits.push_alphanumeric_data(text)?;
    bits.push_terminator(LEVEL)?;
    Ok(bits.into_bytes())
}

/// Draws an alphanumeric text with the one mask.
fn draw_fixed(text: &[u8], version: Version) -> Result<Matrix, QrError> {
    let too_long = |_| QrError::TooLong { found: text.len() };
    let data = data_bytes(text, version).map_err(too_long)?;
    let (data, correction) = ec::construct_codewords(&data, version, LEVEL).map_err(too_long)?;
    let mut canvas = Canvas::new(version, LEVEL);
    canvas.draw_all_functional_patterns();
    canvas.draw_data(&data, &correction);
    canvas.apply_mask(MASK);
    Ok(Matrix::from_modules(
        version.width().unsigned_abs().into(),
        canvas.into_colors().into_iter().map(|color| color == Color::Dark),
    ))
}

/// The value of a character in alphanumeric mode, 0 to 44.
fn alphanumeric_value(character: char) -> Option<u32> {
    let known = |&byte: &u8| char::from(byte) == character;
    ALPHANUMERIC.iter().position(known).map(|value| value as u32)
}

fn check_alphanumeric(text: &str) -> Result<(), QrError> {
    match text.chars().enumerate().find(|(_, character)| alphanumeric_value(*character).is_none()) {
        None => Ok(()),
        Some((at, found)) => Err(QrError::Character { found, position: at + 1 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an independent decoder reads.
    fn read(matrix: &Matrix) -> String {
        let dark = |x, y| matrix.is_dark(x as u32, y as u32);
        let grid = rqrr::SimpleGrid::from_func(matrix.side() as usize, dark);
        let (meta, text) = rqrr::Grid::new(grid).decode().unwrap();
        assert_eq!(meta.ecc_level, 0, "level M is 00");
        text
    }

    #[test]
    fn an_independent_decoder_reads_every_case_and_length() {
        for host in
            ["c.cn", "COLD.CN", "demo.coldproof.example", "a-very-long-name-of-a-host.provincial-platform.example"]
        {
            for text in [
                format!("https://{host}/01/09506000134352/21/000003ABCDEFGHJKMNPQ"),
                format!("HTTPS://{}/000003ABCDEFGHJKMNPQ", host.to_uppercase()),
                format!("HTTPS://{}/01/09506000134352/21/Z00003ZZZZZZZZZZZZZZ", host.to_uppercase()),
            ] {
                assert_eq!(read(&draw(&text).unwrap()), text);
            }
        }
    }

    #[test]
    fn an_upper_case_link_takes_the_smallest_version_at_level_m() {
        // 61 alphanumeric characters are what version 3-M holds, 42 bytes what it holds in byte mode.
        assert_eq!(draw(&"A".repeat(61)).unwrap().side(), 29);
        assert_eq!(draw(&"A".repeat(62)).unwrap().side(), 33);
        assert_eq!(draw(&"a".repeat(42)).unwrap().side(), 29);
        assert_eq!(draw(&"a".repeat(43)).unwrap().side(), 33);
        assert_eq!(draw(&"A".repeat(3_391)).unwrap().side(), 177);
        assert_eq!(draw(&"A".repeat(3_392)), Err(QrError::TooLong { found: 3_392 }));
        assert_eq!(draw(&"a".repeat(2_332)), Err(QrError::TooLong { found: 2_332 }));
    }

    #[test]
    fn outside_a_symbol_all_is_light() {
        let matrix = draw("A").unwrap();
        assert!(matrix.is_dark(0, 0) && matrix.is_dark(20, 0) && matrix.is_dark(0, 20));
        assert!(!matrix.is_dark(21, 0) && !matrix.is_dark(0, 21) && !matrix.is_dark(u32::MAX, u32::MAX));
    }
}
