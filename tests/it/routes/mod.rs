//! The service as its users meet it: every route, over the embedded store.

mod app;
mod audit;
mod authority;
mod captures;
mod events;
mod issuing;
mod life;
mod refusals;
mod said;
mod scan;
mod silent;
mod snapshots;
mod stream;

pub use app::*;
pub use said::*;
