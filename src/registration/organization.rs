//! Organizations and their API keys.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Country, Uscc, ValueError};
use crate::{
    code::{Gln, Gs1Prefix},
    trace::{KeyId, OrganizationId, Role},
};

/// A legal person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Organization {
    /// Its number.
    pub id: OrganizationId,
    /// The name in the register, 1 to 200 characters.
    pub legal_name: String,
    /// The name that the public may see, 1 to 200 characters; without one the organization is not public. Importers'
    /// legal names are public on their own goods.
    pub public_name: Option<String>,
    /// What its keys may do, at least one, each once.
    pub roles: Vec<Role>,
    /// Its credit code, where it is Chinese.
    pub uscc: Option<Uscc>,
    /// Where it is registered.
    pub country: Country,
    /// What its GS1 numbers begin with; no two organizations have prefixes of which one begins with the other.
    #[serde(default)]
    pub gs1_prefix: Option<Gs1Prefix>,
    /// Its number as a party; no two organizations have the same. Events name it by this, so that it stays.
    #[serde(default)]
    pub gln: Option<Gln>,
}

/// An API key as it is kept: its secret only as a hash.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its number; it stands in the key's text.
    pub id: KeyId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What it may do.
    pub role: Role,
    /// What its owner calls it, at most 200 characters.
    pub label: Option<String>,
    /// SHA-256 of the secret's 32 bytes. The secret is random, so a fast hash is enough.
    pub secret_sha256: [u8; 32],
    /// When it was made, milliseconds since 1970-01-01 UTC.
    pub created_ms: i64,
    /// When it was revoked; `None` while it is good.
    pub revoked_ms: Option<i64>,
}

impl ApiKey {
    /// Whether the secret is this key's and the key is not revoked. Takes the same time wherever they differ.
    pub fn admits(&self, secret: &KeySecret) -> bool {
        let same = self.secret_sha256.ct_eq(&secret.sha256());
        bool::from(same) && self.revoked_ms.is_none()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}, organization {}, {:?})", self.id, self.organization, self.role)
    }
}

/// The 32 random bytes of an API key. Never logged, never kept; overwritten when dropped.
#[derive(zeroize::ZeroizeOnDrop)]
pub struct KeySecret([u8; 32]);

impl KeySecret {
    /// From random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// What is kept of it.
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySecret(..)")
    }
}

/// The text of an API key, `cp_{number}_{secret}`: the secret is 43 characters of base64url. It is shown once.
pub fn key_text(id: KeyId, secret: &KeySecret) -> String {
    format!("cp_{id}_{}", URL_SAFE_NO_PAD.encode(secret.0))
}

/// Reads the text of an API key.
///
/// # Errors
/// Where it has another form; the error does not repeat what was found.
pub fn parse_key_text(text: &str) -> Result<(KeyId, KeySecret), ValueError> {
    let refused =
        || ValueError::Missing { expected: "an API key of the form cp_{number}_{43 characters of base64url}" };
    let (id, secret) = text.strip_prefix("cp_").and_then(|rest| rest.split_once('_')).ok_or_else(refused)?;
    let canonical = !id.is_empty() && !id.starts_with('0') && id.bytes().all(|byte| byte.is_ascii_digit());
    let id = if canonical { id.parse().map_err(|_| refused())? } else { return Err(refused()) };
    let bytes = URL_SAFE_NO_PAD.decode(secret).map_err(|_| refused())?;
    let secret = bytes.try_into().map_err(|_| refused())?;
    Ok((KeyId(id), KeySecret(secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &KeySecret) -> ApiKey {
        ApiKey {
            id: KeyId(7),
            organization: OrganizationId(1),
            role: Role::Importer,
            label: None,
            secret_sha256: secret.sha256(),
            created_ms: 0,
            revoked_ms: None,
        }
    }

    #[test]
    fn a_key_is_read_back_from_its_text_and_admits_its_secret_alone() {
        let secret = KeySecret::new([0xFB; 32]);
        let text = key_text(KeyId(7), &secret);
        let (id, read) = parse_key_text(&text).unwrap();
        assert_eq!(id, KeyId(7));
        assert!(key(&secret).admits(&read));
        assert!(!key(&secret).admits(&KeySecret::new([0; 32])));
        let revoked = ApiKey { revoked_ms: Some(1), ..key(&secret) };
        assert!(!revoked.admits(&secret));
    }

    #[test]
    fn texts_of_another_form_are_no_keys_and_no_error_repeats_them() {
        let text = key_text(KeyId(7), &KeySecret::new([1; 32]));
        for wrong in
            ["", "cp_", "cp_7_", "cp_07_AA", &text.replace("cp_7", "cp_07"), &text[..text.len() - 1], &text[1..]]
        {
            let error = parse_key_text(wrong).unwrap_err().to_string();
            assert!(wrong.len() < 5 || !error.contains(wrong), "{error}");
        }
        assert!(!format!("{:?} {:?}", KeySecret::new([1; 32]), key(&KeySecret::new([1; 32]))).contains("1, 1"));
    }
}
