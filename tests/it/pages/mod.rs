//! The pages: their HTML in both languages, hostile data, and a real browser.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

pub mod browser;
mod examples;
pub mod webdriver;

use coldproof::pages::{
    Class, CodePart, Failure, FailurePage, Lang, Party, ScanPage, Step, render, render_api, render_class,
    render_failure, render_start,
};
use coldproof::trace::Verdict;
use jiff::civil::date;
use utoipa::openapi::OpenApi;

/// A page by its name in addresses and snapshots, in a language.
pub fn page(name: &str, lang: Lang) -> Option<String> {
    if let Some(verdict) = Verdict::ALL.into_iter().find(|verdict| verdict_name(*verdict) == name) {
        let verdicts: &[Verdict] = match verdict {
            Verdict::Recalled => &[Verdict::Recalled, Verdict::Expired],
            Verdict::Genuine => &[Verdict::Genuine],
            other => &[other],
        };
        return Some(scan_page(&examples::scan(lang, verdicts)));
    }
    let failure = |failure| render_failure(&FailurePage { lang, failure, request_id: Some("01JD3K9V7Q".to_owned()) });
    Some(match name {
        "portion" => scan_page(&examples::portion(lang)),
        "product" => render_class(&examples::class(lang, Class::Product, &[])),
        "lot" => render_class(&examples::class(lang, Class::Lot, &[])),
        "batch" => render_class(&examples::class(lang, Class::Batch, &[Verdict::Recalled])),
        "400" => failure(Failure::BadLink("GTIN 06901234000017: the check digit is 7, expected 6".to_owned())),
        "404" => failure(Failure::NotFound),
        "429" => failure(Failure::TooMany { retry_after_s: 42 }),
        "503" => failure(Failure::Unavailable),
        "start" => render_start(lang),
        "docs" => render_api(lang, &openapi()),
        _ => return None,
    })
}

/// Names of all pages.
pub fn names() -> Vec<String> {
    let others = ["portion", "product", "lot", "batch", "400", "404", "429", "503", "start", "docs"];
    Verdict::ALL.into_iter().map(verdict_name).chain(others.map(str::to_owned)).collect()
}

/// A verdict as the interface spells it.
pub fn verdict_name(verdict: Verdict) -> String {
    serde_json::to_value(verdict).unwrap().as_str().unwrap().to_owned()
}

fn scan_page(page: &ScanPage) -> String {
    let first_scan = Some(date(2026, 11, 16).at(18, 4, 0, 0));
    let scans = if page.product.is_some() { 2 } else { 0 };
    let part = CodePart { code: examples::CODE, scans, first_scan, notice: None, sold: false, as_of: None };
    String::from_utf8(render(page).fill(&part)).unwrap()
}

fn openapi() -> OpenApi {
    serde_json::from_str(include_str!("openapi.json")).unwrap()
}

#[test]
fn every_page_reads_as_before() {
    for name in names() {
        for lang in [Lang::Zh, Lang::En] {
            let html = without_digests(&page(&name, lang).unwrap());
            insta::assert_snapshot!(format!("{name}_{}", lang.query()), html);
        }
    }
}

/// The names of assets change with every touch of the style sheet.
fn without_digests(html: &str) -> String {
    let mut pieces = html.split("/assets/");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + "/assets/[digest]" + &piece[16..])
}

#[test]
fn a_typical_scan_page_stays_under_twelve_kilobytes() {
    for lang in [Lang::Zh, Lang::En] {
        let html = page("genuine", lang).unwrap();
        assert!(html.len() <= 12_000, "{} bytes", html.len());
    }
}

#[test]
fn green_is_for_genuine_alone() {
    for name in names() {
        for lang in [Lang::Zh, Lang::En] {
            let html = page(&name, lang).unwrap();
            assert_eq!(html.contains(r#"class="good""#), ["genuine", "portion"].contains(&name.as_str()), "{name}");
        }
    }
}

#[test]
fn no_page_holds_a_script_a_style_or_an_address_elsewhere() {
    for name in names() {
        let html = page(&name, Lang::En).unwrap();
        for forbidden in ["<script", "<style", " style=", " on", "javascript:", "<!--"] {
            let found = html.match_indices(forbidden).any(|(at, _)| forbidden != " on" || handler(&html[at + 1..]));
            assert!(!found, "{name}: {forbidden}");
        }
        for (at, _) in html.match_indices("://") {
            let host = &html[at + 3..];
            assert!(host.starts_with("demo.coldproof.example/") || name == "docs", "{name}: {host:.40}");
        }
    }
}

/// Whether a text begins with an event handler's attribute.
fn handler(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| name.bytes().all(|byte| byte.is_ascii_lowercase()))
}

const HOSTILE: &str = r#"'"><script>alert(1)</script><img src=x onerror=alert(1)><!--code--><!--grouped-->&amp;"#;

#[test]
fn hostile_data_stays_text() {
    let hostile = || Some(HOSTILE.to_owned());
    let mut page = examples::scan(Lang::En, &[Verdict::Recalled, Verdict::Expired]);
    page.link_prefix = HOSTILE.to_owned();
    page.reasons = vec![HOSTILE.to_owned()];
    (page.measures[0].notice, page.measures[0].advice) = (hostile(), hostile());
    let product = page.product.as_mut().unwrap();
    (product.name_zh, product.name_en, product.brand) = (hostile(), hostile(), hostile());
    (product.net_weight, product.specification, product.gtin) = (hostile(), hostile(), hostile());
    product.picture = Some(format!("/{HOSTILE}"));
    let batch = page.batch.as_mut().unwrap();
    (batch.lot, batch.origin, batch.producer, batch.importer) = (hostile(), hostile(), hostile(), hostile());
    (batch.producer_registration, batch.port, batch.quantity) = (hostile(), hostile(), hostile());
    page.made_of = examples::portion(Lang::En).made_of;
    let source = &mut page.made_of.as_mut().unwrap().came_from[0];
    (source.product.name_en, source.content, source.batch.lot) = (hostile(), hostile(), hostile());
    (source.batch.origin, source.batch.producer, source.batch.importer) = (hostile(), hostile(), hostile());
    let document = &mut page.documents[1];
    document.kind = HOSTILE.to_owned();
    (document.number_masked, document.issuer) = (hostile(), hostile());
    document.rendition = Some(format!("/{HOSTILE}"));
    let line = &mut page.journey.lines[0];
    (line.step, line.place, line.party) =
        (Step::Other(HOSTILE.to_owned()), hostile(), Party::Named(HOSTILE.to_owned()));

    let html = scan_page(&page);
    assert!(!html.contains("<script") && !html.contains("<img src=x") && !html.contains("<!--"), "{html}");
    let clean = ScanPage {
        made_of: examples::portion(Lang::En).made_of,
        ..examples::scan(Lang::En, &[Verdict::Recalled, Verdict::Expired])
    };
    let clean = scan_page(&clean);
    let count = |html: &str| html.matches(examples::CODE).count();
    assert_eq!(count(&html), count(&clean), "a placeholder in data was filled");
    let tags = |html: &str| html.matches('<').count();
    assert_eq!(tags(&html), tags(&clean), "data made an element");

    let failure = Failure::BadLink(HOSTILE.to_owned());
    let html = render_failure(&FailurePage { lang: Lang::Zh, failure, request_id: hostile() });
    assert!(!html.contains("<script") && !html.contains("<!--"), "{html}");
}

#[test]
fn pictures_and_papers_come_from_this_host_alone() {
    for path in ["javascript:alert(1)", "//elsewhere.example/a.png", "https://elsewhere.example/", "/\\elsewhere", ""] {
        let mut page = examples::scan(Lang::En, &[Verdict::Genuine]);
        page.product.as_mut().unwrap().picture = Some(path.to_owned());
        page.documents[1].rendition = Some(path.to_owned());
        let html = scan_page(&page);
        assert!(!html.contains("<img") && !html.contains("elsewhere") && !html.contains("javascript"), "{path}");
    }
}

#[test]
fn a_page_says_each_thing_it_is_given_and_nothing_it_is_not() {
    let bare = ScanPage {
        product: None,
        batch: None,
        documents: Vec::new(),
        journey: Default::default(),
        state: None,
        ..examples::scan(Lang::Zh, &[Verdict::Unverifiable])
    };
    let html = scan_page(&bare);
    for absent in ["商品图片", "产地与批次", "单证", "流转过程", "旧密钥", "数据截至"] {
        assert!(!html.contains(absent), "{absent}");
    }
    let remarks = ScanPage { retired_key: true, data_as_of: Some(date(2026, 11, 22).at(9, 5, 0, 0)), ..bare };
    let html = scan_page(&remarks);
    assert!(html.contains("旧密钥") && html.contains("数据截至") && html.contains("2026-11-22 09:05"));
}
