//! By which numbers of GS1 an organization is known: its company prefix and its GLN, each of one organization alone.
//!
//! A number is a claim, which stays the organization's once it is taken: it may stand on printed labels and in events. A
//! claim with nothing in it is the beginning of a longer prefix, which no organization may have as its own.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use super::{
    Basis, Service,
    register::{self, RegisterError},
};
use crate::{
    code::{Gln, Gs1Prefix, Sscc},
    limits::PAGE_ITEMS_MAX,
    registration::{Content, Kind, Organization, Parent, ValueError},
    store::{self, Writes},
    trace::{Entry, OrganizationId, PartyId},
};

/// The organizations with a GLN by the URIs that name them as parties, held in memory: entries of their hand-overs say
/// only the URIs. As many as an admin has registered, at 40 bytes each.
#[derive(Debug, Default)]
pub struct Parties(RwLock<HashMap<PartyId, OrganizationId>>);

impl Parties {
    /// Takes in the organizations of `writes`.
    pub(super) fn change(&self, writes: &Writes) {
        for statement in &writes.statements {
            if let Content::Organization(Organization { id, gln: Some(gln), .. }) = &statement.content {
                self.add(*id, *gln);
            }
        }
    }

    fn add(&self, organization: OrganizationId, gln: Gln) {
        let mut parties = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for uri in [gln.party_uri(), gln.place_uri()] {
            parties.insert(PartyId::of_uri(&uri), organization);
        }
    }

    /// Puts organizations in the place of the GLNs that the hand-overs of entries name.
    pub(super) fn resolve(&self, entries: &mut [Entry]) {
        let parties = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if parties.is_empty() {
            return;
        }
        for entry in entries {
            let hand_over = &mut entry.hand_over;
            for party in [&mut hand_over.from, &mut hand_over.to, &mut hand_over.owner].into_iter().flatten() {
                if let Some(organization) = parties.get(party) {
                    *party = PartyId::Organization(*organization);
                }
            }
        }
    }
}

impl Service {
    /// Reads the organizations with a GLN into memory: once, before anything is folded.
    ///
    /// # Errors
    /// Where the store cannot list or read them.
    pub async fn load_parties(&self) -> store::Result<()> {
        let mut after = None;
        loop {
            let page = self.store.children(&Parent::All, Kind::Organization, after, PAGE_ITEMS_MAX).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(*last);
            for id in page {
                // Into memory by itself too: it stands by its name in the timelines of goods.
                let organization = self.organization(OrganizationId(id), &mut Basis::default()).await?;
                if let Some(gln) = organization.gln {
                    self.parties.add(organization.id, gln);
                }
            }
        }
    }

    /// Takes the numbers of an organization for it.
    ///
    /// # Errors
    /// Where one is another's.
    pub(super) async fn claim_names(&self, organization: &Organization) -> register::Result<()> {
        let id = organization.id;
        if let Some(prefix) = &organization.gs1_prefix {
            for beginning in prefix.beginnings() {
                if let Some(owner) = self.claim_for(&prefix_claim(beginning), None).await? {
                    return Err(taken("gs1_prefix", prefix, format!("no prefix that begins with {beginning}"), owner));
                }
            }
            if let Some(owner) = self.claim_for(&prefix_claim(prefix.as_str()), Some(id)).await? {
                return Err(taken("gs1_prefix", prefix, "a prefix of its own".to_owned(), owner));
            }
        }
        if let Some(gln) = &organization.gln
            && let Some(owner) = self.claim_for(&format!("gln/{gln}"), Some(id)).await?
        {
            return Err(taken("gln", gln, "a GLN of its own".to_owned(), owner));
        }
        Ok(())
    }

    /// Claims a name for an organization, or as the beginning of a longer one; whose it is, where it is another's.
    async fn claim_for(&self, name: &str, id: Option<OrganizationId>) -> store::Result<Option<Option<OrganizationId>>> {
        loop {
            match self.store.claim(name).await? {
                Some(bytes) => {
                    let owner = owner(name, &bytes)?;
                    return Ok((owner != id).then_some(owner));
                }
                None => {
                    let value = id.map(|id| id.0.to_be_bytes().to_vec()).unwrap_or_default();
                    if self.store.swap(name, None, &value).await? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// The organization that a GLN names.
    pub async fn organization_of_gln(&self, gln: &Gln) -> store::Result<Option<OrganizationId>> {
        let name = format!("gln/{gln}");
        Ok(match self.store.claim(&name).await? {
            Some(bytes) => owner(&name, &bytes)?,
            None => None,
        })
    }

    /// The organization from whose prefix an SSCC was made.
    pub(super) async fn organization_of_sscc(&self, sscc: &Sscc) -> store::Result<Option<OrganizationId>> {
        for prefix in Gs1Prefix::of_sscc(sscc) {
            let name = prefix_claim(prefix);
            if let Some(bytes) = self.store.claim(&name).await?
                && let Some(owner) = owner(&name, &bytes)?
            {
                return Ok(Some(owner));
            }
        }
        Ok(None)
    }
}

fn prefix_claim(prefix: &str) -> String {
    format!("gs1-prefix/{prefix}")
}

/// Whose a claim is; nothing is the beginning of a longer prefix.
fn owner(name: &str, bytes: &[u8]) -> store::Result<Option<OrganizationId>> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let number = bytes.try_into().map_err(|_| store::Error::Corrupt {
        table: "claims",
        key: name.to_owned(),
        found: format!("{} bytes where an organization has 8", bytes.len()),
    })?;
    Ok(Some(OrganizationId(u64::from_be_bytes(number))))
}

fn taken(field: &str, found: &dyn std::fmt::Display, expected: String, owner: Option<OrganizationId>) -> RegisterError {
    let why = match owner {
        Some(owner) => format!("{expected}: organization {owner} has it"),
        None => format!("{expected}: other organizations have longer ones that begin with it"),
    };
    RegisterError::invalid(format!("/{field}"), ValueError::out_of_range(found, why))
}
