//! Scans while nothing is heard of what others write: what is in memory is told with its age, and never that all is well.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::{Value, json};

use super::{Figures, Form, Wanted, body::JsonBody, page, respond};
use crate::{
    code::{Code, Gtin},
    http::{App, answer::timestamp, error::RETRY_AFTER_S},
    pages::{CodePart, ScanPage, render},
    service::scan::{KeptView, RenderedAs},
    trace::Verdict,
};

impl App {
    /// The answer where the store did not say in time what became of a code. While it is silent this is no answer that
    /// anybody should rely on or keep: 503.
    pub(super) fn tell_unanswered(&self, text: &str, gtin: Option<Gtin>, wanted: Wanted) -> Response {
        let mut response = self.tell_nothing(text, Verdict::Unverifiable, gtin, wanted);
        if self.service.unconfirmed_since(self.service.now_ms()).is_some() {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        }
        response
    }

    /// The answer from memory; `kept` is what is kept of the code's view, `None` where its link names another product.
    pub(super) fn tell_unconfirmed(
        &self,
        code: &Code,
        kept: Option<&KeptView>,
        figures: &Figures<'_>,
        gtin: Option<Gtin>,
        wanted: Wanted,
    ) -> Response {
        let text = code.to_string();
        let Some(kept) = kept else { return self.tell_nothing(&text, Verdict::WrongProduct, gtin, wanted) };
        match wanted.form {
            Form::Json => match self.unconfirmed_json(&text, kept, figures) {
                Some(answer) => respond(StatusCode::OK, Form::Json, answer),
                None => self.tell_unanswered(&text, gtin, wanted),
            },
            Form::Page => self.unconfirmed_page(&text, kept, figures, gtin, wanted),
        }
    }

    /// What was rendered, with one verdict more and of when it is; `None` where it was not rendered in this form.
    fn unconfirmed_json(&self, code: &str, kept: &KeptView, figures: &Figures<'_>) -> Option<Vec<u8>> {
        let (now_ms, as_of_ms) = (self.service.now_ms(), figures.as_of_ms?);
        let (middle, _) = kept.rendered(RenderedAs::Json)?.text.get(now_ms);
        let mut answer: Value = serde_json::from_slice(&JsonBody::of(code.as_bytes(), middle, figures).whole()).ok()?;
        let genuine = Verdict::Genuine.word();
        let verdicts = answer.get_mut("verdicts")?.as_array_mut()?;
        verdicts.retain(|verdict| verdict != genuine);
        // Only `genuine` is less grave.
        verdicts.push(json!(Verdict::Unverifiable));
        let gravest = verdicts.first()?.clone();
        let reasons = answer.get_mut("reasons")?.as_array_mut()?;
        reasons.retain(|reason| reason != Verdict::Genuine.reason());
        reasons.push(json!(Verdict::Unverifiable.reason()));
        let unconfirmed_s = now_ms.saturating_sub(as_of_ms) / 1_000;
        reasons.push(json!(format!("What is shown is {unconfirmed_s} s old: the store has not answered since.")));
        let fields = answer.as_object_mut()?;
        fields.insert("verdict".to_owned(), gravest);
        fields.insert("genuine".to_owned(), json!(false));
        fields.insert("data_as_of".to_owned(), json!(timestamp(as_of_ms)));
        fields.insert("unconfirmed_s".to_owned(), json!(unconfirmed_s));
        serde_json::to_vec(&answer).ok()
    }

    /// The page that was rendered, with its age, where it is not green; otherwise one that says nothing of the goods.
    fn unconfirmed_page(
        &self,
        code: &str,
        kept: &KeptView,
        figures: &Figures<'_>,
        gtin: Option<Gtin>,
        wanted: Wanted,
    ) -> Response {
        let zone = &self.service.settings.zone;
        let part = page::part(code, figures, zone);
        let is_graver = kept.verdict < Verdict::Unverifiable;
        let body = match kept.rendered(wanted.rendered_as()).filter(|_| is_graver) {
            Some(rendered) => rendered.gaps.fill(&rendered.text.get(self.service.now_ms()).0, &part),
            None => {
                let verdict = kept.verdict.min(Verdict::Unverifiable);
                let nothing = page::nothing(wanted.lang, verdict, self.link_prefix(gtin));
                render(&ScanPage { data_as_of: part.as_of, ..nothing }).fill(&CodePart { as_of: None, ..part })
            }
        };
        respond(StatusCode::OK, Form::Page, body)
    }
}
