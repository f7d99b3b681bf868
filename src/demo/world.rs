//! The whole of a demo's world, before anything of it is registered.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{
    chance::Chance,
    goods::{KINDS, Kind, ROUTES},
    network::Network,
    number,
    party::{IMPORTERS, Party},
    plan::{PlannedConsignment, consignment},
};
use crate::{
    code::Gtin,
    registration::{
        Country, Decimal, HsCode, Level, Organization, PackagingLevel, Product, Quantity, StorageLimits, Uom,
    },
    trace::{OrganizationId, ProductId, Role},
};

/// How much of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Batches, 5 or more.
    pub batches: u32,
    /// Codes of all batches together, at least 1,000 and one a batch.
    pub codes: u32,
}

impl Size {
    /// A world that is made in a second.
    pub const SMALL: Self = Self { batches: 20, codes: 20_000 };
    /// As much as a province issued.
    pub const FULL: Self = Self { batches: 10_000, codes: 8_330_000 };
}

/// Codes of the first batch: its run is left alone, for tools to try.
pub const FIRST_RUN_CODES: u32 = 1_000;
/// Batches of a consignment.
const CONSIGNMENT_BATCHES: (u32, u32) = (5, 60);

/// Everything that is registered. Numbers of things are 0 until they have been.
#[derive(Clone, Debug)]
pub struct World {
    /// Who runs the service.
    pub admin: Organization,
    /// Who inspects.
    pub inspector: Organization,
    /// Importers; consignments name them by their place here.
    pub importers: Vec<Organization>,
    /// Warehouses, carriers, distributors and shops.
    pub network: Network,
    /// Products: the importer that registers it, the kind of goods, and the product without its picture.
    pub products: Vec<(usize, usize, Product)>,
    /// Consignments with their batches. The first batch is the one for large orders.
    pub consignments: Vec<PlannedConsignment>,
}

impl World {
    /// The world as of a day, the same for the same seed; `None` where a table of the demo has a value that
    /// registration refuses.
    pub fn new(size: Size, today: Date, seed: u64) -> Option<Self> {
        let mut chance = Chance::new(seed);
        let chance = &mut chance;
        let importers: Vec<_> =
            IMPORTERS.iter().map(|party| organization(chance, party, Role::Importer)).collect::<Option<_>>()?;
        let network = Network::new(chance, size)?;
        let consignments = consignments(chance, size, today, &importers)?;
        let registered: BTreeSet<(usize, usize)> = consignments
            .iter()
            .flat_map(|consignment| consignment.batches.iter().map(|batch| (consignment.importer, batch.kind)))
            .collect();
        let products = registered.into_iter().map(|(importer, kind)| Some((importer, kind, product(kind)?)));
        let products = products.collect::<Option<_>>()?;
        Some(Self {
            admin: public_body("冷证追溯平台运营中心(演示)", Role::Admin)?,
            inspector: public_body("冷链食品监督管理所", Role::Inspector)?,
            importers,
            network,
            products,
            consignments,
        })
    }
}

fn consignments(
    chance: &mut Chance,
    size: Size,
    today: Date,
    importers: &[Organization],
) -> Option<Vec<PlannedConsignment>> {
    let (mut consignments, mut batches_left, mut codes_left) = (Vec::new(), size.batches, size.codes);
    for (at, (origin, air)) in ROUTES.iter().cycle().enumerate() {
        if batches_left == 0 {
            break;
        }
        let count = batches_of_next(chance, batches_left, size);
        let orders: Vec<u32> = (0..count)
            .map(|batch| {
                let left = batches_left - batch;
                let first = at == 0 && batch == 0;
                let mean = codes_left / left;
                let codes = match left {
                    _ if first => FIRST_RUN_CODES.min(codes_left),
                    1 => codes_left,
                    _ => chance.within(mean * 3 / 4, mean * 5 / 4),
                };
                codes_left -= codes;
                codes
            })
            .collect();
        // The first importer takes the first consignment; its neighbours follow, in no fixed order.
        let importer = if at < importers.len() { at } else { chance.within(0, importers.len() as u32 - 1) as usize };
        let first_batch = size.batches - batches_left;
        let parties = (importer, importers.get(importer)?);
        consignments.push(consignment(chance, today, parties, (at, origin, *air), first_batch, &orders)?);
        batches_left -= count;
    }
    Some(consignments)
}

/// How many batches the next consignment has: so many that no fewer than five are left for the last one.
fn batches_of_next(chance: &mut Chance, left: u32, size: Size) -> u32 {
    let (least, most) = CONSIGNMENT_BATCHES;
    // A small world has small consignments, so that it has several.
    let most = most.min((size.batches / 4).max(least));
    match left {
        left if left <= most => left,
        left if left < most + least => left - least,
        _ => chance.within(least, most),
    }
}

fn organization(chance: &mut Chance, party: &Party, role: Role) -> Option<Organization> {
    Some(Organization {
        id: OrganizationId(0),
        legal_name: party.legal_name.to_owned(),
        public_name: party.public_name.map(str::to_owned),
        roles: vec![role],
        uscc: Some(number::uscc(chance, party.division)?),
        country: Country::parse("CN").ok()?,
        gs1_prefix: None,
        gln: None,
    })
}

fn public_body(name: &str, role: Role) -> Option<Organization> {
    Some(Organization {
        id: OrganizationId(0),
        legal_name: name.to_owned(),
        public_name: Some(name.to_owned()),
        roles: vec![role],
        uscc: None,
        country: Country::parse("CN").ok()?,
        gs1_prefix: None,
        gln: None,
    })
}

/// Grams as the kilograms or grams that a label says.
pub(super) fn weight(grams: u64) -> Option<Quantity> {
    let (text, uom) = if grams < 1_000 {
        (grams.to_string(), "GRM")
    } else {
        (format!("{}.{:03}", grams / 1_000, grams % 1_000), "KGM")
    };
    Some(Quantity { value: text.parse().ok()?, uom: Uom::parse(uom).ok()? })
}

/// The GTIN of a kind of goods; those that are packed only in cartons of their own weight have none.
pub(super) fn gtin_of(kind: usize) -> Option<Gtin> {
    let goods = KINDS.get(kind).filter(|goods| goods.per_case > 0)?;
    // One company prefix a brand: that of its first kind.
    let brand = KINDS.iter().position(|other| other.brand == goods.brand)?;
    number::gtin(u16::try_from(brand).ok()? + 4100, u16::try_from(kind).ok()? * 10 + 3)
}

fn product(kind: usize) -> Option<Product> {
    let goods = KINDS.get(kind)?;
    let (min, max) = goods.storage_celsius;
    Some(Product {
        id: ProductId(0),
        organization: OrganizationId(0),
        gtin: gtin_of(kind),
        name_zh: goods.name_zh.to_owned(),
        name_en: Some(goods.name_en.to_owned()),
        category: goods.category,
        brand: Some(goods.brand.to_owned()),
        specification: Some(goods.specification.to_owned()),
        packaging: packaging(goods)?,
        storage: StorageLimits::new(min.map(f64::from), Some(f64::from(max))).ok()?,
        hs_code: Some(HsCode::parse(goods.hs_code).ok()?),
        picture: None,
    })
}

fn packaging(goods: &Kind) -> Option<Vec<PackagingLevel>> {
    let net = weight(goods.net_grams)?;
    if goods.per_case == 0 {
        return Some(vec![PackagingLevel { level: Level::Case, items: 1, net: Some(net) }]);
    }
    let case = weight(goods.net_grams * u64::from(goods.per_case))?;
    Some(vec![
        PackagingLevel { level: Level::Item, items: 1, net: Some(net) },
        PackagingLevel { level: Level::Case, items: goods.per_case, net: Some(case) },
    ])
}

/// So many pieces of a kind of packaging, by its code of UN/CEFACT Recommendation 20.
pub(super) fn pieces(count: u64, uom: &str) -> Option<Quantity> {
    Some(Quantity { value: Decimal::whole(count), uom: Uom::parse(uom).ok()? })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::{
        config::Config,
        registration::{Activation, EffectiveBatch},
    };

    const TODAY: Date = date(2026, 11, 22);

    fn codes(world: &World) -> (usize, u64) {
        let batches = || world.consignments.iter().flat_map(|consignment| &consignment.batches);
        (batches().count(), batches().map(|batch| u64::from(batch.codes)).sum())
    }

    #[test]
    fn both_sizes_have_exactly_the_batches_and_codes_that_they_promise() {
        assert_eq!(codes(&World::new(Size::SMALL, TODAY, 1).unwrap()), (20, 20_000));
        let full = World::new(Size::FULL, TODAY, 1).unwrap();
        assert_eq!(codes(&full), (10_000, 8_330_000));
        assert!(full.consignments.iter().all(|consignment| (5..=60).contains(&consignment.batches.len())));
    }

    #[test]
    fn a_world_follows_from_its_day_and_seed() {
        let world = |seed| format!("{:?}", World::new(Size::SMALL, TODAY, seed).unwrap());
        assert_eq!(world(1), world(1));
        assert_ne!(world(1), world(2));
    }

    #[test]
    fn every_batch_may_have_its_codes_by_the_rules_of_registration() {
        let world = World::new(Size { batches: 900, codes: 750_000 }, TODAY, 5).unwrap();
        let mut expired = 0;
        for planned in &world.consignments {
            for batch in &planned.batches {
                assert_eq!(batch.batch.errors().len(), 1, "it lacks the product alone: {:?}", batch.batch.errors());
                let product = world
                    .products
                    .iter()
                    .find(|(importer, kind, _)| (*importer, *kind) == (planned.importer, batch.kind));
                let effective = EffectiveBatch::new(&batch.batch, &planned.consignment, product.map(|found| &found.2));
                assert_eq!(
                    Config::default_values().unwrap().papers.profiles.missing(&effective, &[]),
                    [],
                    "codes may be ordered"
                );
                assert_eq!(batch.batch.ai10.is_some(), gtin_of(batch.kind).is_some());
                let last = batch.batch.expiry.unwrap().last;
                assert!(planned.consignment.entry_date.unwrap() <= last, "goods enter before they expire");
                expired += usize::from(last < TODAY);
            }
        }
        assert_eq!(expired, 900 / 20, "one in twenty, by intent");
    }

    #[test]
    fn a_small_world_has_a_dozen_kinds_and_each_case_that_a_page_can_show() {
        let world = World::new(Size::SMALL, TODAY, 1).unwrap();
        let kinds: BTreeSet<_> = world.products.iter().map(|(_, kind, _)| kind).collect();
        assert!(kinds.len() >= 12, "{}", kinds.len());
        let batches = || world.consignments.iter().flat_map(|consignment| &consignment.batches);
        assert!(batches().any(|batch| batch.activate == Activation::OnReport));
        assert!(batches().any(|batch| batch.level == Level::Case), "goods without a GTIN");
        assert!(batches().any(|batch| batch.batch.expiry.unwrap().last < TODAY));
        assert!(world.importers.iter().any(|importer| importer.public_name.is_none()));
        let first = &world.consignments[0].batches[0];
        assert_eq!((first.codes, first.batch.quantities.item), (FIRST_RUN_CODES, Some(20_000_000)));
    }
}
