//! `POST /v1/verify`: the verdicts of many codes.

use std::time::Instant;

use axum::{
    Json as AxumJson,
    extract::{FromRequestParts, Request, State},
    http::header,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    App,
    client_address::ClientAddress,
    error::Problem,
    extract::{body_bytes, from_json, require_json},
    rate::Asker,
};
use crate::{code::Code, limits::VERIFY_CODES_MAX, service::Caller, trace::Verdict};

/// Codes to look at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyBody {
    /// 1 to 10,000 codes, in any form that a person may type.
    pub codes: Vec<String>,
}

/// What is to be said of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct VerdictsJson {
    /// In the order of the codes.
    pub verdicts: Vec<VerdictJson>,
}

/// What is to be said of one.
#[derive(Debug, Serialize, ToSchema)]
pub struct VerdictJson {
    /// The code in canonical form, or what was sent where it is none.
    pub code: String,
    /// Whether the label is ours.
    pub genuine: bool,
    /// The gravest verdict.
    #[schema(value_type = String)]
    pub verdict: Verdict,
}

/// Looks at many codes; counts as no scan.
#[utoipa::path(post, path = "/v1/verify", tag = "scan", request_body = VerifyBody,
    responses((status = 200, body = VerdictsJson), (status = "4XX", body = Problem)))]
pub async fn verify(State(app): State<App>, request: Request) -> Result<AxumJson<VerdictsJson>, Problem> {
    let (mut parts, body) = request.into_parts();
    let asker = match parts.headers.contains_key(header::AUTHORIZATION) {
        true => Asker::Organization(Caller::from_request_parts(&mut parts, &app).await?.organization),
        false => Asker::Address(ClientAddress::from_request_parts(&mut parts, &app).await?),
    };
    require_json(&parts.headers)?;
    let body = body_bytes(Request::from_parts(parts, body), &app).await?;
    let codes = from_json::<VerifyBody>(&body)?.codes;
    if !(1..=VERIFY_CODES_MAX).contains(&codes.len()) {
        let detail = format!("found {} codes, expected 1 to {VERIFY_CODES_MAX}", codes.len());
        return Err(Problem::invalid("/codes", detail));
    }
    let now = Instant::now();
    app.rate.admit(asker, u32::try_from(codes.len()).unwrap_or(u32::MAX), now)?;
    let mut verdicts = Vec::with_capacity(codes.len());
    for text in codes {
        verdicts.push(match Code::parse(&text) {
            Ok(code) => told(code.to_string(), app.service.verify(&code).await),
            Err(_) => told(text, Verdict::Forged),
        });
    }
    let failed = verdicts.iter().filter(|told| told.verdict == Verdict::Forged).count();
    app.rate.failed_tags(asker, u32::try_from(failed).unwrap_or(u32::MAX), now);
    Ok(AxumJson(VerdictsJson { verdicts }))
}

fn told(code: String, verdict: Verdict) -> VerdictJson {
    VerdictJson { code, genuine: verdict.label_is_ours(), verdict }
}
