//! Links without a code: a product, a lot, a batch. Nothing is proved of a package, so they never say "genuine".

use axum::{http::StatusCode, response::Response};
use serde::Serialize;

use super::{
    Form, Wanted,
    came_from::CameFromAnswer,
    json::{BatchAnswer, BatchProduct, MeasureAnswer},
    page, respond,
    timeline::LineAnswer,
};
use crate::{
    code::{Gtin, Lot},
    http::{App, error::Problem, temperatures::ColdChainJson},
    pages::{Class, ClassPage, Journey, Lang, Product, render_class},
    registration::{Content, Kind},
    service::{
        measure::StandingMeasure,
        scan::{BatchFacts, Whole, WholeLot},
    },
    trace::{BatchId, Verdict},
};

/// What such a link is answered with as JSON.
#[derive(Serialize)]
struct ClassAnswer<'a> {
    class: &'static str,
    verdicts: Vec<Verdict>,
    reasons: Vec<&'a str>,
    measures: Vec<MeasureAnswer<'a>>,
    product: Option<BatchProduct<'a>>,
    batches: Vec<BatchAnswer<'a>>,
    batches_further: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    came_from: Option<Vec<CameFromAnswer<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    came_from_further: Option<usize>,
    timeline: Vec<LineAnswer<'a>>,
    cold_chain: Option<ColdChainJson>,
}

/// `/01/{gtin}/21/{serial}` where the serial is no code: under a GTIN of ours it claims to be one, and is not.
pub async fn foreign_serial(app: &App, gtin: Gtin, serial: &str, wanted: Wanted) -> Result<Response, Problem> {
    if app.service.product_of_gtin(gtin).await?.is_none() {
        return Err(Problem::not_found("this GTIN is not known here"));
    }
    Ok(app.tell_nothing(serial, Verdict::Forged, Some(gtin), wanted))
}

/// `/01/{gtin}`.
pub async fn product(app: &App, gtin: Gtin, wanted: Wanted) -> Result<Response, Problem> {
    let unknown = || Problem::not_found("this GTIN is not known here");
    let id = app.service.product_of_gtin(gtin).await?.ok_or_else(unknown)?;
    let statement = app.service.statement(Kind::Product, id.0).await?;
    let Some(Content::Product(product)) = statement.map(|found| found.content) else { return Err(unknown()) };
    let page = || blank(wanted.lang, Class::Product, page::bare_product(&product));
    let json = || ClassAnswer {
        class: "product",
        verdicts: Vec::new(),
        reasons: Vec::new(),
        measures: Vec::new(),
        product: Some(BatchProduct::bare(&product)),
        batches: Vec::new(),
        batches_further: 0,
        came_from: None,
        came_from_further: None,
        timeline: Vec::new(),
        cold_chain: None,
    };
    Ok(respond(StatusCode::OK, wanted.form, rendered(wanted, page, json)))
}

/// `/01/{gtin}/10/{lot}`: the batches that carry it, newest first, and what holds for any of them.
pub async fn lot(app: &App, gtin: Gtin, lot: &Lot, wanted: Wanted) -> Result<Response, Problem> {
    let today = app.service.date(app.service.now_ms());
    let unknown = || Problem::not_found("this lot is not known here");
    let whole = app.service.whole_lot(gtin, lot, today).await?.ok_or_else(unknown)?;
    let WholeLot { number, batches, batches_further, verdicts, measures, .. } = &*whole;
    let first = &batches.first().ok_or_else(unknown)?.facts;
    let (verdicts, measures) = (&confirmed(app, verdicts), app.service.measures.of(measures));
    let page = || ClassPage {
        verdicts: verdicts.clone(),
        measures: page::measures_of(&measures, &app.service.settings.zone),
        batches: batches.iter().map(|batch| page::batch_of(&batch.facts, wanted.lang)).collect(),
        batches_further: *batches_further as u64,
        ..blank(wanted.lang, Class::Lot, product_of(first))
    };
    let json = || ClassAnswer {
        class: "lot",
        reasons: reasons(verdicts, &measures),
        measures: measures.iter().map(MeasureAnswer::of).collect(),
        verdicts: verdicts.clone(),
        product: BatchProduct::of(first),
        batches: batches.iter().map(|batch| BatchAnswer::of(&batch.facts)).collect(),
        batches_further: *batches_further,
        came_from: None,
        came_from_further: None,
        timeline: Vec::new(),
        cold_chain: None,
    };
    Ok(told_once(app, *number, wanted, page, json))
}

/// `/batch/{id}`.
pub async fn batch(app: &App, id: u64, wanted: Wanted) -> Result<Response, Problem> {
    let today = app.service.date(app.service.now_ms());
    let found = app.service.whole_batch(BatchId(id), today).await?.filter(|whole| !whole.facts.batch.draft);
    let Some(whole) = found else { return Err(Problem::not_found("this batch is not known here")) };
    let Whole { number, facts, verdicts, measures, cold_record, lines, lines_further, made_of, .. } = &*whole;
    let (verdicts, measures) = (&confirmed(app, verdicts), app.service.measures.of(measures));
    let page = || ClassPage {
        verdicts: verdicts.clone(),
        measures: page::measures_of(&measures, &app.service.settings.zone),
        batches: vec![page::batch_of(facts, wanted.lang)],
        documents: page::documents_of(facts, wanted.lang),
        temperatures: cold_record.as_ref().map(|record| page::temperatures_of(record, &app.service.settings.zone)),
        made_of: made_of.as_deref().map(|made| page::made_of(made, wanted.lang, &app.service.settings.zone)),
        journey: page::journey_of(lines, *lines_further, facts, wanted.lang, &app.service.settings.zone),
        ..blank(wanted.lang, Class::Batch, product_of(facts))
    };
    let json = || ClassAnswer {
        class: "batch",
        reasons: reasons(verdicts, &measures),
        measures: measures.iter().map(MeasureAnswer::of).collect(),
        verdicts: verdicts.clone(),
        product: BatchProduct::of(facts),
        batches: vec![BatchAnswer::of(facts)],
        batches_further: 0,
        came_from: made_of.as_deref().map(CameFromAnswer::all),
        came_from_further: made_of.as_ref().map(|made| made.came_from_further),
        timeline: lines.iter().map(|line| LineAnswer::of(line)).collect(),
        cold_chain: cold_record.as_ref().map(ColdChainJson::from),
    };
    Ok(told_once(app, *number, wanted, page, json))
}

/// A sentence for each verdict, and what measures say.
fn reasons<'a>(verdicts: &[Verdict], measures: &'a [StandingMeasure]) -> Vec<&'a str> {
    let sentences = verdicts.iter().map(|verdict| verdict.reason());
    sentences.chain(measures.iter().flat_map(MeasureAnswer::sentences)).collect()
}

/// What holds; and that safety is not confirmed, while nothing is heard of what others write.
fn confirmed(app: &App, verdicts: &[Verdict]) -> Vec<Verdict> {
    let unconfirmed = app.service.unconfirmed_since(app.service.now_ms()).map(|_| Verdict::Unverifiable);
    verdicts.iter().copied().chain(unconfirmed).collect()
}

/// Renders it once for each view, form and language; anew while nothing is heard of what others write.
fn told_once<'a>(
    app: &App,
    view: u64,
    wanted: Wanted,
    page: impl FnOnce() -> ClassPage,
    json: impl FnOnce() -> ClassAnswer<'a>,
) -> Response {
    if app.service.unconfirmed_since(app.service.now_ms()).is_some() {
        return respond(StatusCode::OK, wanted.form, rendered(wanted, page, json));
    }
    let body = app.rendered_classes.get_with((view, wanted.rendered_as()), || rendered(wanted, page, json).into());
    respond(StatusCode::OK, wanted.form, body)
}

fn rendered<'a>(wanted: Wanted, page: impl FnOnce() -> ClassPage, json: impl FnOnce() -> ClassAnswer<'a>) -> Vec<u8> {
    match wanted.form {
        Form::Page => render_class(&page()).into_bytes(),
        Form::Json => serde_json::to_vec(&json()).unwrap_or_default(),
    }
}

fn blank(lang: Lang, class: Class, product: Product) -> ClassPage {
    ClassPage {
        lang,
        class,
        verdicts: Vec::new(),
        reasons: Vec::new(),
        measures: Vec::new(),
        product,
        batches: Vec::new(),
        batches_further: 0,
        temperatures: None,
        documents: Vec::new(),
        made_of: None,
        journey: Journey::default(),
    }
}

fn product_of(facts: &BatchFacts) -> Product {
    facts.product.as_ref().map(|product| page::class_product(product, facts)).unwrap_or_default()
}
