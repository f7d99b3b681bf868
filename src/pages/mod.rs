//! Server-side pages and their assets, compiled in. No script, no cookie, nothing from elsewhere.
//!
//! [`render`] makes the page of a scan once for all codes with the same history; [`Spliced::fill`]
//! puts the code and its scans in. The other pages are whole strings.

mod api;
mod asset;
mod curve;
mod lang;
mod splice;
mod temperatures;
mod template;
mod verdict;
mod view;
mod words;

pub use asset::{ASSET_CACHE_CONTROL, Asset, CONTENT_SECURITY_POLICY};
pub use lang::Lang;
pub use splice::{Gaps, Spliced};
pub use temperatures::breach_sentence;
pub use template::{render, render_api, render_class, render_failure, render_start};
pub use verdict::{Telling, Tone};
pub use view::{
    Batch, CameFrom, Class, ClassPage, CodePart, DateRange, Document, Failure, FailurePage, Journey, JourneyLine,
    Level, MadeOf, Measure, Party, Product, ScanPage, Step, Temperatures,
};
