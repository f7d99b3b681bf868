//! The one integration binary.

mod epcis;
mod store;
