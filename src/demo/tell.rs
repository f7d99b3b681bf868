//! From a compact report to the event that says it.

use jiff::civil::Date;

use super::{
    chance::Chance,
    goods::KINDS,
    number,
    reefer::readings,
    report::{By, Goods, Parent, Report, What},
};
use crate::{
    code::{Code, Lot, Serial, sscc_epc},
    epcis::{
        Action, BizStep, Class, ClassQuantity, Disposition, DocumentError, Event, Hosts,
        shapes::{self, BatchSpan, Carrier, Movement, NamedGoods, NamedParty, Occasion},
    },
    service::{Caller, issue::Issued},
    trace::{BatchId, OrganizationId},
};

/// The offset of the demo's country from UTC, in minutes.
pub const OFFSET_MINUTES: i16 = 480;
/// Minutes between two readings of a pallet's logger.
const LEG_STEP_MIN: u16 = 15;

/// Who reports, by place.
pub struct Cast {
    /// Importers.
    pub importers: Vec<Caller>,
    /// Warehouses, carriers, distributors and shops.
    pub operators: Vec<Caller>,
    /// The inspectorate.
    pub inspector: Caller,
}

impl Cast {
    /// Whose key it is.
    pub fn caller(&self, by: By) -> Option<&Caller> {
        match by {
            By::Importer(place) => self.importers.get(usize::from(place)),
            By::Operator(place) => self.operators.get(usize::from(place)),
            By::Inspector => Some(&self.inspector),
        }
    }

    fn organization(&self, by: By) -> Option<OrganizationId> {
        self.caller(by).map(|caller| caller.organization)
    }
}

/// A registered batch with its codes.
pub struct Labels {
    /// The batch.
    pub batch: BatchId,
    /// The place of its kind of goods.
    pub kind: usize,
    /// Its lot, where it may stand beside a GTIN.
    pub lot: Option<Lot>,
    /// The codes.
    pub codes: Issued,
    /// The codes of its cases, where it has any.
    pub cases: Option<Issued>,
}

impl Labels {
    /// The code of a serial.
    pub fn code(&self, serial: u32) -> Option<Code> {
        code(&self.codes, serial)
    }

    fn span(&self, of: &Issued, first: u32, last: u32) -> Option<BatchSpan> {
        Some(BatchSpan { batch: self.batch, first: code(of, first)?, last: code(of, last)? })
    }

    fn goods(&self, goods: Goods) -> NamedGoods {
        let cases = || self.cases.as_ref();
        let spans = match goods {
            Goods::Codes(first, last) => vec![self.span(&self.codes, first, last)],
            Goods::Cases(first, last) => vec![cases().and_then(|cases| self.span(cases, first, last))],
            Goods::All(codes, count) => vec![
                codes.checked_sub(1).and_then(|last| self.span(&self.codes, 0, last)),
                count.checked_sub(1).and_then(|last| self.span(cases()?, 0, last)),
            ],
            Goods::Pallet(pallet) => {
                return NamedGoods { epcs: pallet_epc(pallet).into_iter().collect(), ..NamedGoods::default() };
            }
        };
        NamedGoods { spans: spans.into_iter().flatten().collect(), ..NamedGoods::default() }
    }

    fn whole(&self) -> NamedGoods {
        let class = ClassQuantity { class: Class::Batch(self.batch), quantity: None, uom: None };
        NamedGoods { classes: vec![class], ..NamedGoods::default() }
    }

    fn parent(&self, parent: Parent, hosts: &Hosts) -> String {
        let found = match parent {
            Parent::Pallet(pallet) => pallet_epc(pallet),
            Parent::Case(case) => self.cases.as_ref().and_then(|cases| code(cases, case)).map(|code| link(code, hosts)),
        };
        found.unwrap_or_default()
    }
}

/// A code of a run.
pub fn code(issued: &Issued, serial: u32) -> Option<Code> {
    Serial::new(serial).map(|serial| issued.key.code(serial))
}

/// A code as an event names it.
pub fn link(code: Code, hosts: &Hosts) -> String {
    format!("https://{}/{code}", hosts.canonical())
}

/// The URI of a pallet.
pub fn pallet_epc(pallet: u32) -> Option<String> {
    number::sscc(pallet).map(sscc_epc)
}

/// An occasion in the demo's country.
pub fn occasion(event_time_ms: i64) -> Occasion {
    Occasion { event_time_ms, offset_minutes: OFFSET_MINUTES, read_point: None }
}

/// The event that says a report.
///
/// # Errors
/// Where it would be refused: then the plan is wrong.
pub fn event(report: &Report, labels: &Labels, cast: &Cast, hosts: &Hosts) -> Result<Event, DocumentError> {
    let occasion = occasion(report.at_ms);
    let whole = |step, disposition| moved(step, disposition, labels.whole(), None, None);
    let goods = |goods| labels.goods(goods);
    let own = cast.organization(report.by);
    let movement = match report.what {
        What::PackedForExport => whole(BizStep::Packing, None),
        What::Departed => whole(BizStep::Departing, Some(Disposition::InTransit)),
        What::Arrived => whole(BizStep::Arriving, None),
        What::Cleared => whole(BizStep::Inspecting, Some(Disposition::Conformant)),
        What::Released => whole(BizStep::Inspecting, Some(Disposition::SellableNotAccessible)),
        What::Ship(what, to) => {
            let to = cast.organization(to);
            moved(BizStep::Shipping, Some(Disposition::InTransit), goods(what), own, to)
        }
        What::Receive(what, from) => {
            let from = cast.organization(from);
            moved(BizStep::Receiving, Some(Disposition::SellableNotAccessible), goods(what), from, own)
        }
        What::Stock(what) => moved(BizStep::Stocking, Some(Disposition::SellableAccessible), goods(what), None, None),
        What::Sell(what) => moved(BizStep::RetailSelling, Some(Disposition::RetailSold), goods(what), None, None),
        What::Pack(what, parent) => {
            let (parent, goods) = (labels.parent(parent, hosts), goods(what));
            return shapes::aggregation(&occasion, Action::Add, &parent, &goods, &BizStep::Packing, hosts);
        }
        What::Unpack(parent) => {
            let (parent, none) = (labels.parent(parent, hosts), NamedGoods::default());
            return shapes::aggregation(&occasion, Action::Delete, &parent, &none, &BizStep::Unpacking, hosts);
        }
        What::Voyage { from_ms, step_min, broken } => {
            return sensed(report, labels, Carrier::Batch(labels.batch), (from_ms, step_min, broken), hosts);
        }
        What::Leg { pallet, from_ms } => {
            let carrier = Carrier::Unit(pallet_epc(pallet).unwrap_or_default());
            return sensed(report, labels, carrier, (from_ms, LEG_STEP_MIN, false), hosts);
        }
    };
    shapes::movement(&occasion, &movement, hosts)
}

fn moved(
    biz_step: BizStep,
    disposition: Option<Disposition>,
    goods: NamedGoods,
    from: Option<OrganizationId>,
    to: Option<OrganizationId>,
) -> Movement {
    let (from, to) = (from.map(NamedParty::Organization), to.map(NamedParty::Organization));
    Movement { biz_step, disposition, goods, from, to, biz_location: None, transactions: Vec::new() }
}

fn sensed(
    report: &Report,
    labels: &Labels,
    carrier: Carrier,
    (from_ms, step_min, broken): (i64, u16, bool),
    hosts: &Hosts,
) -> Result<Event, DocumentError> {
    let mut chance = Chance::new(u64::from(report.batch) << 20 ^ report.at_ms.unsigned_abs());
    let goods = KINDS.get(labels.kind);
    let made = goods.and_then(|goods| readings(&mut chance, goods, (from_ms, report.at_ms), step_min, broken).ok());
    // A journey of no time at all has no reading; the plan has none of these.
    let Some((series, mean)) = made else { return shapes::movement(&occasion(report.at_ms), &nothing(labels), hosts) };
    let device = format!("https://id.gs1.org/8004/9524199R{:06}", report.batch);
    shapes::temperatures(&occasion(report.at_ms), &carrier, &series, mean, Some(&device), hosts)
}

fn nothing(labels: &Labels) -> Movement {
    moved(BizStep::SensorReporting, None, labels.whole(), None, None)
}

/// Midnight of a day in the demo's country, milliseconds since 1970-01-01 UTC.
pub fn midnight_ms(day: Date) -> i64 {
    let offset = jiff::tz::Offset::constant(8);
    offset.to_timestamp(day.to_datetime(jiff::civil::Time::midnight())).map_or(0, |at| at.as_millisecond())
}
