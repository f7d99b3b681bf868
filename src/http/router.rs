//! Every route on one page.

use axum::{Router, routing::get};

use super::{App, scan};

/// The whole interface.
pub fn router(app: App) -> Router {
    Router::new().route("/scan", get(scan::typed)).fallback(scan::scan).with_state(app)
}
