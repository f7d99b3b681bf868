//! Amounts of one thing added up, whatever units they came in.

use super::{Decimal, Dimension, Quantity, Uom};

/// Amounts added up: masses together, volumes together, and others by their unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amounts(Vec<Total>);

/// Millionths of a unit, times its factor where it converts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Total {
    uom: Uom,
    base: u128,
}

impl Amounts {
    /// One amount.
    pub fn of(quantity: &Quantity) -> Self {
        let mut amounts = Self::default();
        amounts.add(quantity, 1);
        amounts
    }

    /// Adds so many of an amount.
    pub fn add(&mut self, quantity: &Quantity, times: u64) {
        let (factor, shown) = scale(&quantity.uom);
        let base = u128::from(quantity.value.millionths()).saturating_mul(factor).saturating_mul(u128::from(times));
        match self.0.iter_mut().find(|total| total.uom == shown) {
            Some(total) => total.base = total.base.saturating_add(base),
            None => self.0.push(Total { uom: shown, base }),
        }
    }

    /// Adds all of another.
    pub fn extend(&mut self, other: &Self) {
        for total in &other.0 {
            match self.0.iter_mut().find(|own| own.uom == total.uom) {
                Some(own) => own.base = own.base.saturating_add(total.base),
                None => self.0.push(total.clone()),
            }
        }
    }

    /// The sums: masses in kilograms, volumes in litres, others in their own unit, rounded down to six digits.
    pub fn quantities(&self) -> Vec<Quantity> {
        self.0.iter().map(Total::quantity).collect()
    }

    /// What of this can be compared with `whole` and is more than it.
    pub fn above(&self, whole: &Quantity) -> Option<Quantity> {
        let (factor, shown) = scale(&whole.uom);
        let most = u128::from(whole.value.millionths()).saturating_mul(factor);
        self.0.iter().find(|total| total.uom == shown && total.base > most).map(Total::quantity)
    }
}

impl Total {
    fn quantity(&self) -> Quantity {
        let (factor, _) = scale(&self.uom);
        let millionths = self.base.checked_div(factor).unwrap_or_default();
        Quantity {
            value: Decimal::from_millionths(u64::try_from(millionths).unwrap_or(u64::MAX)),
            uom: self.uom.clone(),
        }
    }
}

/// A unit's factor, and the unit in which its dimension is summed up.
fn scale(uom: &Uom) -> (u128, Uom) {
    match uom.factor() {
        Some((Dimension::Mass, factor)) => (factor.into(), Uom::kilogram()),
        Some((Dimension::Volume, factor)) => (factor.into(), Uom::litre()),
        None => (1, uom.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(text: &str) -> Quantity {
        let (value, uom) = text.split_once(' ').unwrap();
        Quantity { value: value.parse().unwrap(), uom: Uom::parse(uom).unwrap() }
    }

    #[test]
    fn masses_add_up_whatever_their_unit_and_pieces_stay_apart() {
        let mut amounts = Amounts::of(&quantity("1.5 TNE"));
        amounts.add(&quantity("250 GRM"), 4);
        amounts.add(&quantity("2 LBR"), 1);
        amounts.add(&quantity("3 H87"), 2);
        amounts.extend(&Amounts::of(&quantity("500 MLT")));
        let told: Vec<_> = amounts.quantities().iter().map(ToString::to_string).collect();
        assert_eq!(told, ["1501.907184 KGM", "6 H87", "0.5 LTR"]);
    }

    #[test]
    fn more_than_a_whole_is_found_in_its_dimension_alone() {
        let mut amounts = Amounts::of(&quantity("20 KGM"));
        assert_eq!(amounts.above(&quantity("20 KGM")), None);
        assert_eq!(amounts.above(&quantity("1 H87")), None);
        amounts.add(&quantity("1 MGM"), 1);
        assert_eq!(amounts.above(&quantity("20000 GRM")), Some(quantity("20.000001 KGM")));
    }
}
