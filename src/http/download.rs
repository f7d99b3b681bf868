//! Sending stored files: to whom, how many at once, and not again to who has them.

use std::{sync::Arc, time::Instant};

use axum::{
    body::{Body, Bytes},
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use tokio::sync::OwnedSemaphorePermit;

use super::{App, client_address::ClientAddress, error::Problem, rate::Asker};
use crate::{limits::DOWNLOADS_KIB_MAX, registration::StoredFile, service::Caller};

/// Whoever may have a public file: with a valid key anyone, without one as long as the address has a budget. A file
/// costs as much of it as a code.
pub struct Downloader;

impl FromRequestParts<App> for Downloader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if parts.headers.contains_key(header::AUTHORIZATION) || parts.extensions.get::<Caller>().is_some() {
            Caller::from_request_parts(parts, app).await?;
        } else {
            let address = ClientAddress::from_request_parts(parts, app).await?;
            app.rate.admit(Asker::Address(address), 1, Instant::now())?;
        }
        Ok(Self)
    }
}

/// A file's bytes with the permit to have them in memory, given back when the last of them was sent.
struct Held {
    bytes: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Sends a file that the caller may have, unless it has it already (`If-None-Match`: RFC 9110, 13.1.2).
///
/// # Errors
/// 503 where as much as may be is being sent; otherwise those of the file store.
pub async fn send(app: &App, wanted: &HeaderMap, file: &StoredFile, cached: &'static str) -> Result<Response, Problem> {
    let etag = format!("\"{}\"", file.sha256);
    let known = [(header::CACHE_CONTROL, cached.to_owned()), (header::ETAG, etag.clone())];
    if has(wanted, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, known).into_response());
    }
    let kib = u32::try_from(file.size_bytes.div_ceil(1024)).unwrap_or(u32::MAX);
    let permit = Arc::clone(&app.service.downloads).try_acquire_many_owned(kib).map_err(|_| {
        Problem::unavailable(format!("files of {DOWNLOADS_KIB_MAX} KiB are being sent, as many as may be at once"))
    })?;
    let bytes = app.service.read_file(file).await?;
    let bytes = Bytes::from_owner(Held { bytes, _permit: permit });
    // An uploaded file is nobody's script: the browser may neither guess its type nor run what is in it.
    let guards: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, file.media_type.as_str()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    Ok((known, guards, Body::from(bytes)).into_response())
}

/// Whether a list of entity tags names this one; compared weakly, as `If-None-Match` asks.
fn has(wanted: &HeaderMap, etag: &str) -> bool {
    let lists = wanted.get_all(header::IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::{body::to_bytes, extract::ConnectInfo, http::Request};
    use tower::ServiceExt;

    use super::*;
    use crate::{
        http::{
            router::router,
            samples::{app, importer},
        },
        registration::{Category, MediaType, Product},
        trace::{OrganizationId, ProductId},
    };

    fn png() -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::RgbImage::new(2, 2).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    /// A service with one product that has a picture; where that is, and its entity tag.
    async fn pictured() -> (App, tempfile::TempDir, String, String) {
        let (app, folder) = app();
        let picture = app.service.store_file("body", Bytes::from(png()), &[MediaType::Png]).await.unwrap();
        let etag = format!("\"{}\"", picture.sha256);
        let product = Product {
            id: ProductId(0),
            organization: OrganizationId(0),
            gtin: None,
            name_zh: "虾".to_owned(),
            name_en: None,
            category: Category::Seafood,
            brand: None,
            specification: None,
            packaging: Vec::new(),
            storage: None,
            hs_code: None,
            picture: Some(picture),
        };
        let product = app.service.create_product(&importer(), product).await.unwrap();
        (app, folder, format!("/v1/products/{}/picture", product.id), etag)
    }

    async fn get(app: &App, path: &str, wanted: &str, address: &str) -> Response {
        let peer = ConnectInfo(SocketAddr::new(address.parse().unwrap(), 1));
        let request = Request::get(path).header("if-none-match", wanted).extension(peer).body(Body::empty()).unwrap();
        router(app.clone()).oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn who_has_a_file_already_is_not_sent_it_again() {
        let (app, _folder, path, etag) = pictured().await;
        for wanted in [&etag, &format!("W/{etag}"), &format!("\"x\", {etag}"), "*"] {
            // All permits are gone, so that nothing can be read.
            let _all = app.service.downloads.acquire_many(DOWNLOADS_KIB_MAX).await.unwrap();
            let response = get(&app, &path, wanted, "203.0.113.9").await;
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{wanted}");
            assert_eq!(response.headers()[header::ETAG], etag.as_str());
        }
        let response = get(&app, &path, "\"x\"", "203.0.113.9").await;
        assert_eq!(
            (response.status(), &response.headers()[header::CONTENT_TYPE]),
            (StatusCode::OK, &"image/png".parse().unwrap())
        );
        assert_eq!(to_bytes(response.into_body(), 1 << 10).await.unwrap(), png());
    }

    #[tokio::test]
    async fn what_is_being_sent_is_bounded_until_it_was_sent() {
        let (app, _folder, path, _) = pictured().await;
        let rest = app.service.downloads.acquire_many(DOWNLOADS_KIB_MAX - 1).await.unwrap();
        let first = get(&app, &path, "", "203.0.113.9").await;
        assert_eq!(first.status(), StatusCode::OK);
        let second = get(&app, &path, "", "203.0.113.9").await;
        assert_eq!(second.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(second.headers().contains_key(header::RETRY_AFTER));
        drop(first);
        assert_eq!(get(&app, &path, "", "203.0.113.9").await.status(), StatusCode::OK);
        drop(rest);
        assert_eq!(app.service.downloads.available_permits(), DOWNLOADS_KIB_MAX as usize);
    }

    #[tokio::test]
    async fn a_file_costs_an_address_as_much_as_a_code() {
        let (app, _folder, path, _) = pictured().await;
        let address = "203.0.113.9";
        let asker = ClientAddress::of(address.parse().unwrap(), &HeaderMap::new(), &app.config.server);
        app.rate.failed_tags(Asker::Address(asker), 1_000_000, Instant::now());
        for path in [path.as_str(), "/v1/documents/1/public"] {
            let response = get(&app, path, "", address).await;
            assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS, "{path}");
        }
        assert_eq!(get(&app, &path, "", "203.0.113.8").await.status(), StatusCode::OK);
    }
}
