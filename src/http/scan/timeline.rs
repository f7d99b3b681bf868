//! The public timeline in the JSON of a scan.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    epcis::event_id,
    http::answer::timestamp,
    service::scan::{Line, View},
    trace::Bearing,
};

/// The public timeline.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Timeline<'a> {
    lines: Vec<LineAnswer<'a>>,
    /// How many lines more there are.
    further: usize,
}

/// A line of it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct LineAnswer<'a> {
    #[schema(value_type = String)]
    time: Timestamp,
    biz_step: Option<&'a str>,
    disposition: Option<&'a str>,
    /// The public event id.
    event: String,
    /// Who said it, where that is public.
    party: Option<&'a str>,
    /// Whether it is somebody's report that changes no state.
    report: bool,
    /// Whether it was said of what the goods were made of, before they were.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    before: bool,
}

impl<'a> Timeline<'a> {
    /// Of a view.
    pub fn of(view: &'a View) -> Self {
        Self { lines: view.lines.iter().map(|line| LineAnswer::of(line)).collect(), further: view.lines_further }
    }
}

impl<'a> LineAnswer<'a> {
    /// A line of the timeline as the public sees it.
    pub fn of(line: &'a Line) -> Self {
        Self {
            time: timestamp(line.place.event_time_ms),
            biz_step: line.biz_step.as_ref().map(|step| step.as_str()),
            disposition: line.disposition.as_ref().map(|disposition| disposition.as_str()),
            event: event_id(line.event),
            party: line.party.as_deref(),
            report: line.bearing == Bearing::Report,
            before: line.before,
        }
    }
}
