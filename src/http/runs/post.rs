//! `POST /v1/batches/{batch}/runs`: orders codes.

use axum::{Json as AxumJson, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::RunJson;
use crate::{
    http::{
        App,
        error::{FieldError, Problem},
        extract::{Json, Path},
        given::Fields,
        goods::QuantityJson,
    },
    registration::{Activation, Level},
    service::{
        Caller,
        issue::{Order, OrderError},
    },
    trace::BatchId,
};

/// An order of codes; all but the count may be left out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderBody {
    /// How many codes, 1 to 50,000,000; more than 4,194,304 become several runs.
    pub count: u32,
    /// `item`, `display` or `case`; `item` where left out.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub level: Option<Level>,
    /// What is in one of them; the product's packaging where left out.
    #[serde(default)]
    pub content: Option<QuantityJson>,
    /// `on_issue`, the default, or `on_report`.
    #[schema(value_type = Option<String>)]
    #[serde(default)]
    pub activate: Activation,
    /// Signed links are not issued yet: `false` or left out.
    #[serde(default)]
    pub signed: bool,
}

/// The runs of an order.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderedJson {
    /// In the order of their codes.
    pub runs: Vec<RunJson>,
}

/// Orders codes for a batch. It costs the same for ten codes and for ten million.
#[utoipa::path(post, path = "/v1/batches/{batch}/runs", tag = "codes",
    params(("batch" = u64, Path, description = "number of the batch")), request_body = OrderBody,
    responses((status = 201, body = OrderedJson), (status = "4XX", body = Problem)))]
pub async fn post(
    State(app): State<App>,
    caller: Caller,
    Path(batch): Path<u64>,
    Json(body): Json<OrderBody>,
) -> Result<(StatusCode, AxumJson<OrderedJson>), Problem> {
    caller.require_issuer()?;
    if body.signed {
        return Err(Problem::invalid("/signed", "found true, expected false: signed links are not issued yet"));
    }
    let mut fields = Fields::default();
    let content = body.content.map(|content| fields.inside("/content", |fields| content.read(fields)));
    fields.finish()?;
    let order = Order {
        count: body.count,
        level: body.level.unwrap_or(Level::Item),
        content: content.flatten(),
        activate: body.activate,
    };
    let issued = app.service.issue(&caller, BatchId(batch), &order).await?;
    let runs = issued.iter().map(|issued| RunJson::new(&issued.run, &issued.key)).collect();
    Ok((StatusCode::CREATED, AxumJson(OrderedJson { runs })))
}

impl From<OrderError> for Problem {
    fn from(error: OrderError) -> Self {
        let detail = error.to_string();
        match error {
            OrderError::NotFound(_) => Self::not_found(detail),
            OrderError::Count { .. } => Self::invalid("/count", detail),
            OrderError::Draft(_) => Self::refused("draft", "The batch is a draft", detail),
            OrderError::Incomplete(missing) => {
                let field = |missing: crate::registration::Missing| FieldError {
                    field: missing.field().to_owned(),
                    detail: missing.to_string(),
                };
                let errors: Vec<_> = missing.into_iter().map(field).collect();
                Self { errors, ..Self::refused("incomplete", "The batch lacks papers", detail) }
            }
            OrderError::Full { .. } => Self::conflict("full", detail),
            OrderError::Quantity(_) => Self::refused("quantity", "More codes than goods", detail).at("/count"),
            OrderError::NoKey => Self::conflict("no-key", detail),
            OrderError::Quarantine(_) => Self::conflict("quarantine", detail),
            OrderError::Event(error) => {
                tracing::error!(%error, "an issuing event could not be made");
                Self::internal()
            }
            OrderError::Store(error) => error.into(),
        }
    }
}
