//! The world of `coldproof demo`: enterprises, goods, consignments, codes and journeys that could be real.
//!
//! [`World`] is made from a day and a seed without any I/O. [`fill`] lives through its history day by day: it moves the
//! service's clock, registers what comes in, and captures what is reported, through the functions that serve everybody, so
//! that nothing in it is more than users could have made.

mod chance;
mod fill;
mod folder;
mod goods;
mod history;
mod incident;
mod journey;
mod network;
mod number;
mod paper;
mod party;
mod picture;
mod plan;
mod reefer;
mod register;
mod report;
mod tale;
mod tell;
mod world;

pub use self::{
    fill::{Error, Filled, fill},
    folder::{Condition, Unfinished, condition, moved},
    plan::{PlannedBatch, PlannedConsignment},
    world::{Size, World},
};
