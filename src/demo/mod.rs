//! The world of `coldproof demo`: enterprises, goods, consignments and codes that could be real.
//!
//! [`World`] is made from a day and a seed without any I/O; [`fill`] registers it through the functions that serve
//! importers, so that nothing in it is more than a user could have made.

mod chance;
mod fill;
mod folder;
mod goods;
mod number;
mod paper;
mod party;
mod picture;
mod plan;
mod world;

pub use self::{
    fill::{Error, Filled, fill},
    folder::{Condition, Unfinished, condition, moved},
    plan::{PlannedBatch, PlannedConsignment},
    world::{Size, World},
};
