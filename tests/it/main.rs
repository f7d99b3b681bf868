//! The one integration binary.

mod epcis;
mod pages;
mod store;
mod symbols;
