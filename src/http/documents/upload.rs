//! Reads a multipart upload part by part: no part twice, none unknown, none over its limit.

use axum::extract::multipart::{Field, Multipart, MultipartError};
use bytes::{Bytes, BytesMut};
use serde::{Deserialize, de::IntoDeserializer};

use crate::{
    http::{error::Problem, extract::TooLarge, given::problem_of_fields},
    limits::DOCUMENT_BYTES_MAX,
    registration::{DocumentKind, FieldError, NAME_CHARS_MAX, NUMBER_CHARS_MAX, ValueError, date, text},
};

/// The largest text part, in bytes: `NAME_CHARS_MAX` characters of four bytes fit.
const TEXT_BYTES_MAX: usize = 1_024;

/// The parts of an upload; those not given are `None`.
#[derive(Debug, Default)]
pub struct Upload {
    pub kind: Option<DocumentKind>,
    pub number: Option<String>,
    pub issuer: Option<String>,
    pub date: Option<jiff::civil::Date>,
    pub original: Option<Bytes>,
    pub public: Option<Bytes>,
}

impl Upload {
    /// Reads all parts; `too_large` refuses the whole body.
    pub async fn read(mut parts: Multipart, too_large: &TooLarge) -> Result<Self, Problem> {
        let mut upload = Self::default();
        let mut names = Vec::new();
        while let Some(part) = parts.next_field().await.map_err(|error| broken(&error, too_large))? {
            let name = part.name().unwrap_or_default().to_owned();
            if names.contains(&name) {
                return Err(Problem::invalid(format!("/{name}"), "found this part twice, expected it once"));
            }
            upload.read_part(&name, part, too_large).await?;
            names.push(name);
        }
        Ok(upload)
    }

    async fn read_part(&mut self, name: &str, part: Field<'_>, too_large: &TooLarge) -> Result<(), Problem> {
        match name {
            "original" => self.original = Some(read(name, part, DOCUMENT_BYTES_MAX, too_large).await?),
            "public" => self.public = Some(read(name, part, DOCUMENT_BYTES_MAX, too_large).await?),
            "kind" => self.kind = read_text(name, part, too_large, kind).await?,
            "number" => self.number = read_text(name, part, too_large, |value| text(value, NUMBER_CHARS_MAX)).await?,
            "issuer" => self.issuer = read_text(name, part, too_large, |value| text(value, NAME_CHARS_MAX)).await?,
            "date" => self.date = read_text(name, part, too_large, date).await?,
            _ => {
                let error = ValueError::unknown(name, "a part named kind, number, issuer, date, original or public");
                return Err(problem_of_fields(vec![FieldError::new(format!("/{name}"), error)]));
            }
        }
        Ok(())
    }
}

fn kind(text: &str) -> Result<DocumentKind, ValueError> {
    let name: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
    DocumentKind::deserialize(name).map_err(|_| ValueError::unknown(text, "a kind of document, such as test_report"))
}

/// An empty text part is one that a form left empty.
async fn read_text<T>(
    name: &str,
    part: Field<'_>,
    too_large: &TooLarge,
    parse: impl FnOnce(&str) -> Result<T, ValueError>,
) -> Result<Option<T>, Problem> {
    let bytes = read(name, part, TEXT_BYTES_MAX, too_large).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let value = std::str::from_utf8(&bytes).map_err(|_| ValueError::malformed("bytes", "a text in UTF-8"));
    let value = value.and_then(parse);
    value.map(Some).map_err(|error| problem_of_fields(vec![FieldError::new(format!("/{name}"), error)]))
}

/// Reads a part and stops as soon as it is over its limit.
async fn read(name: &str, mut part: Field<'_>, bytes_max: usize, too_large: &TooLarge) -> Result<Bytes, Problem> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = part.chunk().await.map_err(|error| broken(&error, too_large))? {
        if bytes.len() + chunk.len() > bytes_max {
            let detail = format!("found more than {bytes_max} bytes, expected at most so many");
            return Err(Problem::too_large(detail).at(format!("/{name}")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn broken(error: &MultipartError, too_large: &TooLarge) -> Problem {
    if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        return too_large.problem();
    }
    Problem::malformed(format!("not multipart/form-data: {}", error.body_text())).at("")
}
