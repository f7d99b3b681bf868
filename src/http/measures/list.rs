//! `GET /v1/measures`.

use axum::extract::State;

use super::{Anyone, MeasureJson};
use crate::{
    http::{
        App,
        answer::{List, Page, Private},
        error::Problem,
        extract::Query,
    },
    limits::MEASURES_PAGE_CODES,
};

/// All holds and recalls there were, as the public may see them, by number.
#[utoipa::path(get, path = "/v1/measures", tag = "measures", params(Page), security(()),
    responses((status = 200, body = List<MeasureJson>), (status = "4XX", body = Problem)))]
pub async fn list(
    State(app): State<App>,
    anyone: Anyone,
    Query(page): Query<Page>,
) -> Result<Private<List<MeasureJson>>, Problem> {
    let limit = page.limit()?;
    anyone.pay(&app, MEASURES_PAGE_CODES)?;
    let numbers = app.service.measure_numbers(page.after, limit).await?;
    let next = numbers.last().filter(|_| numbers.len() == limit).map(|last| last.0);
    let mut items = Vec::with_capacity(numbers.len());
    // One after the other: a measure may name thousands of spans, and a hundred of them would take much memory.
    for number in numbers {
        if let Some(measure) = app.service.measure(number).await? {
            items.push(app.public_measure(&measure).await?);
        }
    }
    Ok(Private(List { items, next }))
}
