//! The store: its contract, and what it survives.

mod cluster;
mod contract;
mod copied;
mod damage;
mod faults;
pub mod keyspace;
mod kill;
mod load;
mod local;
mod login;
mod loop_fs;
mod measure;
mod model;
pub mod nodes;
mod power;
mod refuse;
mod sample;
