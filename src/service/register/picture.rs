//! Images that the public sees: decoded before they are kept, so that what is sent to a phone is what it says.

use std::io::Cursor;

use image::{ImageReader, Limits};

use super::{RegisterError, Result, Service};
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

    /// Keeps an image after decoding it.
    ///
    /// # Errors
    /// As for [`Service::set_picture`]; `field` is named.
    pub async fn store_picture(&self, field: &str, bytes: bytes::Bytes) -> Result<StoredFile> {
        let whole = bytes.clone();
        let decoded = tokio::task::spawn_blocking(move || decodes(&whole)).await;
        let decoded = decoded.unwrap_or_else(|_| Err("a decoder that failed".to_owned()));
        decoded.map_err(|found| {
            let expected = format!("a whole PNG, JPEG or WebP of at most {PICTURE_SIDE_PIXELS_MAX} pixels a side");
            RegisterError::invalid(field, ValueError::out_of_range(found, expected))
        })?;
        self.store_file(field, bytes, &PICTURE_TYPES).await
    }
}

fn decodes(bytes: &[u8]) -> std::result::Result<(), String> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| error.to_string())?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(PICTURE_SIDE_PIXELS_MAX);
    limits.max_image_height = Some(PICTURE_SIDE_PIXELS_MAX);
    limits.max_alloc = Some(PICTURE_DECODED_BYTES_MAX);
    reader.limits(limits);
    reader.decode().map(drop).map_err(|error| error.to_string())
}
