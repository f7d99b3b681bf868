//! What there was of a batch, and what went out of it: the mass balance, made from what is said each time it is asked for.

use std::collections::BTreeMap;

use crate::{
    epcis::{BizStep, Class, ClassQuantity, Event, output_facts},
    registration::{Amounts, Decimal, LevelCounts, Quantity, Uom},
    service::{
        Service,
        provenance::Portion,
        whereabouts::{LevelCodes, Whereabouts},
    },
    store,
    trace::{BatchId, Entry, Part, Role},
};

/// A batch's mass balance.
#[derive(Clone, Debug, Default)]
pub struct Balance {
    /// How much of it was registered, in the declaration's unit.
    pub quantity: Option<Quantity>,
    /// Its registered net weight.
    pub net_weight: Option<Quantity>,
    /// How many of each level were registered.
    pub quantities: LevelCounts,
    /// Codes by what bears them and what one holds.
    pub levels: Vec<LevelCodes>,
    /// What portions were split off, all together.
    pub split_out: Vec<Quantity>,
    /// What reports tell of some of the batch, somewhere, by step.
    pub reports: Vec<StepReports>,
    /// How many reports more there are than were added up: the oldest.
    pub reports_further: usize,
    /// Where more went out than there was.
    pub conflicts: Vec<MoreOut>,
}

/// Reports of one kind on some of a batch, added up.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReports {
    /// The business step, or what a transformation does: `consumed` or `made`.
    pub step: String,
    /// Whether they are the importer's or an inspector's; otherwise others'.
    pub by_right: bool,
    /// How many.
    pub reports: u64,
    /// How much, each dimension by itself; pieces without a unit are counted in `H87`.
    pub amounts: Vec<Quantity>,
}

/// More went out than there was.
#[derive(Clone, Debug, PartialEq)]
pub struct MoreOut {
    /// What went out: a step, `split_out`, `consumed`, or the applied codes of a level by its word.
    pub what: String,
    /// How much went out.
    pub out: Quantity,
    /// How much there was.
    pub whole: Quantity,
}

/// What reports say, while they are added up.
#[derive(Default)]
struct Sums(BTreeMap<(String, bool), (u64, Amounts)>);

impl Service {
    /// The mass balance of a batch. `found` are its whereabouts; `None` where it is not registered.
    pub async fn balance(&self, found: &Whereabouts) -> store::Result<Option<Balance>> {
        let Some(batch) = self.batch(found.batch.0).await? else { return Ok(None) };
        let mut sums = Sums::default();
        for entry in &found.reports {
            let Some(record) = self.store.record(entry.place.record).await? else { continue };
            let event = self.event_of(&record)?;
            let by_right = entry.organization == batch.organization || entry.role == Role::Inspector;
            sums.add(found.batch, entry, &event, by_right);
        }
        let split_out = self.split_out(found).await?;
        let mut balance = Balance {
            quantity: batch.quantity,
            net_weight: batch.net_weight,
            quantities: batch.quantities,
            levels: found.levels.clone(),
            split_out: split_out.quantities(),
            reports: sums.reports(),
            reports_further: found.reports_further,
            conflicts: Vec::new(),
        };
        balance.conflicts = balance.find_conflicts(&sums, &split_out);
        Ok(Some(balance))
    }

    /// What portions of a batch weigh together, as their splits say.
    async fn split_out(&self, found: &Whereabouts) -> store::Result<Amounts> {
        let mut out = Amounts::default();
        for record in &found.splits {
            let Some(record) = self.store.record(*record).await? else { continue };
            // What is split off a portion went out before.
            let mut runs = Vec::new();
            for span in &self.event_of(&record)?.goods.spans {
                runs.extend(self.run(span.run()).await?);
            }
            if runs.iter().any(|run| run.split) {
                continue;
            }
            let portion = Portion::of(output_facts(&record.body));
            portion.net_weight.iter().for_each(|weight| out.add(weight, 1));
        }
        Ok(out)
    }
}

impl Sums {
    /// Adds what an event says of a batch, or of a lot of it.
    fn add(&mut self, batch: BatchId, entry: &Entry, event: &Event, by_right: bool) {
        let goods = if entry.part == Part::Output { &event.outputs } else { &event.goods };
        let step = match entry.part {
            Part::Input => "consumed".to_owned(),
            Part::Output => "made".to_owned(),
            _ => event.biz_step.as_ref().map_or("none", BizStep::as_str).to_owned(),
        };
        let of_batch = |class: &&ClassQuantity| match &class.class {
            Class::Batch(id) => *id == batch,
            Class::Lot { .. } => true,
            Class::Other(_) => false,
        };
        let amounts = goods.own_classes().iter().filter(of_batch).filter_map(amount);
        let (reports, sum) = self.0.entry((step, by_right)).or_default();
        *reports += 1;
        amounts.for_each(|amount| sum.add(&amount, 1));
    }

    fn reports(&self) -> Vec<StepReports> {
        let report = |((step, by_right), (reports, sum)): (&(String, bool), &(u64, Amounts))| StepReports {
            step: step.clone(),
            by_right: *by_right,
            reports: *reports,
            amounts: sum.quantities(),
        };
        self.0.iter().map(report).collect()
    }
}

/// How much of a class an event names; one without a unit counts instances.
fn amount(class: &ClassQuantity) -> Option<Quantity> {
    let value = Decimal::from_number(class.quantity?).ok()?;
    Some(Quantity { value, uom: Uom::parse(class.uom.as_deref().unwrap_or("H87")).ok()? })
}

impl Balance {
    /// More out than in: of what was reported by right, and of what codes were opened, applied and split.
    fn find_conflicts(&self, sums: &Sums, split_out: &Amounts) -> Vec<MoreOut> {
        let mut conflicts = Vec::new();
        let wholes = || self.net_weight.iter().chain(&self.quantity);
        let mut compare = |what: &str, out: &Amounts| {
            if let Some((out, whole)) = wholes().find_map(|whole| Some((out.above(whole)?, whole.clone()))) {
                conflicts.push(MoreOut { what: what.to_owned(), out, whole });
            }
        };
        for ((step, by_right), (_, sum)) in &sums.0 {
            // Others hand the same goods on again and again; what comes out of a transformation is no loss.
            if *by_right && step != "made" {
                compare(step, sum);
            }
        }
        for level in &self.levels {
            if let Some(content) = &level.content {
                let mut applied = Amounts::default();
                applied.add(content, level.applied);
                compare(level.level.as_str(), &applied);
            }
        }
        compare("split_out", split_out);
        if let Some((out, whole)) = self.more_than_opened(split_out) {
            conflicts.push(MoreOut { what: "split_out".to_owned(), out, whole });
        }
        conflicts
    }

    /// Portions that hold more than all packages that were opened.
    fn more_than_opened(&self, split_out: &Amounts) -> Option<(Quantity, Quantity)> {
        let mut opened = Amounts::default();
        for level in self.levels.iter().filter(|level| !level.portions) {
            opened.add(level.content.as_ref()?, level.opened);
        }
        opened.quantities().iter().find_map(|whole| Some((split_out.above(whole)?, whole.clone())))
    }
}
