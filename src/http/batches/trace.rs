//! Where goods came from and what they went into, and the mass balance, as they are shown.

use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    epcis::{BizStep, Class, event_id},
    http::{App, answer::timestamp, error::Problem, goods::QuantityJson, spreadsheet},
    registration::{Quantity, Run},
    service::provenance::{
        Source,
        balance::{Balance, StepReports},
        trace::WentInto,
    },
    trace::{EventHash, Instance, Listed, OrganizationId, What},
};

/// One transformation, and the goods of it that are told.
#[derive(Debug, Serialize, ToSchema)]
pub struct TransformedJson {
    /// How many transformations lie between, from 1.
    pub level: usize,
    /// The public id of the transformation.
    pub event: String,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Who said it.
    pub organization: u64,
    /// The business step.
    pub biz_step: Option<String>,
    /// Whether it took effect; otherwise it is a report of somebody who had not the goods.
    pub confirmed: bool,
    /// The batch that the goods are of.
    pub batch: Option<u64>,
    /// The first code.
    pub first: Option<String>,
    /// The last code.
    pub last: Option<String>,
    /// How many codes there are.
    pub codes: Option<u32>,
    /// What bears the codes.
    pub package: Option<&'static str>,
    /// The lot, where it is one that names no batch: GTIN and lot.
    pub lot: Option<String>,
    /// The unit or somebody else's thing or class.
    pub epc: Option<String>,
    /// How much of the batch or lot.
    pub quantity: Option<f64>,
    /// The unit of it.
    pub uom: Option<String>,
    /// What all outputs of the transformation weigh together, of goods that came out of it.
    pub net_weight: Option<QuantityJson>,
    /// What one code holds, of goods that came out of it.
    pub content: Option<QuantityJson>,
    /// Numbers of the holds and recalls that stand on it, of goods that went into it.
    pub measures: Vec<u64>,
    /// Whether reports speak of two things under one code, of goods that went into it.
    pub suspicious: bool,
}

/// A batch's mass balance.
#[derive(Debug, Serialize, ToSchema)]
pub struct BalanceJson {
    /// How much of it was registered.
    pub quantity: Option<QuantityJson>,
    /// Its registered net weight.
    pub net_weight: Option<QuantityJson>,
    /// Codes by what bears them and what one holds.
    pub levels: Vec<LevelJson>,
    /// What portions were split off, all together.
    pub split_out: Vec<QuantityJson>,
    /// Reports on some of the batch, somewhere, by step.
    pub reports: Vec<ReportsJson>,
    /// How many reports more there are than were added up.
    pub reports_further: usize,
    /// Where more went out than there was.
    pub conflicts: Vec<MoreOutJson>,
}

/// Codes of one level and content.
#[derive(Debug, Serialize, ToSchema)]
pub struct LevelJson {
    /// `item`, `display` or `case`.
    pub level: &'static str,
    /// What one holds.
    pub content: Option<QuantityJson>,
    /// Whether they are portions of opened packages.
    pub portions: bool,
    /// How many were registered with the batch.
    pub registered: Option<u64>,
    /// How many were issued.
    pub issued: u64,
    /// How many were put on goods.
    pub applied: u64,
    /// How many were declared void.
    pub void: u64,
    /// How many are sold.
    pub sold: u64,
    /// How many are destroyed.
    pub destroyed: u64,
    /// How many were opened.
    pub opened: u64,
}

/// Reports of one kind, added up.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportsJson {
    /// The business step; `consumed` or `made` by a transformation.
    pub step: String,
    /// Whether they are the importer's or an inspector's.
    pub by_right: bool,
    /// How many there are.
    pub reports: u64,
    /// How much.
    pub amounts: Vec<QuantityJson>,
}

/// More went out than there was.
#[derive(Debug, Serialize, ToSchema)]
pub struct MoreOutJson {
    /// What went out.
    pub what: String,
    /// How much.
    pub out: QuantityJson,
    /// How much there was.
    pub whole: QuantityJson,
}

/// What all lines have in common.
struct Line<'a> {
    level: usize,
    event: EventHash,
    at_ms: i64,
    organization: OrganizationId,
    biz_step: Option<&'a BizStep>,
    confirmed: bool,
    listed: &'a Listed,
    run: Option<&'a Run>,
    batch: Option<u64>,
}

/// What went into goods.
pub fn came_from(app: &App, source: &Source) -> TransformedJson {
    let numbers = source.measures.iter().filter_map(|standing| standing.measure);
    let line = Line {
        level: source.level,
        event: source.event,
        at_ms: source.at_ms,
        organization: source.organization,
        biz_step: source.biz_step.as_ref(),
        confirmed: source.confirmed,
        listed: &source.input,
        run: source.run.as_ref(),
        batch: source.batch.as_ref().map(|facts| facts.batch.id.0),
    };
    TransformedJson {
        measures: numbers.map(|number| number.0).collect(),
        suspicious: source.suspicious,
        ..line.json(app)
    }
}

/// What came out of goods.
pub fn went_into(app: &App, made: &WentInto) -> TransformedJson {
    let line = Line {
        level: made.level,
        event: made.event,
        at_ms: made.at_ms,
        organization: made.organization,
        biz_step: made.biz_step.as_ref(),
        confirmed: made.confirmed,
        listed: &made.output,
        run: made.run.as_ref(),
        batch: made.run.as_ref().map(|run| run.batch.0),
    };
    TransformedJson {
        net_weight: made.portion.net_weight.as_ref().map(QuantityJson::from),
        content: made.portion.content.as_ref().map(QuantityJson::from),
        ..line.json(app)
    }
}

impl Line<'_> {
    fn json(&self, app: &App) -> TransformedJson {
        let (mut first, mut last, mut codes, mut lot, mut epc) = (None, None, None, None, None);
        let mut batch = self.batch;
        match &self.listed.what {
            What::Span(span) => {
                let code = |serial| app.service.instance_text(&Instance::Code { run: span.run(), serial });
                (first, last, codes) = (Some(code(span.first())), Some(code(span.last())), Some(span.codes()));
            }
            What::Class(Class::Batch(id)) => batch = Some(id.0),
            What::Class(Class::Lot { gtin, lot: named }) => lot = Some(format!("{gtin} {named}")),
            What::Class(Class::Other(uri)) | What::Epc(uri) => epc = Some(uri.clone()),
        }
        TransformedJson {
            level: self.level,
            event: event_id(self.event),
            time: timestamp(self.at_ms),
            organization: self.organization.0,
            biz_step: self.biz_step.map(|step| step.as_str().to_owned()),
            confirmed: self.confirmed,
            batch,
            first,
            last,
            codes,
            package: self.run.map(|run| run.level.as_str()),
            lot,
            epc,
            quantity: self.listed.quantity.as_ref().map(|(quantity, _)| *quantity),
            uom: self.listed.quantity.as_ref().and_then(|(_, uom)| uom.clone()),
            net_weight: None,
            content: None,
            measures: Vec::new(),
            suspicious: false,
        }
    }
}

fn amounts(quantities: &[Quantity]) -> Vec<QuantityJson> {
    quantities.iter().map(QuantityJson::from).collect()
}

impl From<&Balance> for BalanceJson {
    fn from(balance: &Balance) -> Self {
        let level = |codes: &crate::service::whereabouts::LevelCodes| LevelJson {
            level: codes.level.as_str(),
            content: codes.content.as_ref().map(QuantityJson::from),
            portions: codes.portions,
            registered: balance.quantities.of(codes.level).filter(|_| !codes.portions),
            issued: codes.issued,
            applied: codes.applied,
            void: codes.void,
            sold: codes.sold,
            destroyed: codes.destroyed,
            opened: codes.opened,
        };
        let reports = |reports: &StepReports| ReportsJson {
            step: reports.step.clone(),
            by_right: reports.by_right,
            reports: reports.reports,
            amounts: amounts(&reports.amounts),
        };
        Self {
            quantity: balance.quantity.as_ref().map(QuantityJson::from),
            net_weight: balance.net_weight.as_ref().map(QuantityJson::from),
            levels: balance.levels.iter().map(level).collect(),
            split_out: amounts(&balance.split_out),
            reports: balance.reports.iter().map(reports).collect(),
            reports_further: balance.reports_further,
            conflicts: balance
                .conflicts
                .iter()
                .map(|more| MoreOutJson {
                    what: more.what.clone(),
                    out: QuantityJson::from(&more.out),
                    whole: QuantityJson::from(&more.whole),
                })
                .collect(),
        }
    }
}

/// The columns of a trace.
const TRACE_COLUMNS: [&str; 22] = [
    "direction",
    "level",
    "event",
    "time",
    "organization",
    "biz_step",
    "confirmed",
    "batch",
    "first",
    "last",
    "codes",
    "package",
    "lot",
    "epc",
    "quantity",
    "uom",
    "net_weight",
    "net_weight_uom",
    "content",
    "content_uom",
    "measures",
    "suspicious",
];

/// A trace as CSV: what a batch came from, and what it went into.
///
/// # Errors
/// Those of [`spreadsheet::respond`].
pub fn trace_csv(came_from: &[TransformedJson], went_into: &[TransformedJson]) -> Result<Response, Problem> {
    let named = |direction| move |line| (direction, line);
    let lines = came_from.iter().map(named("came_from")).chain(went_into.iter().map(named("went_into")));
    spreadsheet::respond(TRACE_COLUMNS, lines.map(|(direction, line)| trace_row(direction, line)))
}

fn trace_row(direction: &str, line: &TransformedJson) -> [String; TRACE_COLUMNS.len()] {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let [weight, weight_uom] = amount_cells(line.net_weight.as_ref());
    let [content, content_uom] = amount_cells(line.content.as_ref());
    [
        direction.to_owned(),
        line.level.to_string(),
        line.event.clone(),
        line.time.to_string(),
        line.organization.to_string(),
        optional(&line.biz_step),
        line.confirmed.to_string(),
        line.batch.map(|batch| batch.to_string()).unwrap_or_default(),
        optional(&line.first),
        optional(&line.last),
        line.codes.map(|codes| codes.to_string()).unwrap_or_default(),
        line.package.unwrap_or_default().to_owned(),
        optional(&line.lot),
        optional(&line.epc),
        line.quantity.map(|quantity| quantity.to_string()).unwrap_or_default(),
        optional(&line.uom),
        weight,
        weight_uom,
        content,
        content_uom,
        line.measures.iter().map(u64::to_string).collect::<Vec<_>>().join(" "),
        line.suspicious.to_string(),
    ]
}

/// A balance as CSV: a row for each figure.
///
/// # Errors
/// Those of [`spreadsheet::respond`].
pub fn balance_csv(balance: &BalanceJson) -> Result<Response, Problem> {
    let mut rows = Vec::new();
    let mut row = |part: &str, of: &str, figure: &str, [value, uom]: [String; 2]| {
        rows.push([part.to_owned(), of.to_owned(), figure.to_owned(), value, uom]);
    };
    for (figure, amount) in [("quantity", &balance.quantity), ("net_weight", &balance.net_weight)] {
        if amount.is_some() {
            row("registered", "", figure, amount_cells(amount.as_ref()));
        }
    }
    for level in &balance.levels {
        let of = if level.portions { "portion" } else { level.level };
        if level.content.is_some() {
            row("codes", of, "content", amount_cells(level.content.as_ref()));
        }
        for (figure, codes) in [
            ("registered", level.registered),
            ("issued", Some(level.issued)),
            ("applied", Some(level.applied)),
            ("void", Some(level.void)),
            ("sold", Some(level.sold)),
            ("destroyed", Some(level.destroyed)),
            ("opened", Some(level.opened)),
        ] {
            if let Some(codes) = codes {
                row("codes", of, figure, [codes.to_string(), String::new()]);
            }
        }
    }
    for amount in &balance.split_out {
        row("split_out", "", "amount", amount_cells(Some(amount)));
    }
    for reports in &balance.reports {
        let of = if reports.by_right { "by_right" } else { "others" };
        row("reports", &reports.step, of, [reports.reports.to_string(), String::new()]);
        for amount in &reports.amounts {
            row("reports", &reports.step, of, amount_cells(Some(amount)));
        }
    }
    for more in &balance.conflicts {
        row("more_out_than_in", &more.what, "out", amount_cells(Some(&more.out)));
        row("more_out_than_in", &more.what, "whole", amount_cells(Some(&more.whole)));
    }
    spreadsheet::respond(["part", "of", "figure", "value", "uom"], rows)
}

fn amount_cells(amount: Option<&QuantityJson>) -> [String; 2] {
    amount.map(|amount| [amount.value.to_string(), amount.uom.clone()]).unwrap_or_default()
}
