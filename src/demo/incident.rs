//! What goes wrong in the demo's world, and what is done about it.

use std::{collections::HashMap, sync::Arc};

use super::{
    fill::{Error, Result},
    history::capture,
    register::issue,
    report::{By, Goods, Report, What},
    tale::Tale,
    tell::{Cast, Labels, event, link, occasion},
    world::{gtin_of, weight},
};
use crate::{
    epcis::shapes::{self, BatchFacts, BatchSpan, MeasureKind, NamedGoods, Transformation},
    registration::{Activation, Level},
    service::{Caller, Service, issue::Order, measure::MeasureOrder},
};

const HOUR_MS: i64 = 3_600_000;
/// Portions of the case that is split.
const PORTIONS: u32 = 8;
/// Net weight of one of them.
const PORTION_GRAMS: u64 = 2_500;

/// Where incidents happen.
pub struct Incidents<'a> {
    /// The service.
    pub service: &'a Arc<Service>,
    /// Who takes part.
    pub cast: &'a Cast,
    /// Now.
    pub now_ms: i64,
}

/// What goes wrong with reports on one batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ill {
    /// A report that comes late.
    pub late: Option<Report>,
    /// A code on a shelf whose sale is reported in error: its serial, the shop, and since when it is there.
    pub shelf: Option<(u32, By, i64)>,
}

/// Has each story happen that is no journey: a recall, a hold, a split case, a report that comes late and one that is
/// corrected.
///
/// # Errors
/// Where the service refuses one.
pub async fn happen(incidents: &Incidents<'_>, labels: &HashMap<Tale, Arc<Labels>>, ill: &Ill) -> Result<()> {
    let of = |tale| labels.get(&tale).ok_or(Error::Lacks("batch that is old enough for a story"));
    incidents.recall(of(Tale::Recalled)?).await?;
    incidents.hold(of(Tale::Held)?).await?;
    incidents.split(of(Tale::Split)?).await?;
    let corrected = of(Tale::Corrected)?;
    incidents.correct(ill.shelf.ok_or(Error::Lacks("code on a shelf"))?, corrected).await?;
    let late = ill.late.ok_or(Error::Lacks("report that comes late"))?;
    capture(incidents.service, incidents.cast, late.by, vec![(late, Arc::clone(corrected))]).await?;
    Ok(())
}

impl Incidents<'_> {
    /// The whole batch, by the inspectorate.
    async fn recall(&self, labels: &Labels) -> Result<()> {
        let text = |text: &str| Some(text.to_owned());
        let order = MeasureOrder {
            kind: MeasureKind::Recall,
            batch: Some(labels.batch),
            lot: None,
            spans: Vec::new(),
            units: Vec::new(),
            reason: text("监督抽检: 镉含量超过 GB 2762 的限量"),
            notice: text(
                "该批次经监督抽检, 镉含量超过国家标准限量, 现予召回。 / \
                 A sample of this batch had more cadmium than the national standard allows. The batch is recalled.",
            ),
            advice: text(
                "请勿食用, 可凭包装到购买处退货退款。 / \
                 Do not eat it. Take the package back to the shop; you will be refunded.",
            ),
        };
        self.service.make_measure(&self.cast.inspector, order).await?;
        Ok(())
    }

    /// The lot of a batch, by its importer.
    async fn hold(&self, labels: &Labels) -> Result<()> {
        let importer = self.importer(labels)?;
        let lot = labels.lot.clone().ok_or(Error::Lacks("lot"))?;
        let gtin = gtin_of(labels.kind).ok_or(Error::Lacks("GTIN"))?;
        let order = MeasureOrder {
            kind: MeasureKind::Hold,
            batch: None,
            lot: Some((gtin, lot)),
            spans: Vec::new(),
            units: Vec::new(),
            reason: Some("中文标签与备案不符, 待核对".to_owned()),
            notice: Some(
                "该批号的中文标签正在核对, 暂停销售。 / \
                 The Chinese label of this lot is being checked; its sale is suspended."
                    .to_owned(),
            ),
            advice: Some("结果公布前请勿食用。 / Do not eat it until the result is published.".to_owned()),
        };
        self.service.make_measure(importer, order).await?;
        Ok(())
    }

    fn importer(&self, labels: &Labels) -> Result<&Caller> {
        let of = |caller: &&Caller| caller.organization == labels.codes.run.organization;
        self.cast.importers.iter().find(of).ok_or(Error::Lacks("importer"))
    }

    /// A case that its importer opens and sells in portions with codes of their own.
    async fn split(&self, labels: &Labels) -> Result<()> {
        let importer = self.importer(labels)?;
        let (count, level, activate) = (PORTIONS, Level::Item, Activation::OnReport);
        let order = Order { count, level, content: weight(PORTION_GRAMS), activate };
        let portions = issue(self.service, importer, labels.batch, order);
        let portions =
            Labels { batch: labels.batch, kind: labels.kind, lot: None, codes: portions.await?, cases: None };
        let lacks = || Error::Lacks("code");
        let case = labels.code(0).ok_or_else(lacks)?;
        let (first, last) = (portions.code(0).ok_or_else(lacks)?, portions.code(PORTIONS - 1).ok_or_else(lacks)?);
        let transformation = Transformation {
            inputs: NamedGoods { epcs: vec![link(case, &self.service.hosts)], ..NamedGoods::default() },
            outputs: NamedGoods {
                spans: vec![BatchSpan { batch: labels.batch, first, last }],
                ..NamedGoods::default()
            },
            disposition: None,
            facts: BatchFacts { specification: Some("分割小包装".to_owned()), ..BatchFacts::default() },
            id: None,
        };
        let event = shapes::transformation(&occasion(self.now_ms), &transformation, &self.service.hosts)?;
        self.service.capture_made(importer, &[&event.body]).await?;
        Ok(())
    }

    /// A shop reports a sale, finds that it has put the package back on the shelf, and corrects that.
    async fn correct(&self, (serial, by, _): (u32, By, i64), labels: &Labels) -> Result<()> {
        let caller = self.cast.caller(by).ok_or(Error::Lacks("organization"))?;
        let (at_ms, goods) = (self.now_ms - 30 * HOUR_MS, Goods::Codes(serial, serial));
        let hosts = &self.service.hosts;
        let event = |what| event(&Report { at_ms, by, batch: 0, what }, labels, self.cast, hosts);
        let (wrong, right) = (event(What::Sell(goods))?, event(What::Stock(goods))?);
        self.service.capture_made(caller, &[&wrong.body]).await?;
        let declaration = shapes::declared_in_error(&wrong, Some(&right), self.now_ms - HOUR_MS, hosts)?;
        self.service.capture_made(caller, &[&declaration.body, &right.body]).await?;
        Ok(())
    }
}
