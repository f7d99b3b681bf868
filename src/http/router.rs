//! Every route on one page.

use axum::Router;

use super::App;

/// The whole interface.
pub fn router(app: App) -> Router {
    Router::new().with_state(app)
}
