//! The service as its users meet it: every route, over the embedded store.

mod app;
mod audit;
mod authority;
mod classes;
mod events;
mod issuing;
mod kinds;
mod life;
mod measures;
mod refusals;
mod said;
mod scan;
mod silent;
mod snapshots;
mod splits;
mod stream;
mod temperatures;
mod transformations;

pub use app::*;
pub use said::*;
