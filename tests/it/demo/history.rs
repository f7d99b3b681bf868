//! What the small demo tells: journeys that people understand, and each thing that can go wrong.

use std::{collections::BTreeSet, path::Path, process::Command};

use serde_json::Value;

use super::{Demo, demo_json};
use crate::pages::{browser::FAULTS, webdriver::Browser};

async fn get(demo: &Demo, path: &str, key: &Value, accept: &str) -> String {
    let request = reqwest::Client::new().get(format!("{}{path}", demo.base_url)).header("Accept", accept);
    let request = request.bearer_auth(key.as_str().unwrap());
    request.send().await.unwrap().text().await.unwrap()
}

async fn json(demo: &Demo, path: &str, key: &Value) -> Value {
    serde_json::from_str(&get(demo, path, key, "application/json").await).unwrap()
}

#[tokio::test]
async fn the_small_demo_has_every_story_and_an_audit_of_it_is_clean() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path()).await;
    let named = demo_json(folder.path());
    let inspector = &named["keys"]["inspector"];

    let (mut verdicts, mut states, mut units) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for batch in 1..=20 {
        let whole = json(&demo, &format!("/batch/{batch}"), inspector).await;
        verdicts.extend(whole["verdicts"].as_array().unwrap().iter().map(|found| found.as_str().unwrap().to_owned()));
        let where_they_are = json(&demo, &format!("/v1/batches/{batch}/whereabouts"), inspector).await;
        for holder in where_they_are["holders"].as_array().unwrap() {
            states.extend(holder["codes"].as_object().unwrap().keys().cloned());
        }
        let lines = where_they_are["lines"].as_array().unwrap().iter();
        units.extend(lines.filter_map(|line| Some(line["unit"].as_str()?.to_owned())));
    }
    let expected = ["cold_chain_broken", "expired", "on_hold", "recalled"].map(str::to_owned);
    assert_eq!(verdicts, BTreeSet::from(expected));
    // Opened: the case that was split, into portions that are active.
    for state in ["active", "in_transit", "on_sale", "opened", "sold", "stored", "void"] {
        assert!(states.contains(state), "{state} in {states:?}");
    }
    let unit = named["unit"].as_str().unwrap();
    assert!(units.iter().any(|found| found.ends_with(unit)), "{unit} in {units:?}");

    let code = |name: &str| named["codes"][name].as_str().unwrap().to_owned();
    assert_eq!(demo.scan(&format!("/{}", code("warm"))).await["state"], "on_sale");
    let copied = json(&demo, &format!("/v1/codes/{}/timeline", code("copied")), inspector).await;
    assert_eq!(copied.to_string().matches("sold_twice").count(), 2, "{copied}");
    demo.scan(&format!("/{}", code("copied"))).await;
    let again = demo.scan(&format!("/{}", code("copied"))).await;
    assert_eq!(again["notices"].as_array().map(Vec::len), Some(0), "nothing is normal about a copy: {again}");

    let store = format!("embedded:{}", folder.path().display());
    let audit = Command::new(env!("CARGO_BIN_EXE_coldproof")).args(["audit", "--store", &store]).output().unwrap();
    assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_code_on_sale_tells_its_journey_with_places_and_fits_every_screen() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path()).await;
    let named = demo_json(folder.path());
    let warm = named["codes"]["warm"].as_str().unwrap();
    for (lang, told) in [
        ("zh", ["境外装箱", "厄瓜多尔", "启运", "到港", "检验检疫合格", "贴标启用", "收货", "上架销售"]),
        (
            "en",
            ["Packed for export", "Ecuador", "Departed", "Arrived", "found in order", "Label", "Received", "Offered"],
        ),
    ] {
        let page = get(&demo, &format!("/{warm}?lang={lang}"), &named["keys"]["inspector"], "text/html").await;
        let journey = page.split("class=\"journey\"").nth(1).unwrap();
        // The latest stands first.
        let places: Vec<_> = told.iter().map(|word| journey.rfind(word).unwrap_or_else(|| panic!("{word}"))).collect();
        assert!(places[0] > places[2] && places[2] > places[3] && places[3] > places[5] && places[5] > places[7]);
    }
    let Some(browser) = Browser::start().await else { return };
    for (width, lang) in [(320, "zh"), (320, "en"), (1200, "zh"), (1200, "en")] {
        for (name, code) in named["codes"].as_object().unwrap() {
            browser.screen(width, 800, 1.0, "light").await;
            browser.open(&format!("{}/{}?lang={lang}", demo.base_url, code.as_str().unwrap())).await;
            assert_eq!(browser.run(FAULTS).await, serde_json::json!([]), "{name} in {lang}, {width}");
            if let Some(shots) = std::env::var_os("DEMO_SHOTS") {
                browser.screen(width, browser.page_height().await, 1.0, "light").await;
                let file = Path::new(&shots).join(format!("{name}-{lang}-{width}.png"));
                std::fs::write(file, browser.picture(true).await).unwrap();
            }
        }
    }
    browser.quit().await;
}
