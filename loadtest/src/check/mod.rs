//! What answers must say. A server that is fast and wrong fails.

mod answer;
mod lines;

pub use answer::{Expected, tampered};
pub use lines::Lines;
