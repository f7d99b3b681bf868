//! The page of a scan: from what the service knows to what the page shows.

use std::sync::Arc;

use jiff::{civil::DateTime, tz::TimeZone};

use super::Figures;
use crate::{
    epcis::{BizStep, Disposition},
    http::answer::timestamp,
    pages::{self, CodePart, Journey, JourneyLine, Lang, Party, ScanPage, Step},
    registration::{self, Country, DocumentKind, PublicPaper, Quantity, public_papers},
    service::{
        measure::StandingMeasure,
        scan::{BatchFacts, CameFrom, Line, LinePlace, MadeOf, View},
        temperature::ColdRecord,
    },
    trace::{Bearing, Verdict, authority},
};

/// The page of a code that no more is known of than a verdict.
pub fn nothing(lang: Lang, verdict: Verdict, link_prefix: String) -> ScanPage {
    ScanPage {
        lang,
        link_prefix,
        verdict,
        verdicts: vec![verdict],
        reasons: Vec::new(),
        measures: Vec::new(),
        state: None,
        product: None,
        batch: None,
        temperatures: None,
        documents: Vec::new(),
        made_of: None,
        journey: Journey::default(),
        retired_key: false,
        data_as_of: None,
    }
}

/// The page of an issued code. `verdicts` are the view's, or graver ones that the link adds.
pub fn issued(
    lang: Lang,
    view: &View,
    verdicts: Vec<Verdict>,
    measures: &[StandingMeasure],
    retired_key: bool,
    link_prefix: String,
    zone: &TimeZone,
) -> ScanPage {
    let facts = view.batch();
    ScanPage {
        verdict: verdicts.first().copied().unwrap_or(Verdict::Unverifiable),
        verdicts,
        measures: measures_of(measures, zone),
        state: Some(view.status.state),
        product: facts.product.as_ref().map(|product| product_of(product, view)),
        batch: Some(batch_of(facts, lang)),
        made_of: view.made_of.as_deref().map(|made| made_of(made, lang, zone)),
        temperatures: view.cold_record.as_deref().map(|record| temperatures_of(record, zone)),
        documents: documents_of(facts, lang),
        journey: journey_of(&view.lines, view.lines_further, facts, lang, zone),
        retired_key,
        ..nothing(lang, Verdict::Genuine, link_prefix)
    }
}

/// What a rendered page tells of one code and its scans: of those before this one.
pub(super) fn part<'a>(code: &'a str, figures: &Figures<'_>, zone: &TimeZone) -> CodePart<'a> {
    let Figures { sum, counted, notice, sold, as_of_ms } = *figures;
    let scans = sum.count - u64::from(counted).min(sum.count);
    let first_scan = (scans > 0).then(|| civil(sum.first_ms, zone));
    CodePart { code, scans, first_scan, notice, sold, as_of: as_of_ms.map(|ms| civil(ms, zone)) }
}

/// A temperature record, in the zone of the page.
pub fn temperatures_of(record: &ColdRecord, zone: &TimeZone) -> pages::Temperatures {
    pages::Temperatures { chain: record.chain.clone(), confirmed: record.confirmed, zone: zone.clone() }
}

/// What goods were made of, in a language.
pub fn made_of(made: &MadeOf, lang: Lang, zone: &TimeZone) -> pages::MadeOf {
    let came_from = |source: &CameFrom| pages::CameFrom {
        product: source.batch.product.as_ref().map(bare_product).unwrap_or_default(),
        batch: batch_of(&source.batch, lang),
        level: source.level.map(level_of),
        content: source.content.as_ref().map(Quantity::plain),
        at: civil(source.at_ms, zone),
        report: !source.confirmed,
    };
    pages::MadeOf { came_from: made.came_from.iter().map(came_from).collect(), further: made.came_from_further as u64 }
}

/// The journey of codes, or of a whole batch.
pub fn journey_of(lines: &[Arc<Line>], further: usize, facts: &BatchFacts, lang: Lang, zone: &TimeZone) -> Journey {
    let line = |line: &Arc<Line>| JourneyLine { place: place_of(line, facts, lang), ..journey_line(line, zone) };
    Journey { lines: lines.iter().map(line).collect(), further: further as u64 }
}

fn place_of(line: &Line, facts: &BatchFacts, lang: Lang) -> Option<String> {
    match line.location? {
        LinePlace::Origin => facts.effective().origin.map(|country| country_name(country, lang).to_owned()),
        LinePlace::PortOfEntry => facts.consignment.port_of_entry.clone(),
        LinePlace::City(city) => Some(if lang == Lang::Zh { city.zh } else { city.en }.to_owned()),
    }
}

fn country_name(country: Country, lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => country.name_zh(),
        Lang::En => country.name_en(),
    }
}

/// Measures in the order of their numbers.
pub fn measures_of(measures: &[StandingMeasure], zone: &TimeZone) -> Vec<pages::Measure> {
    let measure = |measure: &StandingMeasure| pages::Measure {
        number: measure.standing.measure.map(|number| number.0),
        recall: measure.standing.recall,
        since: civil(measure.standing.since_ms, zone),
        notice: measure.notice().map(str::to_owned),
        advice: measure.advice().map(str::to_owned),
    };
    measures.iter().map(measure).collect()
}

fn civil(ms: i64, zone: &TimeZone) -> DateTime {
    timestamp(ms).to_zoned(zone.clone()).datetime()
}

fn product_of(product: &registration::Product, view: &View) -> pages::Product {
    let run = view.run();
    pages::Product {
        net_weight: view.content().map(Quantity::plain),
        expires: view.made_of.as_ref().and_then(|made| made.portion.expiry),
        level: Some(if run.split { pages::Level::Portion } else { level_of(run.level) }),
        ..class_product(product, view.batch())
    }
}

fn level_of(level: registration::Level) -> pages::Level {
    match level {
        registration::Level::Item => pages::Level::Item,
        registration::Level::Display => pages::Level::Display,
        registration::Level::Case => pages::Level::Case,
    }
}

/// A product as a batch of it shows it.
pub fn class_product(product: &registration::Product, facts: &BatchFacts) -> pages::Product {
    let effective = facts.effective();
    pages::Product {
        specification: effective.specification.map(str::to_owned),
        brand: effective.brand.map(str::to_owned),
        storage_min_celsius: effective.storage.and_then(|storage| storage.min_celsius),
        storage_max_celsius: effective.storage.and_then(|storage| storage.max_celsius),
        ..bare_product(product)
    }
}

/// A product by itself.
pub fn bare_product(product: &registration::Product) -> pages::Product {
    pages::Product {
        name_zh: Some(product.name_zh.clone()),
        name_en: product.name_en.clone(),
        picture: product.picture.as_ref().map(|_| format!("/v1/products/{}/picture", product.id)),
        net_weight: None,
        level: None,
        expires: None,
        specification: product.specification.clone(),
        brand: product.brand.clone(),
        storage_min_celsius: product.storage.and_then(|storage| storage.min_celsius),
        storage_max_celsius: product.storage.and_then(|storage| storage.max_celsius),
        gtin: product.gtin.as_ref().map(ToString::to_string),
    }
}

/// A batch as the public sees it.
pub fn batch_of(facts: &BatchFacts, lang: Lang) -> pages::Batch {
    let (batch, effective) = (&facts.batch, facts.effective());
    let days = |range: registration::DateRange| pages::DateRange { first: range.first, last: range.last };
    pages::Batch {
        lot: batch.lot.clone(),
        produced: batch.production.map(days),
        expires: batch.expiry.map(days),
        origin: effective.origin.map(|country| country_name(country, lang).to_owned()),
        producer: effective.producer.map(|producer| producer.name.clone()),
        producer_registration: effective.producer.and_then(|producer| producer.registration.clone()),
        importer: Some(facts.importer.public_name.as_ref().unwrap_or(&facts.importer.legal_name).clone()),
        port: facts.consignment.port_of_entry.clone(),
        entered: effective.entry_date,
        quantity: None,
    }
}

/// What is public of a batch's papers.
pub fn documents_of(facts: &BatchFacts, lang: Lang) -> Vec<pages::Document> {
    let document = |paper: PublicPaper| pages::Document {
        kind: kind_name(paper.kind, lang).to_owned(),
        number_masked: Some(paper.number_masked),
        issuer: paper.issuer,
        issued: paper.date,
        rendition: paper.rendition.map(|id| format!("/v1/documents/{id}/public")),
    };
    public_papers(&facts.effective(), &facts.documents).into_iter().map(document).collect()
}

fn kind_name(kind: DocumentKind, lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => kind.name_zh(),
        Lang::En => kind.name_en(),
    }
}

fn journey_line(line: &Line, zone: &TimeZone) -> JourneyLine {
    JourneyLine {
        at: civil(line.place.event_time_ms, zone),
        step: step_of(line),
        place: None,
        party: line.party.as_ref().map_or(Party::Private, |name| Party::Named(name.to_string())),
        report: line.bearing == Bearing::Report,
        before: line.before,
    }
}

fn step_of(line: &Line) -> Step {
    if let Some(measure) = line.set.iter().find(|set| authority::is_measure(set)) {
        return if *measure == Disposition::Recalled { Step::Recalled } else { Step::Held };
    }
    if line.unset.iter().any(authority::is_measure) {
        return Step::Lifted;
    }
    if line.disposition == Some(Disposition::ContainerOpen) {
        return Step::Opened;
    }
    let Some(step) = &line.biz_step else {
        return Step::Other(line.disposition.as_ref().map(|found| found.as_str().to_owned()).unwrap_or_default());
    };
    match step {
        BizStep::CreatingClassInstance => Step::Registered,
        BizStep::Reserving => Step::Issued,
        BizStep::Commissioning => Step::Applied,
        BizStep::Decommissioning => Step::Voided,
        BizStep::Inspecting | BizStep::Sampling => match line.disposition {
            Some(Disposition::SellableNotAccessible | Disposition::SellableAccessible | Disposition::Available) => {
                Step::Released
            }
            Some(Disposition::Conformant) => Step::Passed,
            Some(Disposition::NonConformant) => Step::Failed,
            _ => Step::Inspected,
        },
        BizStep::Packing if line.location == Some(LinePlace::Origin) => Step::PackedForExport,
        BizStep::Packing => Step::Packed,
        BizStep::Unpacking => Step::Unpacked,
        BizStep::Loading => Step::Loaded,
        BizStep::Unloading => Step::Unloaded,
        BizStep::Repackaging => Step::Split,
        BizStep::Departing => Step::Departed,
        BizStep::Arriving => Step::Arrived,
        BizStep::Shipping | BizStep::Transporting | BizStep::StagingOutbound => Step::Shipped,
        BizStep::Receiving | BizStep::Accepting => Step::Received,
        BizStep::Storing => Step::Stored,
        BizStep::Stocking => Step::Offered,
        BizStep::RetailSelling => Step::Sold,
        BizStep::Destroying => Step::Destroyed,
        BizStep::Holding => Step::Held,
        BizStep::SensorReporting => Step::Temperature,
        other => Step::Other(other.as_str().to_owned()),
    }
}
