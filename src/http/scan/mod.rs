//! Scans: every form of link, answered as a page or as JSON.

mod accept;
mod body;
mod came_from;
mod class;
mod json;
mod page;
mod timeline;
mod typed;
mod unconfirmed;

use std::time::Instant;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use moka::sync::Cache;

use self::body::JsonBody;
pub use self::{accept::Form, json::Answer, typed::typed};
use super::{
    App,
    client_address::{ClientAddress, region_of},
    error::Problem,
    extract::{cut, cut_detail},
    rate::Asker,
};
use crate::{
    code::{Code, Gtin, Link, LinkCase, LinkError, LinkPrefix, Lot},
    limits::RENDERED_CLASSES_BYTES_MAX,
    pages::{CONTENT_SECURITY_POLICY, Failure, FailurePage, Gaps, Lang, Spliced, render, render_failure},
    service::{
        Caller,
        scan::{RenderedAs, ScanBy, Scanned, View},
    },
    trace::{Notice, ScanSum, Verdict},
};

/// A batch's or lot's number among views, and the form.
type RenderedKey = (u64, RenderedAs);
/// What is rendered of whole batches and lots.
pub type RenderedClasses = Cache<RenderedKey, Bytes>;

/// An empty cache of rendered batches and lots, bounded in bytes.
pub fn rendered_classes() -> RenderedClasses {
    let bytes = |_: &RenderedKey, body: &Bytes| u32::try_from(body.len() + 128).unwrap_or(u32::MAX);
    Cache::builder().weigher(bytes).max_capacity(RENDERED_CLASSES_BYTES_MAX).build()
}

/// How one scan wants to be answered.
#[derive(Clone, Copy)]
struct Wanted {
    form: Form,
    lang: Lang,
}

impl Wanted {
    fn rendered_as(self) -> RenderedAs {
        match self.form {
            Form::Json => RenderedAs::Json,
            Form::Page => RenderedAs::Page(self.lang),
        }
    }
}

/// Answers every path that no other route has: the link of a code, a product, a lot, a batch or a unit.
pub async fn scan(State(app): State<App>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let wanted = match wanted(&parts) {
        Ok(wanted) => wanted,
        Err(problem) => return problem.into_response(),
    };
    match answer(&app, &mut parts, wanted).await {
        Ok(response) => response,
        Err(problem) => refuse(problem, wanted),
    }
}

/// What asks the store is boxed, so that a scan from memory carries no room for it along.
async fn answer(app: &App, parts: &mut Parts, wanted: Wanted) -> Result<Response, Problem> {
    let link = Link::parse_path(parts.uri.path(), parts.uri.query()).map_err(|error| match error {
        LinkError::Unknown { found } => {
            let expected = "/{code}, /01/{gtin} with what may follow it, or /batch/{number}";
            Problem::not_found(format!("found {:?}, expected one of the links {expected}", cut(&found))).at("path")
        }
        error => Problem::malformed(cut_detail(&error.to_string())).at("path"),
    })?;
    if parts.method != Method::GET && parts.method != Method::HEAD {
        let detail = format!("found {}, expected GET or HEAD", cut(parts.method.as_str()));
        return Err(Problem { allow: Some("GET,HEAD"), ..Problem::method_not_allowed(detail) });
    }
    let caller = match parts.headers.contains_key(header::AUTHORIZATION) {
        true => Some(Box::pin(Caller::from_request_parts(parts, app)).await?),
        false => None,
    };
    let asker = match caller {
        Some(caller) => Asker::Organization(caller.organization),
        None => Asker::Address(ClientAddress::from_request_parts(parts, app).await?),
    };
    let now = Instant::now();
    app.rate.admit(asker, 1, now)?;
    match link {
        Link::Code { code, gtin, lot } => {
            let counts = caller.is_none() && parts.method == Method::GET && !is_prefetch(&parts.headers);
            let by = if counts { ScanBy::Public(region_of(parts, &app.config.server)) } else { ScanBy::Other };
            let scanned = app.service.scan(&code, by).await;
            if matches!(scanned, Scanned::Nothing(Verdict::Forged)) {
                app.rate.failed_tags(asker, 1, now);
            }
            Ok(app.tell(&code, &scanned, &Named { gtin, lot }, counts, wanted).await)
        }
        Link::Serial { gtin, serial, .. } => {
            app.rate.failed_tags(asker, 1, now);
            Box::pin(class::foreign_serial(app, gtin, &serial, wanted)).await
        }
        Link::Product(gtin) => Box::pin(class::product(app, gtin, wanted)).await,
        Link::Lot { gtin, lot } => Box::pin(class::lot(app, gtin, &lot, wanted)).await,
        Link::Batch(id) => Box::pin(class::batch(app, id, wanted)).await,
        Link::Unit(_) => Err(Problem::not_found("no such unit is known here")),
    }
}

/// What the link says of the product beside the code.
struct Named {
    gtin: Option<Gtin>,
    lot: Option<Lot>,
}

/// What an answer says of one code alone.
struct Figures<'a> {
    sum: &'a ScanSum,
    /// Whether `sum` holds this scan.
    counted: bool,
    notice: Option<Notice>,
    /// Whether the goods are sold, and nothing tells of two things under one code.
    sold: bool,
    /// Of when the answer is, milliseconds since 1970-01-01 UTC, where its safety is not confirmed.
    as_of_ms: Option<i64>,
}

impl Figures<'_> {
    const NONE: Self = Self { sum: &ScanSum::NONE, counted: false, notice: None, sold: false, as_of_ms: None };
}

impl App {
    async fn tell(&self, code: &Code, scanned: &Scanned, named: &Named, counted: bool, wanted: Wanted) -> Response {
        let (run, kept, view, sum, notice, retired, as_of_ms) = match scanned {
            Scanned::Nothing(verdict) => return self.tell_nothing(&code.to_string(), *verdict, named.gtin, wanted),
            Scanned::Unanswered => return self.tell_unanswered(&code.to_string(), named.gtin, wanted),
            Scanned::Issued { run, kept, view, sum, notice, retired, as_of_ms } => {
                (run, kept, view, sum, *notice, *retired, *as_of_ms)
            }
        };
        let code_text = code.to_ascii();
        let sold = kept.sold_ms.is_some() && !kept.suspicious;
        let figures = Figures { sum, counted, notice, sold, as_of_ms };
        let contradicted = run.contradicts(named.gtin, named.lot.as_ref());
        if as_of_ms.is_some() {
            let kept = (!contradicted).then_some(&**kept);
            return self.tell_unconfirmed(code, kept, &figures, named.gtin, wanted);
        }
        let form = wanted.rendered_as();
        if let Some(rendered) = kept.rendered(form).filter(|_| !contradicted) {
            let (text, has_grown) = rendered.text.get(self.service.now_ms());
            if has_grown {
                self.service.weigh(code);
            }
            return self.fill(form, text, &rendered.gaps, &code_text, &figures);
        }
        let again = match view {
            Some(_) => None,
            None => match Box::pin(self.service.view_of(code)).await {
                Ok(view) => view,
                Err(error) => {
                    tracing::error!(%error, run = %code.run, "a view could not be made again from the store");
                    None
                }
            },
        };
        let Some(view) = view.as_deref().or(again.as_ref()) else {
            return self.tell_unanswered(&code.to_string(), named.gtin, wanted);
        };
        // All codes of a view are of one run, and so under one key.
        let Spliced { fixed, gaps } = self.render(view, contradicted, retired, wanted);
        let fixed = Bytes::from(fixed.into_boxed_slice());
        // What contradicts a link is rare, so that it is not worth keeping.
        if !contradicted {
            kept.keep(run, form, view, &fixed, &gaps);
            self.service.weigh(code);
        }
        self.fill(form, fixed, &gaps, &code_text, &figures)
    }

    /// The answer where no more than a verdict is known; `text` is what stood in the place of the code.
    fn tell_nothing(&self, text: &str, verdict: Verdict, gtin: Option<Gtin>, wanted: Wanted) -> Response {
        match wanted.form {
            Form::Json => {
                let body = Answer::nothing(verdict).whole(text).unwrap_or_default();
                respond(StatusCode::OK, wanted.form, body)
            }
            Form::Page => {
                let page = render(&page::nothing(wanted.lang, verdict, self.link_prefix(gtin)));
                let body = page.fill(&page::part(text, &Figures::NONE, &self.service.settings.zone));
                respond(StatusCode::OK, wanted.form, body)
            }
        }
    }

    fn render(&self, view: &View, wrong_product: bool, retired: bool, wanted: Wanted) -> Spliced {
        let mut verdicts = view.verdicts.clone();
        if wrong_product {
            verdicts.retain(|verdict| *verdict != Verdict::Genuine);
            verdicts.insert(0, Verdict::WrongProduct);
        }
        let measures = self.service.measures.of(&view.status.measures);
        match wanted.form {
            Form::Json => {
                Spliced::whole(Answer::issued(view, verdicts, &measures, retired).middle().unwrap_or_default())
            }
            Form::Page => {
                let gtin = view.batch().product.as_ref().and_then(|product| product.gtin);
                let prefix = self.link_prefix(gtin);
                let zone = &self.service.settings.zone;
                render(&page::issued(wanted.lang, view, verdicts, &measures, retired, prefix, zone))
            }
        }
    }

    fn fill(&self, form: RenderedAs, text: Bytes, gaps: &Gaps, code: &[u8], figures: &Figures<'_>) -> Response {
        match form {
            RenderedAs::Json => respond(StatusCode::OK, Form::Json, JsonBody::of(code, text, figures)),
            RenderedAs::Page(_) => {
                let code = std::str::from_utf8(code).unwrap_or_default();
                let body = gaps.fill(&text, &page::part(code, figures, &self.service.settings.zone));
                respond(StatusCode::OK, Form::Page, body)
            }
        }
    }

    fn link_prefix(&self, gtin: Option<Gtin>) -> String {
        let settings = &self.service.settings;
        LinkPrefix::new(settings.link_scheme, &settings.host, gtin, LinkCase::Lower).as_str().to_owned()
    }
}

fn wanted(parts: &Parts) -> Result<Wanted, Problem> {
    let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let accept = text(header::ACCEPT);
    let Some(form) = Form::choose(accept) else {
        let found = cut(accept.unwrap_or_default());
        let detail = format!("found {found:?}, expected text/html or application/json among them");
        return Err(Problem::not_acceptable(detail).at("Accept"));
    };
    let lang = match form {
        Form::Page => Lang::choose(asked_lang(parts.uri.query()), text(header::ACCEPT_LANGUAGE)),
        Form::Json => Lang::En,
    };
    Ok(Wanted { form, lang })
}

fn asked_lang(query: Option<&str>) -> Option<&str> {
    query?.split('&').find_map(|parameter| parameter.strip_prefix("lang="))
}

/// Whether a browser says that nobody may ever look at the answer.
fn is_prefetch(headers: &HeaderMap) -> bool {
    const PURPOSES: [HeaderName; 3] =
        [HeaderName::from_static("sec-purpose"), HeaderName::from_static("purpose"), HeaderName::from_static("x-moz")];
    let says = |name: &HeaderName| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.contains("prefetch") || value.contains("prerender")
    };
    PURPOSES.iter().any(says)
}

fn refuse(problem: Problem, wanted: Wanted) -> Response {
    let failure = match (wanted.form, problem.status) {
        (Form::Json, _) => return problem.into_response(),
        (Form::Page, 400) => Failure::BadLink(problem.detail.clone()),
        (Form::Page, 404) => Failure::NotFound,
        (Form::Page, 429) => Failure::TooMany { retry_after_s: problem.retry_after_s.unwrap_or(1).into() },
        (Form::Page, 503) => Failure::Unavailable,
        (Form::Page, _) => return problem.into_response(),
    };
    let page = render_failure(&FailurePage { lang: wanted.lang, failure, request_id: None });
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = respond(status, Form::Page, page.into_bytes());
    if let Some(seconds) = problem.retry_after_s {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// An answer in a form. It is about goods now, so that nobody may keep it.
fn respond(status: StatusCode, form: Form, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-language"));
    match form {
        Form::Json => {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Form::Page => page_headers(headers),
    }
    response
}

/// What every page's head says.
pub fn page_headers(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}
