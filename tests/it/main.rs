//! The one integration binary.

mod demo;
mod epcis;
mod pages;
mod registration;
mod routes;
mod store;
mod symbols;
