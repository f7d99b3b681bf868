//! `coldproof keygen`: master keys of codes, and the first admin key.

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::{ConfigArgs, Error, Result, key_ring_file, open, runtime};
use crate::code::{KeyRing, KeySlot, MASTER_BYTES, key_table};

/// Shown under `--help`.
pub const EXAMPLES: &str = "\
Examples:
  coldproof keygen --store embedded:./data            make ./data/keyring.toml
  coldproof keygen --store embedded:./data --rotate   add a key; new codes use it, old ones still verify
  coldproof keygen --store embedded:./data --admin    print a new admin key, once

Keep a copy of the key ring where the store's backups are not. Without it no printed label can be verified.";

/// The slot of a new ring's one key.
pub(super) const FIRST_SLOT: KeySlot = match KeySlot::new(0) {
    Some(slot) => slot,
    None => panic!("slots are counted from 0"),
};

/// Arguments of `keygen`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// Add a key to the ring that is there.
    #[arg(long, conflicts_with = "admin")]
    rotate: bool,
    /// Make an admin's API key instead, through the running server or in the store itself.
    #[arg(long)]
    admin: bool,
}

/// Makes what the arguments ask for.
///
/// # Errors
/// Where there is a ring already (or none to rotate), it is full, or its file cannot be written.
pub fn run(args: Args) -> Result<()> {
    let config = args.config.load(Vec::new(), Vec::new())?;
    if args.admin {
        return runtime()?.block_on(admin_key(&config));
    }
    let path = config.keyring_path();
    let (old, slot) = if args.rotate {
        let text = key_ring_file::read_text(&path)?;
        let ring = KeyRing::parse(&text).map_err(|source| Error::KeyRing { path: path.clone(), source })?;
        let slot = ring.next_slot().ok_or_else(|| {
            let message = "the key ring is full: slot 31 is taken".to_owned();
            Error::KeyRingFile { path: path.clone(), message }
        })?;
        (text, slot)
    } else {
        (Zeroizing::new(String::new()), FIRST_SLOT)
    };
    key_ring_file::write(&path, &with_new_key(&old, slot)?, args.rotate)?;
    println!("{}: new codes use the new key in slot {slot}.", path.display());
    println!(
        "Keep a copy of this file where the store's backups are not: without it no printed label can be verified."
    );
    Ok(())
}

/// Makes a ring where there is none yet; says whether it did.
pub(super) fn ensure_ring(path: &std::path::Path) -> Result<bool> {
    if path.exists() {
        return Ok(false);
    }
    key_ring_file::write(path, &with_new_key("", FIRST_SLOT)?, false)?;
    Ok(true)
}

/// `old` with the table of a fresh random key behind it.
fn with_new_key(old: &str, slot: KeySlot) -> Result<Zeroizing<String>> {
    let mut master = Zeroizing::new([0; MASTER_BYTES]);
    getrandom::fill(&mut *master)
        .map_err(|error| Error::Io { what: "no random bytes".to_owned(), source: error.into() })?;
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let table = key_table(slot, &master, &today);
    // All of it is reserved at once: a text that grows leaves copies of the secret behind.
    let mut text = Zeroizing::new(String::with_capacity(old.len() + table.len() + 1));
    text.push_str(old);
    if !old.is_empty() {
        text.push('\n');
    }
    text.push_str(&table);
    Ok(text)
}

#[derive(Serialize)]
struct NewKey {
    role: &'static str,
}

#[derive(Deserialize)]
struct MadeKey {
    key: String,
}

async fn admin_key(config: &crate::config::Config) -> Result<()> {
    let mut server = open::admin(config).await?;
    let mut made: MadeKey = server.client.post("/v1/keys", &NewKey { role: "admin" }).await?;
    println!("{}", made.key);
    made.key.zeroize();
    eprintln!("This admin key is shown once. The store keeps only its hash.");
    server.close().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotated_ring_issues_with_its_new_key_and_keeps_the_old_one() {
        let first = with_new_key("", FIRST_SLOT).unwrap();
        let ring = KeyRing::parse(&first).unwrap();
        let second = with_new_key(&first, ring.next_slot().unwrap()).unwrap();
        let rotated = KeyRing::parse(&second).unwrap();
        assert_eq!(rotated.issuing_slot(), KeySlot::new(1));
        assert_eq!(rotated.slots().count(), 2);
        assert!(second.starts_with(&*first));
    }

    #[test]
    fn no_two_rings_are_alike() {
        let ring = || with_new_key("", FIRST_SLOT).unwrap();
        assert_ne!(*ring(), *ring());
    }
}
