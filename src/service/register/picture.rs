//! Images that the public sees: decoded before they are kept, so that what is sent to a phone is what it says.

use std::io::Cursor;

use image::{ImageError, ImageFormat, ImageReader, Limits};

use super::{Result, Service};
use crate::{
    limits::{PICTURE_DECODED_BYTES_MAX, PICTURE_SIDE_PIXELS_MAX},
    registration::{MediaType, Product, Statement, StoredFile, ValueError},
    service::Caller,
    trace::ProductId,
};

/// What a picture may be.
pub const PICTURE_TYPES: [MediaType; 3] = [MediaType::Png, MediaType::Jpeg, MediaType::Webp];

impl Service {
    /// Keeps a picture, and shows it on the product's page.
    ///
    /// # Errors
    /// Where the product is not the caller's, or the bytes are no whole picture of an accepted type and size.
    pub async fn set_picture(&self, caller: &Caller, id: ProductId, bytes: bytes::Bytes) -> Result<Statement> {
        self.owned(caller, crate::registration::Kind::Product, id.0).await?;
        let picture = self.store_picture("body", bytes).await?;
        self.change_product(caller, id, |product: &mut Product| {
            product.picture = Some(picture);
            Ok(())
        })
        .await
    }

    /// Keeps an image.
    ///
    /// # Errors
    /// As for [`Service::set_picture`]; `field` is named.
    pub async fn store_picture(&self, field: &str, bytes: bytes::Bytes) -> Result<StoredFile> {
        self.store_file(field, bytes, &PICTURE_TYPES).await
    }
}

/// Whether the bytes are a whole image of this format, within the limits.
pub(super) fn decodes(bytes: &[u8], format: ImageFormat) -> std::result::Result<(), ValueError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(PICTURE_SIDE_PIXELS_MAX);
    limits.max_image_height = Some(PICTURE_SIDE_PIXELS_MAX);
    limits.max_alloc = Some(PICTURE_DECODED_BYTES_MAX);
    reader.limits(limits);
    reader.decode().map(drop).map_err(|error| {
        let found = match error {
            ImageError::Limits(_) => "one that is larger",
            _ => "one that is damaged or broke off",
        };
        ValueError::out_of_range(found, format!("a whole image of at most {PICTURE_SIDE_PIXELS_MAX} pixels a side"))
    })
}
