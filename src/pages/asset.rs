//! Files that pages refer to, compiled in. Each is served under a name that holds its digest, so
//! that a browser may keep it for ever.

use std::fmt::Write as _;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// A file under `/assets/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its path on the host: `/assets/{first 16 hex digits of its SHA-256}.{extension}`.
    pub path: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub body: &'static [u8],
}

/// What every page's `Content-Security-Policy` says: nothing runs, nothing comes from elsewhere.
pub const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The `Cache-Control` of an asset: its name changes with its content.
pub const ASSET_CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// The style sheet of all pages.
pub(super) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("css", "text/css; charset=utf-8", include_bytes!("assets/pages.css")));

/// The icon in the browser's tab.
pub(super) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("svg", "image/svg+xml", include_bytes!("assets/icon.svg")));

impl Asset {
    /// The asset at a path, such as `/assets/0123456789abcdef.css`.
    pub fn at(path: &str) -> Option<&'static Self> {
        [&*STYLE, &*ICON].into_iter().find(|asset| asset.path == path)
    }

    fn new(extension: &str, media_type: &'static str, body: &'static [u8]) -> Self {
        let mut path = String::from("/assets/");
        for byte in Sha256::digest(body).iter().take(8) {
            // Writing to a string does not fail.
            let _ = write!(path, "{byte:02x}");
        }
        path.push('.');
        path.push_str(extension);
        Self { path, media_type, body }
    }
}

#[cfg(test)]
mod tests {
    use super::{Asset, STYLE};

    #[test]
    fn an_asset_is_found_by_its_hashed_name_alone() {
        assert_eq!(Asset::at(&STYLE.path), Some(&*STYLE));
        assert_eq!(Asset::at("/assets/pages.css"), None);
        assert_eq!(Asset::at(""), None);
    }
}
