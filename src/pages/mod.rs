//! Server-side pages and their assets, compiled in. No script, no cookie, nothing from elsewhere.

mod lang;
mod view;

pub use lang::Lang;
pub use view::{
    Batch, Class, ClassPage, CodePart, DateRange, Document, Failure, FailurePage, JourneyLine, Level, Party, Product,
    ScanPage, Step,
};
