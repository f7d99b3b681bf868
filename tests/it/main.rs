//! The one integration binary.

mod pages;
mod store;
