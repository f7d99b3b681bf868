//! Numbers of the demo's world: each is made with its check character, and read back by the rules of registration.

use super::chance::Chance;
use crate::{
    code::{Gtin, Sscc, check_digit},
    registration::{ContainerNumber, DeclarationNumber, Uscc, ValueError},
};

/// A GTIN-13 under prefix 952, which GS1 keeps for demonstrations and examples and gives to nobody (GS1 General
/// Specifications, figure 1.4.2-1): no label of the demo can be taken for anyone's goods.
pub fn gtin(brand: u16, item: u16) -> Option<Gtin> {
    let digits = format!("952{brand:04}{item:05}");
    format!("{digits}{}", check_digit(&digits)?).parse().ok()
}

/// The SSCC of a pallet under the same prefix.
pub fn sscc(pallet: u32) -> Option<Sscc> {
    let digits = format!("0952{pallet:013}");
    format!("{digits}{}", check_digit(&digits)?).parse().ok()
}

/// A credit code of an enterprise (`91`) in an administrative division of six digits.
pub fn uscc(chance: &mut Chance, division: &str) -> Option<Uscc> {
    const SUBJECT: &[char] = &[
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'L', 'M',
        'N', 'P', 'Q', 'R', 'T', 'U', 'W', 'X', 'Y',
    ];
    let body: String = (0..7).map(|_| chance.of(SUBJECT)).collect();
    with_check(&format!("91{division}MA{body}"), Uscc::parse)
}

/// A container number of an owner whose code of three letters is registered with nobody known.
pub fn container(chance: &mut Chance, owner: &str) -> Option<ContainerNumber> {
    with_check(&format!("{owner}U{}", chance.digits(6)), ContainerNumber::parse)
}

/// A customs declaration (报关单号): office of declaration, year, `1` for imports, nine digits.
pub fn declaration(chance: &mut Chance, office: &str, year: i16) -> Option<DeclarationNumber> {
    DeclarationNumber::parse(&format!("{office}{year:04}1{}", chance.digits(9))).ok()
}

/// `body` with the check character that the reader of the number names.
fn with_check<T>(body: &str, read: fn(&str) -> Result<T, ValueError>) -> Option<T> {
    match read(&format!("{body}0")) {
        Err(ValueError::CheckCharacter { expected, .. }) => read(&format!("{body}{expected}")).ok(),
        done => done.ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_one_that_registration_reads() {
        let mut chance = Chance::new(3);
        for brand in 0..200 {
            assert!(gtin(brand, brand * 7).unwrap().as_str().starts_with("0952"));
            assert!(uscc(&mut chance, "430104").unwrap().as_str().starts_with("91430104MA"));
            assert!(container(&mut chance, "CPF").unwrap().as_str().starts_with("CPFU"));
            assert!(declaration(&mut chance, "5316", 2026).unwrap().as_str().starts_with("531620261"));
        }
    }
}
