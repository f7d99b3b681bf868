//! A code typed by hand on the start page.

use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use percent_encoding::percent_decode_str;

use super::{Wanted, refuse, wanted};
use crate::{code::Code, http::error::Problem};

/// `GET /scan?code=...&lang=...`: leads to the code's own link, or says what is wrong with what was typed.
pub async fn typed(request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    let value = |name: &str| {
        let value = query.split('&').find_map(|parameter| parameter.strip_prefix(name)?.strip_prefix('='))?;
        Some(percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
    };
    let wanted: Wanted = match wanted(&parts) {
        Ok(wanted) => wanted,
        Err(problem) => return problem.into_response(),
    };
    let code = match Code::parse(&value("code").unwrap_or_default()) {
        Ok(code) => code,
        Err(error) => return refuse(Problem::malformed(error.to_string()).at("code"), wanted),
    };
    let lang = match value("lang").as_deref() {
        Some("en") => "?lang=en",
        Some("zh") => "?lang=zh",
        _ => "",
    };
    match HeaderValue::from_str(&format!("/{code}{lang}")) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => Problem::internal().into_response(),
    }
}
