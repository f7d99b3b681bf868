//! Backups and restores, from the first byte to the last scan.

mod command;
mod cut;
mod moved;
mod quarantine;
mod retired;

use axum::http::StatusCode;
use coldproof::service::backup::{BackupError, BackupReader, check};
use serde_json::json;

use crate::routes::{Goods, Run, TestApp, both, event, measure, span};

/// Reads a backup to its end; its digest.
fn checked(backup: &[u8]) -> Result<[u8; 32], BackupError> {
    let mut reader = BackupReader::new(backup)?;
    check(&mut reader, |_| {})?;
    Ok(reader.digest().unwrap())
}

/// A store with two runs, reports, a measure, void labels, a correction, a picture and scans.
async fn lived() -> (TestApp, Goods, Run) {
    let app = TestApp::new().await;
    let (goods, run) = app.run(10_000).await;
    let code = |serial| app.code(&run.name, serial);
    let on = |minutes, first, last: u32, fields| {
        event(minutes, both(span(goods.batch, &code(first), &code(last), last - first + 1), fields))
    };
    let shipped = on(1, 3, 9_000, json!({ "bizStep": "shipping", "disposition": "in_transit" }));
    let received = on(2, 7, 7, json!({ "bizStep": "receiving" }));
    app.capture(&app.keys.importer, vec![shipped, on(3, 0, 5, measure(1, "set", "recalled"))]).await.accepted();
    app.capture(&app.keys.operator, vec![received]).await.accepted();
    let spans = json!({ "spans": [{ "first": code(9_990), "last": code(9_999) }] });
    app.post(&format!("/v1/runs/{}/void", run.name), &app.keys.importer, spans).await.expect(StatusCode::CREATED);
    let lot = json!({ "lot": "L-3" });
    app.patch(&format!("/v1/batches/{}", goods.batch), &app.keys.importer, lot).await.expect(StatusCode::OK);
    let mut picture = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(8, 8).write_to(&mut picture, image::ImageFormat::Png).unwrap();
    let put = app.call("PUT", &format!("/v1/products/{}/picture", goods.product)).key(&app.keys.importer);
    put.body("image/png", picture.into_inner()).send().await.expect(StatusCode::OK);
    for serial in [0, 100, 100] {
        app.scan(&format!("/{}", code(serial))).await;
    }
    (app, goods, run)
}
