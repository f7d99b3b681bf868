//! The one integration binary.

mod epcis;
mod pages;
mod registration;
mod store;
mod symbols;
