//! The service as its users meet it: every route, over the embedded store or, where `IT_STORE` says `cql`, a cluster.

mod app;
mod audit;
mod authority;
mod captures;
mod classes;
mod engine;
mod events;
mod inspections;
mod issuing;
mod journey;
mod kinds;
mod life;
mod looks;
mod measure;
mod measures;
mod misuse;
mod movements;
mod refusals;
mod rounds;
mod said;
mod scan;
mod silent;
mod snapshots;
mod splits;
mod stream;
mod temperatures;
mod transformations;

pub use app::*;
pub use engine::on_cluster;
pub use said::*;
