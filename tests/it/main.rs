//! The one integration binary.

mod demo;
mod epcis;
mod pages;
mod registration;
mod store;
mod symbols;
