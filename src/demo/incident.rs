//! What goes wrong in the demo's world, and what is done about it.

use std::{collections::HashMap, sync::Arc};

use super::{
    fill::{Error, Result},
    history::capture,
    report::{By, Goods, Report, What},
    tale::Tale,
    tell::{Cast, Labels, event},
    world::{gtin_of, weight},
};
use crate::{
    code::Code,
    epcis::shapes::{self, MeasureKind},
    service::{
        Caller, Service,
        measure::{MeasureOrder, NamedTargets},
        register::RegisterError,
        split::{Remainder, SplitOrder},
    },
    trace::State,
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
            targets: NamedTargets { batch: Some(labels.batch), ..NamedTargets::default() },
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
            targets: NamedTargets { lot: Some((gtin, lot)), ..NamedTargets::default() },
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

    /// A case that whoever has it opens, to sell it in portions with codes of their own.
    async fn split(&self, labels: &Labels) -> Result<()> {
        let (parent, caller) = self.case_in_stock(labels).await?;
        let order = SplitOrder {
            parent,
            portions: PORTIONS,
            weight: weight(PORTION_GRAMS),
            expiry: None,
            at_ms: Some(self.now_ms),
            remainder: Remainder::Kept,
        };
        self.service.split(caller, order).await?;
        Ok(())
    }

    /// The first case of a batch that somebody has, and who that is.
    async fn case_in_stock(&self, labels: &Labels) -> Result<(Code, &Caller)> {
        let run = &labels.codes.run;
        for parent in (0..run.count).filter_map(|serial| labels.code(serial)) {
            let status = self.service.timeline(&parent, run).await.map_err(RegisterError::from)?.status;
            let mut holders = self.cast.operators.iter().chain(&self.cast.importers);
            let holder = holders.find(|caller| caller.organization == status.holder);
            let in_stock = matches!(status.state, State::Active | State::Stored | State::OnSale);
            if let Some(holder) = holder.filter(|_| in_stock) {
                return Ok((parent, holder));
            }
        }
        Err(Error::Lacks("case in stock"))
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
