//! The templates, and what they are given.

use askama::Template;
use utoipa::openapi::OpenApi;

use super::api::Api;
use super::asset::{ICON, STYLE};
use super::temperatures::Shown;
use super::verdict::glyph;
use super::words::{self, Words};
use super::{
    Batch, ClassPage, Document, Failure, FailurePage, Journey, Lang, MadeOf, Measure, Party, Product, ScanPage,
    Temperatures,
};
use super::{Spliced, Telling, Tone};
use crate::trace::Verdict;

/// What every page has.
struct Frame {
    lang: Lang,
    t: &'static Words,
    style: &'static str,
    icon: &'static str,
}

impl Frame {
    fn new(lang: Lang) -> Self {
        Self { lang, t: Words::of(lang), style: &STYLE.path, icon: &ICON.path }
    }
}

/// A verdict with its words and its looks.
struct Told {
    telling: &'static Telling,
    tone: Tone,
    glyph: &'static str,
}

impl Told {
    fn new(verdict: Verdict, lang: Lang) -> Self {
        Self { telling: Telling::of(verdict, lang), tone: Tone::of(verdict), glyph: glyph(verdict) }
    }
}

#[derive(Template)]
#[template(path = "scan.html")]
struct ScanHtml<'a> {
    frame: Frame,
    page: &'a ScanPage,
    told: Told,
    others: Vec<Told>,
}

#[derive(Template)]
#[template(path = "class.html")]
struct ClassHtml<'a> {
    frame: Frame,
    page: &'a ClassPage,
    lead: &'static str,
    told: Vec<Told>,
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailureHtml<'a> {
    frame: Frame,
    page: &'a FailurePage,
    title: &'static str,
    sentence: &'static str,
    tone: Tone,
    glyph: &'static str,
}

#[derive(Template)]
#[template(path = "start.html")]
struct StartHtml {
    frame: Frame,
}

#[derive(Template)]
#[template(path = "api.html")]
struct ApiHtml<'a> {
    frame: Frame,
    api: Api<'a>,
}

#[derive(Template)]
#[template(path = "measures.html")]
struct MeasuresHtml<'a> {
    t: &'static Words,
    measures: &'a [Measure],
}

#[derive(Template)]
#[template(path = "product.html")]
struct ProductHtml<'a> {
    t: &'static Words,
    other_lang: Lang,
    product: &'a Product,
}

#[derive(Template)]
#[template(path = "batch.html")]
struct BatchHtml<'a> {
    t: &'static Words,
    batch: &'a Batch,
}

#[derive(Template)]
#[template(path = "made_of.html")]
struct MadeOfHtml<'a> {
    t: &'static Words,
    made: &'a MadeOf,
}

#[derive(Template)]
#[template(path = "documents.html")]
struct DocumentsHtml<'a> {
    t: &'static Words,
    documents: &'a [Document],
}

#[derive(Template)]
#[template(path = "journey.html")]
struct JourneyHtml<'a> {
    t: &'static Words,
    journey: &'a Journey,
}

#[derive(Template)]
#[template(path = "temperatures.html")]
struct TemperaturesHtml<'a> {
    t: &'static Words,
    shown: Shown<'a>,
}

impl Frame {
    fn temperatures<'a>(&self, temperatures: &'a Temperatures) -> TemperaturesHtml<'a> {
        TemperaturesHtml { t: self.t, shown: Shown::new(temperatures, self.lang, self.t) }
    }
    fn measures<'a>(&self, measures: &'a [Measure]) -> MeasuresHtml<'a> {
        MeasuresHtml { t: self.t, measures }
    }
    fn product<'a>(&self, product: &'a Product) -> ProductHtml<'a> {
        ProductHtml { t: self.t, other_lang: self.lang.other(), product }
    }
    fn batch<'a>(&self, batch: &'a Batch) -> BatchHtml<'a> {
        BatchHtml { t: self.t, batch }
    }
    fn made_of<'a>(&self, made: &'a MadeOf) -> MadeOfHtml<'a> {
        MadeOfHtml { t: self.t, made }
    }
    fn documents<'a>(&self, documents: &'a [Document]) -> DocumentsHtml<'a> {
        DocumentsHtml { t: self.t, documents }
    }
    fn journey<'a>(&self, journey: &'a Journey) -> JourneyHtml<'a> {
        JourneyHtml { t: self.t, journey }
    }
}

/// The page of a scan, for all codes with the same history.
pub fn render(page: &ScanPage) -> Spliced {
    let others = page.verdicts.iter().filter(|&&verdict| verdict != page.verdict && verdict != Verdict::Genuine);
    let html = html(&ScanHtml {
        frame: Frame::new(page.lang),
        page,
        told: Told::new(page.verdict, page.lang),
        others: others.map(|&verdict| Told::new(verdict, page.lang)).collect(),
    });
    Spliced::new(page.lang, &html)
}

/// The page of a product, a lot or a batch.
pub fn render_class(page: &ClassPage) -> String {
    let frame = Frame::new(page.lang);
    // Nothing was proved of a package, so that the word "genuine" has no place here.
    let told = page.verdicts.iter().filter(|&&verdict| verdict != Verdict::Genuine);
    let told = told.map(|&verdict| Told::new(verdict, page.lang)).collect();
    let lead = frame.t.lead(&page.class);
    html(&ClassHtml { frame, page, lead, told })
}

/// The page that says why there is no answer.
pub fn render_failure(page: &FailurePage) -> String {
    let frame = Frame::new(page.lang);
    let (title, sentence) = frame.t.failure(&page.failure);
    let unverifiable = Told::new(Verdict::Unverifiable, page.lang);
    html(&FailureHtml { frame, page, title, sentence, tone: unverifiable.tone, glyph: unverifiable.glyph })
}

/// The start page, with a field to type a code into; it asks `GET /scan?code=...&lang=...`.
pub fn render_start(lang: Lang) -> String {
    html(&StartHtml { frame: Frame::new(lang) })
}

/// The page to browse the interface.
pub fn render_api(lang: Lang, openapi: &OpenApi) -> String {
    html(&ApiHtml { frame: Frame::new(lang), api: Api::new(openapi) })
}

/// Rendering writes to a string from plain data, so it cannot fail; a page that says so little is
/// better than a panic all the same.
fn html(template: &impl Template) -> String {
    template.render().unwrap_or_default()
}
