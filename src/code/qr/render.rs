//! Pictures of symbols, with their quiet zone.

use std::fmt::Write as _;
use std::io::Cursor;

use image::{GrayImage, ImageFormat, Luma};

use super::{Matrix, QUIET_ZONE_MODULES, QrError};
use crate::limits::QR_SIDE_PIXELS_MAX;

/// An SVG of one unit a module, to be scaled as one likes; runs of dark modules are one path.
pub fn svg(matrix: &Matrix) -> String {
    let side = matrix.side() + 2 * QUIET_ZONE_MODULES;
    let mut path = String::new();
    for row in 0..matrix.side() {
        let mut column = 0;
        while column < matrix.side() {
            let length = (column..matrix.side()).take_while(|column| matrix.is_dark(*column, row)).count() as u32;
            if length > 0 {
                let (x, y) = (column + QUIET_ZONE_MODULES, row + QUIET_ZONE_MODULES);
                // Writing to a String cannot fail.
                let _ = write!(path, "M{x} {y}h{length}v1h-{length}z");
            }
            column += length + 1;
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{path}\"/></svg>\n"
    )
}

/// A PNG in shades of grey, `side_pixels` wide and high. Modules are whole pixels, as many as fit;
/// what is left over widens the quiet zone.
///
/// # Errors
/// [`QrError::Size`] where a module would be less than a pixel, or beyond `QR_SIDE_PIXELS_MAX`.
pub fn png(matrix: &Matrix, side_pixels: u32) -> Result<Vec<u8>, QrError> {
    let least = matrix.side() + 2 * QUIET_ZONE_MODULES;
    if !(least..=QR_SIDE_PIXELS_MAX).contains(&side_pixels) {
        return Err(QrError::Size { found: side_pixels, least, most: QR_SIDE_PIXELS_MAX });
    }
    let scale = side_pixels / least;
    let margin = (side_pixels - scale * matrix.side()) / 2;
    let module = |pixel: u32| pixel.checked_sub(margin).map(|pixel| pixel / scale);
    let picture = GrayImage::from_fn(side_pixels, side_pixels, |x, y| {
        let dark = module(x).zip(module(y)).is_some_and(|(column, row)| matrix.is_dark(column, row));
        Luma([if dark { 0 } else { 255 }])
    });
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png).map_err(|error| QrError::Png { reason: error.to_string() })?;
    Ok(file.into_inner())
}
