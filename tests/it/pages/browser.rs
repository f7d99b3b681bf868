//! The pages in a real browser, on a phone's screen.

use std::path::Path;

use axum::Router;
use axum::extract::{Path as UrlPath, RawQuery};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use coldproof::pages::{Asset, CONTENT_SECURITY_POLICY, Lang, Telling};
use coldproof::trace::Verdict;

use super::webdriver::Browser;
use super::{names, page, verdict_name};

/// What reaches over the right edge of the screen, and text with less contrast than WCAG AA asks for.
pub const FAULTS: &str = include_str!("faults.js");

#[tokio::test(flavor = "multi_thread")]
async fn every_page_fits_a_phone_of_320_pixels_with_enough_contrast_in_light_and_dark() {
    let Some(browser) = Browser::start().await else { return };
    let host = serve().await;
    for scheme in ["light", "dark"] {
        browser.screen(320, 640, 1.0, scheme).await;
        for (name, lang) in names().iter().flat_map(|name| [(name, "zh"), (name, "en")]) {
            browser.open(&format!("{host}/pages/{name}?lang={lang}")).await;
            let faults = browser.run(FAULTS).await;
            assert_eq!(faults, serde_json::json!([]), "{name} in {lang}, {scheme}");
        }
    }
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verdict_is_read_at_arms_length_above_the_fold() {
    let Some(browser) = Browser::start().await else { return };
    let host = serve().await;
    browser.screen(320, 568, 1.0, "light").await;
    for (verdict, lang) in Verdict::ALL.into_iter().flat_map(|verdict| [(verdict, Lang::Zh), (verdict, Lang::En)]) {
        browser.open(&format!("{host}/pages/{}?lang={}", verdict_name(verdict), lang.query())).await;
        let seen = browser
            .run(
                "const h = document.querySelector('h1'), box = h.getBoundingClientRect();
                 return [h.textContent, document.documentElement.lang, parseFloat(getComputedStyle(h).fontSize), box.bottom]",
            )
            .await;
        assert_eq!(seen[0], Telling::of(verdict, lang).word);
        assert_eq!(seen[1], lang.tag());
        // 44 CSS pixels are 7 mm: as tall as the letters of a chart read at 5 m.
        assert!(seen[2].as_f64().unwrap() >= 44.0, "{seen}");
        assert!(seen[3].as_f64().unwrap() <= 568.0, "{seen}");
    }
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_in_groups_and_a_registration_number_are_seen_in_one_piece_on_a_small_phone() {
    let Some(browser) = Browser::start().await else { return };
    let host = serve().await;
    browser.screen(320, 568, 1.0, "light").await;
    for lang in ["zh", "en"] {
        browser.open(&format!("{host}/pages/start?lang={lang}")).await;
        let typed = "const input = document.querySelector('form input'); input.value = 'WWWW WWWW WWWW WWWW WWWW';
                     return input.scrollWidth <= input.clientWidth";
        assert_eq!(browser.run(typed).await, true, "{lang}");
        browser.open(&format!("{host}/pages/genuine?lang={lang}")).await;
        let wrapped = "return [...document.querySelectorAll('.mono')].filter(it => {
                           const lines = document.createRange(); lines.selectNodeContents(it);
                           return lines.getClientRects().length > 1; }).map(it => it.textContent)";
        assert_eq!(browser.run(wrapped).await, serde_json::json!([]), "{lang}");
    }
    browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_leads_to_the_other_language_and_back() {
    let Some(browser) = Browser::start().await else { return };
    let host = serve().await;
    browser.open(&format!("{host}/pages/genuine?lang=zh")).await;
    for (tag, word) in [("en", "Genuine"), ("zh-Hans", "正品")] {
        browser.run("document.querySelector('nav a').click()").await;
        let seen =
            browser.run("return [document.documentElement.lang, document.querySelector('h1').textContent]").await;
        assert_eq!(seen, serde_json::json!([tag, word]));
    }
    browser.quit().await;
}

/// Takes the pictures of the README: `tests/browser/shots`. With `SHOTS` set, every page goes there.
#[ignore = "writes docs/images"]
#[tokio::test(flavor = "multi_thread")]
async fn take_the_pictures() {
    let browser = Browser::start().await.expect("a browser");
    let host = serve().await;
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images");
    for name in ["genuine", "forged"] {
        browser.screen(390, 844, 2.0, "light").await;
        browser.open(&format!("{host}/pages/{name}?lang=en")).await;
        std::fs::write(images.join(format!("scan-{name}.png")), small_png(&browser.picture(false).await)).unwrap();
    }
    if let Some(folder) = std::env::var_os("SHOTS") {
        for (scheme, lang) in [("light", "zh"), ("light", "en"), ("dark", "zh"), ("dark", "en")] {
            for name in names() {
                browser.screen(390, 844, 1.0, scheme).await;
                browser.open(&format!("{host}/pages/{name}?lang={lang}")).await;
                browser.screen(390, browser.page_height().await, 1.0, scheme).await;
                let file = Path::new(&folder).join(format!("{name}-{lang}-{scheme}.png"));
                std::fs::write(file, browser.picture(true).await).unwrap();
            }
        }
    }
    browser.quit().await;
}

/// The same picture, packed as tightly as PNG allows without loss.
fn small_png(png: &[u8]) -> Vec<u8> {
    use image::codecs::png::{CompressionType, FilterType, PngEncoder};
    let picture = image::load_from_memory(png).unwrap().into_rgb8();
    let packed = [FilterType::NoFilter, FilterType::Sub, FilterType::Up, FilterType::Paeth, FilterType::Adaptive].map(
        |filter| {
            let mut packed = Vec::new();
            picture
                .write_with_encoder(PngEncoder::new_with_quality(&mut packed, CompressionType::Best, filter))
                .unwrap();
            packed
        },
    );
    packed.into_iter().min_by_key(Vec::len).unwrap()
}

/// Serves the example pages under the headers that the service sends, and says where.
async fn serve() -> String {
    let app = Router::new()
        .route("/pages/{name}", get(example))
        .route("/assets/{file}", get(asset))
        .route("/pictures/shrimp.svg", get(|| async { ([(header::CONTENT_TYPE, "image/svg+xml")], PICTURE) }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    format!("http://{address}")
}

const PICTURE: &str = include_str!("shrimp.svg");

async fn example(UrlPath(name): UrlPath<String>, RawQuery(query): RawQuery) -> Response {
    let asked = query.as_deref().and_then(|query| query.strip_prefix("lang="));
    match page(&name, Lang::choose(asked, None)) {
        Some(html) => ([(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY)], Html(html)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn asset(UrlPath(file): UrlPath<String>) -> Response {
    match Asset::at(&format!("/assets/{file}")) {
        Some(asset) => ([(header::CONTENT_TYPE, asset.media_type)], asset.body).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
