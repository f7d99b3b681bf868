//! Crockford base32: the ten digits and the letters without I, L, O and U.

/// The digits of a code, by value.
const DIGITS: [u8; 32] = *b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What [`VALUES`] holds for a byte that is no digit.
const NO_DIGIT: u8 = 0xff;

/// Values by byte, forgiving: lower case reads as upper case, I and L as 1, O as 0.
static VALUES: [u8; 256] = values();

/// Two digits by ten bits: half as many look-ups as digits, and 2 kB stay in the first cache.
static PAIRS: [[u8; 2]; 1024] = pairs();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which refuses an index out of bounds")]
const fn values() -> [u8; 256] {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < DIGITS.len() {
        values[DIGITS[value] as usize] = value as u8;
        values[DIGITS[value].to_ascii_lowercase() as usize] = value as u8;
        value += 1;
    }
    let look_alikes = *b"O0o0I1i1L1l1";
    let mut at = 0;
    while at < look_alikes.len() {
        values[look_alikes[at] as usize] = look_alikes[at + 1] - b'0';
        at += 2;
    }
    values
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which refuses an index out of bounds")]
const fn pairs() -> [[u8; 2]; 1024] {
    let mut pairs = [[0; 2]; 1024];
    let mut bits = 0;
    while bits < pairs.len() {
        pairs[bits] = [DIGITS[bits >> 5], DIGITS[bits & 31]];
        bits += 1;
    }
    pairs
}

/// The value of a digit as people write it, 0 to 31; `None` where the byte is no digit.
#[inline]
#[expect(clippy::indexing_slicing, reason = "a byte indexes 256 entries")]
pub(super) fn value(byte: u8) -> Option<u8> {
    match VALUES[byte as usize] {
        NO_DIGIT => None,
        value => Some(value),
    }
}

/// Two digits for the lowest ten bits, more significant first.
#[inline]
#[expect(clippy::indexing_slicing, reason = "ten bits index 1,024 entries")]
pub(super) fn pair(bits: u64) -> [u8; 2] {
    PAIRS[(bits & 1023) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_the_base_32_of_crockford() {
        let digits: Vec<u8> = (b'0'..=b'9').chain(b'A'..=b'Z').filter(|byte| !b"ILOU".contains(byte)).collect();
        assert_eq!(DIGITS.as_slice(), digits);
    }

    #[test]
    fn every_byte_reads_as_its_digit_its_look_alike_or_nothing() {
        for byte in 0..=u8::MAX {
            let digit = match byte.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                upper => upper,
            };
            let expected = DIGITS.iter().position(|&known| known == digit).map(|at| at as u8);
            assert_eq!(value(byte), expected, "byte {byte:#04x}");
        }
    }

    #[test]
    fn a_pair_reads_back_as_its_ten_bits() {
        for bits in 0..1024 {
            let [high, low] = pair(bits);
            assert_eq!(u64::from(value(high).unwrap()) << 5 | u64::from(value(low).unwrap()), bits);
        }
    }
}
