//! Coldproof: traceable source codes for imported cold-chain food, the history of what happens to
//! the goods, and the answer to every scan.
//!
//! The modules below stand in reading order. The first five are PURE: they do no I/O and see no
//! clock (`tests/tidy.rs` holds them to it). `docs/ARCHITECTURE.md` is the map of the house.

pub mod limits;

pub mod code;
pub mod cold_chain;
pub mod epcis;
pub mod registration;
pub mod trace;

pub mod store;

pub mod config;
pub mod service;

pub mod http;
pub mod pages;

pub mod demo;

pub mod command;
