//! Organizations and their keys: made by admins.

use super::{RegisterError, Result, Service, content_of};
use crate::{
    registration::{ApiKey, Content, KeySecret, Kind, Organization, Statement, ValueError, key_text},
    service::{Caller, Counter},
    trace::{KeyId, OrganizationId, Role},
};

impl Service {
    /// Registers an organization; its number is given here.
    ///
    /// # Errors
    /// Where its prefix or GLN is another's, or the store fails.
    pub async fn create_organization(&self, caller: &Caller, organization: Organization) -> Result<Statement> {
        let id = self.next_number(Counter::Organizations).await?;
        let organization = Organization { id: OrganizationId(id), ..organization };
        self.claim_names(&organization).await?;
        let content = Content::Organization(organization);
        let statement = self.new_statement(caller, Kind::Organization, id, Vec::new(), content);
        self.write_one(caller, statement).await
    }

    /// Changes an organization: an admin any, others their own.
    ///
    /// # Errors
    /// Where it is not the caller's to change, `edit` refuses, or its prefix or GLN is another's.
    pub async fn change_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
        edit: impl FnOnce(&mut Organization) -> Result<()> + Send,
    ) -> Result<Statement> {
        let changed = self.change_organization_in_turn(caller, id, edit);
        self.in_turn(&self.changing, [format!("organization/{id}")], changed).await
    }

    async fn change_organization_in_turn(
        &self,
        caller: &Caller,
        id: OrganizationId,
        edit: impl FnOnce(&mut Organization) -> Result<()> + Send,
    ) -> Result<Statement> {
        let before = match caller.role {
            Role::Admin => self.readable(caller, Kind::Organization, id.0).await?,
            _ => self.owned(caller, Kind::Organization, id.0).await?,
        };
        let mut organization = content_of!(before.content.clone(), Organization)?;
        edit(&mut organization)?;
        self.claim_names(&organization).await?;
        let statement = self.next_version(caller, &before, Vec::new(), Content::Organization(organization));
        self.write_one(caller, statement).await
    }

    /// Makes a key for an organization that has the role. Returns its text, which is not kept: it is shown once.
    /// `random` are 32 bytes from the system's generator.
    ///
    /// # Errors
    /// Where there is no such organization, or it has not that role.
    pub async fn create_key(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        role: Role,
        label: Option<String>,
        random: [u8; 32],
    ) -> Result<(Statement, String)> {
        let secret = KeySecret::new(random);
        if organization != OrganizationId::SERVICE || role != Role::Admin {
            self.check_role(organization, role).await?;
        }
        let id = self.next_number(Counter::Keys).await?;
        let key = ApiKey {
            id: KeyId(id),
            organization,
            role,
            label,
            secret_sha256: secret.sha256(),
            created_ms: self.now_ms(),
            revoked_ms: None,
        };
        let text = key_text(key.id, &secret);
        let statement = self.new_statement(caller, Kind::Key, id, Vec::new(), Content::Key(key));
        Ok((self.write_one(caller, statement).await?, text))
    }

    async fn check_role(&self, organization: OrganizationId, role: Role) -> Result<()> {
        let Some(owner) = self.statement(Kind::Organization, organization.0).await? else {
            let error = ValueError::out_of_range(organization, "the number of an organization");
            return Err(RegisterError::invalid("organization", error));
        };
        let owner = content_of!(owner.content, Organization)?;
        if owner.roles.contains(&role) {
            return Ok(());
        }
        let found = format!("{role:?}").to_lowercase();
        let expected = format!("one of the organization's roles, {:?}", owner.roles).to_lowercase();
        Err(RegisterError::invalid("role", ValueError::out_of_range(found, expected)))
    }

    /// Revokes a key: it proves nobody from then on. Revoking it again changes nothing.
    ///
    /// # Errors
    /// Where it is not the caller's to revoke.
    pub async fn revoke_key(&self, caller: &Caller, id: KeyId) -> Result<Statement> {
        self.in_turn(&self.changing, [format!("key/{id}")], self.revoke_key_in_turn(caller, id)).await
    }

    async fn revoke_key_in_turn(&self, caller: &Caller, id: KeyId) -> Result<Statement> {
        let before = self.readable(caller, Kind::Key, id.0).await?;
        let mut key = content_of!(before.content.clone(), Key)?;
        if key.revoked_ms.is_some() {
            return Ok(before);
        }
        key.revoked_ms = Some(self.now_ms());
        let statement = self.next_version(caller, &before, Vec::new(), Content::Key(key));
        self.write_one(caller, statement).await
    }
}
