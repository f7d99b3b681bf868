//! Who keeps, carries and sells the goods of the demo's world, and which shops a distributor serves.

use std::ops::Range;

use super::{
    chance::Chance,
    number,
    party::{CARRIERS, DISTRIBUTORS, Party, SHOP_BRANDS, SHOP_CITIES, SHOP_ROADS, WAREHOUSES},
    world::Size,
};
use crate::{
    registration::{Country, Organization, Uscc},
    trace::{OrganizationId, Role},
};

/// Distributors and shops of a small world.
const SMALL: (usize, usize) = (4, 5);
/// Shops of a full world.
const SHOPS: usize = 320;
/// From so many batches on a world is full of shops.
const FULL_BATCHES: u32 = 1_000;

/// Operators by their places: warehouses first, then carriers, distributors and shops.
#[derive(Clone, Debug)]
pub struct Network {
    /// All of them.
    pub organizations: Vec<Organization>,
    /// Central supervision warehouses, in the order of their table.
    pub warehouses: Range<usize>,
    /// Carriers with reefers.
    pub carriers: Range<usize>,
    /// Distributors.
    pub distributors: Range<usize>,
    /// Shops.
    pub shops: Range<usize>,
    /// The shops that each distributor serves, by its number among distributors; never none.
    served: Vec<Vec<usize>>,
}

impl Network {
    /// The operators of a world; `None` where a table has a value that registration refuses.
    pub fn new(chance: &mut Chance, size: Size) -> Option<Self> {
        let full = size.batches >= FULL_BATCHES;
        let (distributors, shops) = if full { (DISTRIBUTORS.len(), SHOPS) } else { SMALL };
        let warehouses = WAREHOUSES.iter().map(|warehouse| &warehouse.party);
        let parties = warehouses.chain(CARRIERS).chain(DISTRIBUTORS.iter().take(distributors));
        let mut organizations: Vec<_> = parties.map(|party| operator(chance, party)).collect::<Option<_>>()?;
        let first = WAREHOUSES.len() + CARRIERS.len();
        let second = first + distributors;
        organizations.extend((0..shops).map(|shop| shop_of(chance, shop)).collect::<Option<Vec<_>>>()?);
        let shops = second..second + shops;
        let province = |place: usize| organizations.get(place).and_then(province);
        let served = (first..second).map(|distributor| {
            let near: Vec<_> = shops.clone().filter(|shop| province(*shop) == province(distributor)).collect();
            if near.is_empty() { shops.clone().collect() } else { near }
        });
        let served = served.collect();
        Some(Self {
            organizations,
            warehouses: 0..WAREHOUSES.len(),
            carriers: WAREHOUSES.len()..first,
            distributors: first..second,
            shops,
            served,
        })
    }

    /// The shops that a distributor serves, both by their places; never none.
    pub fn served_by(&self, distributor: usize) -> &[usize] {
        let number = distributor.saturating_sub(self.distributors.start);
        self.served.get(number).map(Vec::as_slice).unwrap_or_default()
    }

    /// A shop in another province.
    pub fn elsewhere(&self, shop: usize) -> Option<usize> {
        let province = |place: usize| self.organizations.get(place).and_then(province);
        self.shops.clone().find(|other| province(*other) != province(shop))
    }
}

fn province(organization: &Organization) -> Option<&str> {
    organization.uscc.as_ref().map(Uscc::as_str)?.get(2..4)
}

fn operator(chance: &mut Chance, party: &Party) -> Option<Organization> {
    organization(chance, party.legal_name.to_owned(), party.public_name.map(str::to_owned), party.division)
}

/// The shop of a number: cities in turn, so that even a few are in two provinces.
fn shop_of(chance: &mut Chance, number: usize) -> Option<Organization> {
    let (city, division) = SHOP_CITIES.get(number % SHOP_CITIES.len())?;
    let (brand, kind, is_public) = SHOP_BRANDS.get((number / SHOP_CITIES.len() + number) % SHOP_BRANDS.len())?;
    let road = SHOP_ROADS.get(number / SHOP_CITIES.len() % SHOP_ROADS.len())?;
    // Beyond so many roads there are second branches.
    let second = if number / SHOP_CITIES.len() >= SHOP_ROADS.len() { "二店" } else { "店" };
    let public_name = is_public.then(|| format!("{brand}({city}{road}{second})"));
    organization(chance, format!("{city}{brand}{kind}{road}{second}"), public_name, division)
}

fn organization(
    chance: &mut Chance,
    legal_name: String,
    public_name: Option<String>,
    division: &str,
) -> Option<Organization> {
    Some(Organization {
        id: OrganizationId(0),
        legal_name,
        public_name,
        roles: vec![Role::Operator],
        uscc: Some(number::uscc(chance, division)?),
        country: Country::parse("CN").ok()?,
        gs1_prefix: None,
        gln: None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_shop_has_a_name_of_its_own_and_every_distributor_has_shops() {
        for (size, shops) in [(Size::SMALL, 5), (Size::FULL, SHOPS)] {
            let network = Network::new(&mut Chance::new(1), size).unwrap();
            let names: BTreeSet<_> = network.organizations.iter().map(|found| &found.legal_name).collect();
            assert_eq!(names.len(), network.organizations.len());
            assert_eq!(network.shops.len(), shops);
            for distributor in network.distributors.clone() {
                assert!(!network.served_by(distributor).is_empty());
            }
            let shop = network.shops.start;
            assert_ne!(network.elsewhere(shop), None, "shops are in two provinces");
        }
    }
}
