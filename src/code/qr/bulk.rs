//! Symbols in bulk. With version, level and mask fixed, a symbol is an affine function over GF(2) of
//! the bits of its text: Reed-Solomon codes are linear, interleaving moves bits, masking adds a
//! constant. So the symbol of any code is that of one code, XORed with one precomputed matrix for
//! every aligned pair of characters.

use super::{ALPHANUMERIC, Matrix, QrError, alphanumeric_value, check_alphanumeric, draw_fixed, version_for};
use crate::code::{CODE_DIGITS, Code, LinkPrefix};

/// Draws the symbols of all codes behind one prefix; about 1 MB of tables, made in milliseconds.
#[derive(Clone, Debug)]
pub struct BulkSymbols {
    /// The symbol of the code whose digits are all 0.
    base: Matrix,
    tables: Vec<Table>,
}

/// The matrices of one pair of characters, or of the one character that stands over at the end.
#[derive(Clone, Debug)]
struct Table {
    /// Where the pair's part of the code's 100 bits begins.
    shift: u32,
    /// Its bits: ten for two digits of the code, five for one.
    mask: u128,
    /// What differs from the base, for every value of these bits, one matrix behind the other.
    words: Vec<u64>,
}

impl BulkSymbols {
    /// Prepares for the links that begin with `prefix`, in the smallest version that holds them.
    ///
    /// # Errors
    /// [`QrError::Character`] where the prefix is not upper-case, [`QrError::TooLong`].
    pub fn new(prefix: &LinkPrefix) -> Result<Self, QrError> {
        let prefix = prefix.as_str();
        check_alphanumeric(prefix)?;
        let text = prefix.to_owned() + &"0".repeat(CODE_DIGITS);
        let version = version_for(&text)?;
        let base = draw_fixed(text.as_bytes(), version)?;
        let draw = |text: &[u8]| draw_fixed(text, version);
        let mut tables = Vec::with_capacity(CODE_DIGITS / 2 + 1);
        // Alphanumeric mode takes characters in pairs from the beginning of the text.
        let mut from = prefix.len() & !1;
        while from < text.len() {
            tables.push(Table::new(&text, from, prefix.len(), &draw)?);
            from += 2;
        }
        Ok(Self { base, tables })
    }

    /// A matrix of the right size for [`draw`](Self::draw), to be used again and again.
    pub fn blank(&self) -> Matrix {
        Matrix::new(self.base.side)
    }

    /// Draws the symbol of one code into `matrix`, whatever it held.
    pub fn draw(&self, code: Code, matrix: &mut Matrix) {
        matrix.clone_from(&self.base);
        let (bits, words) = (code.to_bits(), self.base.words.len());
        for table in &self.tables {
            let at = (bits >> table.shift & table.mask) as usize * words;
            matrix.xor(table.words.get(at..at + words).unwrap_or_default());
        }
    }
}

impl Table {
    /// Of the pair at `from`, in a text whose code begins at `code_from` with digits 0.
    fn new(
        text: &str,
        from: usize,
        code_from: usize,
        draw: &impl Fn(&[u8]) -> Result<Matrix, QrError>,
    ) -> Result<Self, QrError> {
        let pair: Vec<char> = text.chars().skip(from).take(2).collect();
        let basis = basis(text, from, pair.len(), draw)?;
        let base_value = pair_value(&pair);
        // The characters of this pair that are digits of the code.
        let (first, end) = (from.max(code_from), from + pair.len());
        let digits = end - first;
        let words = basis.first().map_or(0, |matrix| matrix.words.len());
        let mut table = Self {
            shift: 5 * (text.len() - end) as u32,
            mask: (1 << (5 * digits)) - 1,
            words: Vec::with_capacity(words << (5 * digits)),
        };
        for bits in 0..1u64 << (5 * digits) {
            let mut pair = pair.clone();
            let code_digits = crate::code::alphabet::pair(bits).map(char::from);
            for (character, digit) in pair.iter_mut().rev().zip(code_digits.into_iter().rev()).take(digits) {
                *character = digit;
            }
            let difference = pair_value(&pair) ^ base_value;
            let at = table.words.len();
            table.words.resize(at + words, 0);
            for (_, matrix) in basis.iter().enumerate().filter(|(bit, _)| difference >> bit & 1 == 1) {
                for (word, other) in table.words.iter_mut().skip(at).zip(&matrix.words) {
                    *word ^= other;
                }
            }
        }
        Ok(table)
    }
}

/// What each bit of the pair at `from` changes in the symbol: 11 matrices for a pair, 6 for one character.
fn basis(
    text: &str,
    from: usize,
    characters: usize,
    draw: &impl Fn(&[u8]) -> Result<Matrix, QrError>,
) -> Result<Vec<Matrix>, QrError> {
    let draw_value = |value: usize| {
        let mut text = text.as_bytes().to_vec();
        let digits = [value / ALPHANUMERIC.len(), value % ALPHANUMERIC.len()];
        let digits = digits.iter().filter_map(|digit| ALPHANUMERIC.get(*digit));
        // One character alone is the lower digit.
        for (byte, digit) in text.iter_mut().skip(from).zip(digits.skip(2 - characters)) {
            *byte = *digit;
        }
        draw(&text)
    };
    let zero = draw_value(0)?;
    let bits = if characters == 2 { 11 } else { 6 };
    let mut matrices = (0..bits).map(|bit| draw_value(1 << bit)).collect::<Result<Vec<Matrix>, QrError>>()?;
    matrices.iter_mut().for_each(|matrix| matrix.xor(&zero.words));
    Ok(matrices)
}

/// The number that alphanumeric mode writes for a pair of characters, or for one (ISO/IEC 18004, 7.4.4).
fn pair_value(pair: &[char]) -> u32 {
    pair.iter().fold(0, |value, character| value * 45 + alphanumeric_value(*character).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::code::qr::draw;
    use crate::code::{LinkCase, LinkScheme};

    fn prefix(host_characters: usize, with_gtin: bool, case: LinkCase) -> LinkPrefix {
        let labels = ["a-2.b9"; 8].join(".");
        let host = labels[..host_characters].parse().unwrap();
        let gtin = with_gtin.then(|| "09506000134352".parse().unwrap());
        LinkPrefix::new(LinkScheme::Https, &host, gtin, case)
    }

    #[test]
    fn a_symbol_in_bulk_equals_the_one_that_the_crate_draws() {
        // Odd and even lengths, one block of error correction and several.
        for (host, with_gtin) in [(3, false), (8, true), (10, true), (13, true), (17, true), (38, true), (48, true)] {
            let prefix = prefix(host, with_gtin, LinkCase::Upper);
            let symbols = BulkSymbols::new(&prefix).unwrap();
            let mut matrix = symbols.blank();
            let ends = [0, (1 << 100) - 1, 1, 1 << 99];
            let scattered =
                (1..40u128).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) >> 28);
            for bits in ends.into_iter().chain(scattered) {
                let code = Code::from_bits(bits).unwrap();
                symbols.draw(code, &mut matrix);
                assert_eq!(matrix, draw(&prefix.link(code)).unwrap(), "{}", prefix.link(code));
            }
        }
    }

    #[test]
    fn lower_case_is_refused_with_its_place() {
        let error = BulkSymbols::new(&prefix(8, true, LinkCase::Lower)).unwrap_err();
        assert_eq!(error, QrError::Character { found: 'h', position: 1 });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn any_code_in_bulk_equals_the_one_that_the_crate_draws(bits in 0u128..1 << 100) {
            static SYMBOLS: std::sync::LazyLock<BulkSymbols> =
                std::sync::LazyLock::new(|| BulkSymbols::new(&prefix(10, true, LinkCase::Upper)).unwrap());
            let code = Code::from_bits(bits).unwrap();
            let mut matrix = SYMBOLS.blank();
            SYMBOLS.draw(code, &mut matrix);
            prop_assert_eq!(matrix, draw(&prefix(10, true, LinkCase::Upper).link(code)).unwrap());
        }
    }
}
