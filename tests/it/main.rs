//! The one integration binary.

mod pages;
mod epcis;
mod store;
