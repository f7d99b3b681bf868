//! Claims by lightweight transactions. Each swap has a name of its own, so that one of which nothing was heard can be
//! told from somebody else's.

use std::time::Duration;

use scylla::DeserializeRow;
use tokio::time::sleep;

use super::{Cluster, requests::SwapError, words};
use crate::{
    limits::{CLAIM_BYTES_MAX, CQL_CLAIM_MS, CQL_SWAP_TRIES_MAX, STORE_TRY_PAUSE_MS},
    store::{Error, Result, again, is_unavailable},
};

#[derive(DeserializeRow)]
struct ClaimRow {
    value: Option<Vec<u8>>,
    swap: Option<Vec<u8>>,
}

impl Cluster {
    async fn claim_row(&self, name: &str) -> Result<Option<ClaimRow>> {
        let name = words::claim(name)?;
        // Somebody else's round may come between, and take the whole time of this one.
        let ask = || self.requests.one::<ClaimRow>(&self.statements.claim, (name,), ("claims", name));
        again(CQL_CLAIM_MS, is_unavailable, ask).await
    }

    pub async fn claim(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let Some(row) = self.claim_row(name).await? else { return Ok(None) };
        // An empty value is one; a missing one is none.
        Ok(row.value)
    }

    /// A claim perhaps somewhat older than it is now, without a round of Paxos.
    pub async fn glance(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let name = words::claim(name)?;
        let row = self.requests.one::<(Option<Vec<u8>>,)>(&self.statements.glance, (name,), ("claims", name)).await?;
        Ok(row.and_then(|(value,)| value))
    }

    /// Sets `new` where the value is `expected`; whether it did.
    pub async fn swap(&self, name: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<bool> {
        if new.len() > CLAIM_BYTES_MAX {
            return Err(Error::TooLarge { what: "a claim", found: new.len(), max: CLAIM_BYTES_MAX });
        }
        let name = words::claim(name)?;
        let swap = random_name()?;
        for attempt in 0..CQL_SWAP_TRIES_MAX {
            let swapped = match expected {
                None => self.requests.swap(&self.statements.first_claim, (name, new, swap.as_slice())).await,
                Some(old) => self.requests.swap(&self.statements.next_claim, (new, swap.as_slice(), name, old)).await,
            };
            match swapped {
                Ok(true) => return Ok(true),
                Ok(false) if attempt == 0 => return Ok(false),
                // An attempt before may have taken effect: its name is there then. Another's name may stand over it.
                Ok(false) => {
                    let by = self.claim_row(name).await?.and_then(|row| row.swap);
                    return if by.is_some_and(|by| by == swap) { Ok(true) } else { Err(ambiguous(name)) };
                }
                Err(SwapError::Failed(error)) if attempt == 0 => return Err(error),
                Err(SwapError::Failed(error)) => tracing::warn!(claim = name, %error, "a swap is tried again"),
                Err(SwapError::Unknown(error)) => tracing::warn!(claim = name, error, "a swap is tried again"),
            }
            sleep(Duration::from_millis(STORE_TRY_PAUSE_MS << attempt)).await;
        }
        Err(ambiguous(name))
    }

    /// Puts a claim of another store where there is none.
    pub async fn load_claim(&self, name: &str, value: &[u8]) -> Result<()> {
        match self.swap(name, None, value).await {
            Ok(_) => Ok(()),
            Err(Error::Ambiguous(_)) if self.claim(name).await?.is_some() => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn ambiguous(name: &str) -> Error {
    Error::Ambiguous(name.to_owned())
}

/// 16 random bytes: no two are alike.
pub fn random_name() -> Result<[u8; 16]> {
    let mut name = [0; 16];
    getrandom::fill(&mut name).map_err(|error| Error::Unavailable(format!("no random bytes: {error}")))?;
    Ok(name)
}
