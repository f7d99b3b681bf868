//! Chance that is the same every time.

/// Numbers that look random and follow from a seed: SplitMix64 (Steele, Lea and Flood, 2014). No secret comes from it.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from `first` to `last`; `first` where the range is empty.
    pub fn within(&mut self, first: u32, last: u32) -> u32 {
        let width = u64::from(last.saturating_sub(first)) + 1;
        let offset = self.next() % width;
        first + u32::try_from(offset).unwrap_or_default()
    }

    /// One of a table's rows.
    ///
    /// # Panics
    /// Where the table is empty: tables are written in the source.
    pub fn of<'a, T>(&mut self, table: &'a [T]) -> &'a T {
        let last = u32::try_from(table.len()).unwrap_or(u32::MAX).saturating_sub(1);
        let at = self.within(0, last) as usize;
        #[expect(clippy::expect_used, reason = "tables of the demo are constants with rows in them")]
        table.get(at).expect("a table has rows")
    }

    /// So many digits, the first of them not 0.
    pub fn digits(&mut self, count: usize) -> String {
        let digit = |at: usize, chance: &mut Self| chance.within(u32::from(at == 0), 9);
        (0..count).filter_map(|at| char::from_digit(digit(at, self), 10)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_every_time() {
        let draw = |seed| Chance::new(seed).digits(18);
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn numbers_stay_within_their_range_and_reach_both_ends() {
        let mut chance = Chance::new(1);
        let drawn: std::collections::BTreeSet<_> = (0..1000).map(|_| chance.within(5, 9)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [5, 6, 7, 8, 9]);
        assert_eq!(chance.within(9, 5), 9);
    }
}
