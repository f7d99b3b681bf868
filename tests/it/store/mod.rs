//! The store: its contract, and what it survives.

mod contract;
mod kill;
mod load;
mod local;
mod sample;
