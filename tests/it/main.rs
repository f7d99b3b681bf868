//! The one integration binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod backup;
mod cluster;
mod demo;
mod deploy;
mod epcis;
mod misuse;
mod pages;
mod registration;
mod ring;
mod routes;
mod store;
mod symbols;
