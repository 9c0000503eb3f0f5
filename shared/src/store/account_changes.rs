//! Changes of an account that its claims or the set of administrators repeat.
//!
//! `admins`, `set` has the ids of all administrators, so that one always stays. Each change that makes
//! one or removes one writes it in the same transaction.

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, TransactWriteItem, Update};

use super::accounts::{account_key, to_item};
use super::claims::{claim_item, claim_keys};
use super::item::{
    Key, check_in_transaction, delete_in_transaction, n, s, update_in_transaction, version,
};
use super::item_update::ItemUpdate;
use super::sessions::session_key;
use super::transaction::Part;
use super::{Store, StoreError};
use crate::crypto::PasswordHash;
use crate::domain::{Account, CodeDigest, MetadataChange, OutboxItem};

/// A change of an account as it was read.
#[derive(Debug)]
pub struct AccountChange<'a> {
    pub seen: &'a Account,
    pub new: Account,
    /// The hash that the account's claims get. Needed for a new password and for a new name.
    pub password_hash: Option<&'a PasswordHash>,
    pub by: Authority<'a>,
    /// `None` keeps the account's metadata.
    pub metadata: Option<&'a MetadataChange>,
    /// The code that allows the change, which is used up with it. The change fails if it is used already.
    pub code: Option<&'a CodeDigest>,
}

/// Who changes or deletes an account. What is said here must still hold when the change is written.
#[derive(Debug, Clone, Copy)]
pub enum Authority<'a> {
    Operator(LastAdministrator),
    /// Whoever has a code that was sent to the account's email.
    CodeHolder,
    /// The account itself. The session is live.
    Owner {
        session: &'a str,
        /// If the change ends all sessions.
        current: CurrentSession,
    },
    /// The administrator's account is as it was read, and the session live.
    Administrator {
        account: &'a Account,
        session: &'a str,
    },
}

/// Whether the session in use goes on when all others end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CurrentSession {
    GoesOn,
    Ends,
}

impl<'a> AccountChange<'a> {
    /// A change without a new hash, metadata or a code.
    #[must_use]
    pub fn new(seen: &'a Account, new: Account, by: Authority<'a>) -> Self {
        Self {
            seen,
            new,
            password_hash: None,
            by,
            metadata: None,
            code: None,
        }
    }
}

/// The outcome of [`Store::change_account`] and [`Store::delete_account`]. All but the first wrote
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    Written,
    /// The account, the session, the code or the administrator's account has changed since it was read.
    Stale,
    /// Another account has the new email or username.
    Taken,
    /// No administrator would be left.
    LastAdministrator,
}

/// Whether a change may remove the last administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastAdministrator {
    Stays,
    MayGo,
}

impl LastAdministrator {
    /// By an operator's `force`.
    #[must_use]
    pub fn forced(force: bool) -> Self {
        if force { Self::MayGo } else { Self::Stays }
    }
}

impl Store {
    /// Changes an account, its claims, its metadata, and the set of administrators, and adds the notices to the outbox,
    /// in one transaction.
    ///
    /// Writes nothing if the account is no longer as it was read, or has expired since: no change overwrites another,
    /// and none brings an account back. Of racing changes to one name exactly one is written. A change that is asked for through a session, or by an
    /// administrator, is not written after the session ended or the administrator's account changed.
    pub async fn change_account(
        &self,
        change: &AccountChange<'_>,
        notices: &[OutboxItem],
    ) -> Result<Changed, StoreError> {
        let AccountChange { seen, new, .. } = change;
        let mut parts = vec![(self.update_account(seen, new)?, Changed::Stale)];
        if let Some(metadata) = change.metadata {
            let metadata = self.change_metadata(&seen.id, metadata)?;
            parts.push((metadata, Changed::Stale));
        }
        if let Some(code) = change.code {
            parts.push((self.use_code(code)?, Changed::Stale));
        }
        let same_names = seen.identifiers().eq(new.identifiers());
        let same_claims = same_names
            && new.session_generation == seen.session_generation
            && new.expires_at == seen.expires_at;
        if !same_claims || change.password_hash.is_some() {
            parts.extend(self.change_claims(change)?);
        }
        parts.extend(self.check_authority(change.by, seen, Some(new))?);
        for notice in notices {
            parts.push((self.post_in_transaction(notice)?, Changed::Stale));
        }
        let failed = self.write_parts(parts).await?;
        Ok(failed.unwrap_or(Changed::Written))
    }

    /// Sets the attributes that differ, and the revision.
    fn update_account(
        &self,
        seen: &Account,
        new: &Account,
    ) -> Result<TransactWriteItem, StoreError> {
        let new = Account {
            revision: seen.revision.saturating_add(1),
            ..new.clone()
        };
        let (before, after) = (to_item(seen), to_item(&new));
        let mut update = ItemUpdate::default();
        update.require("revision", n(seen.revision));
        if seen.expires_at.is_some() {
            update.require_above("expires_at", n(self.clock.now().secs()));
        }
        for name in before.keys().filter(|name| !after.contains_key(*name)) {
            update.remove(name);
        }
        for (name, value) in after {
            if before.get(&name) != Some(&value) {
                update.set(&name, value);
            }
        }
        update_in_transaction(update.of(&self.tables.users, &account_key(&seen.id)))
    }

    /// Updates the claims that stay, deletes those that go, and puts the new ones. Updates come first,
    /// so that a stale account is not taken for a name of another account.
    fn change_claims(&self, change: &AccountChange<'_>) -> Result<Vec<Part<Changed>>, StoreError> {
        let AccountChange { seen, new, .. } = change;
        let (before, after): (Vec<_>, Vec<_>) =
            (claim_keys(seen).collect(), claim_keys(new).collect());
        let mut parts = Vec::new();
        for key in &before {
            let write = if after.contains(key) {
                self.update_claim(key, change)?
            } else {
                self.delete_claim(key, seen)?
            };
            parts.push((write, Changed::Stale));
        }
        for key in after.iter().filter(|key| !before.contains(key)) {
            let hash = change.password_hash.ok_or_else(|| {
                StoreError::Rejected("a new claim needs the password hash".into())
            })?;
            let put = self.put_claim(claim_item(key, new, hash))?;
            parts.push((put, Changed::Taken));
        }
        Ok(parts)
    }

    /// A claim that is no longer the account's fails the transaction.
    fn update_claim(
        &self,
        key: &Key,
        change: &AccountChange<'_>,
    ) -> Result<TransactWriteItem, StoreError> {
        let AccountChange { seen, new, .. } = change;
        let mut update = ItemUpdate::default();
        update.require("account_id", s(seen.id.as_str()));
        update.require("session_generation", n(seen.session_generation));
        update.set("password_version", n(new.password_version));
        update.set("session_generation", n(new.session_generation));
        if let Some(hash) = change.password_hash {
            update.set("password_hash", s(hash.as_phc()));
        }
        match new.disabled_at {
            Some(disabled_at) => update.set("disabled_at", n(disabled_at.millis())),
            None => update.remove("disabled_at"),
        }
        if new.expires_at.is_none() {
            update.remove("expires_at");
        }
        update_in_transaction(update.of(&self.tables.users, key))
    }

    /// Fails the transaction unless whoever makes the change still may, and keeps the set of administrators. `new`
    /// is `None` for a deletion.
    pub(super) fn check_authority(
        &self,
        by: Authority<'_>,
        seen: &Account,
        new: Option<&Account>,
    ) -> Result<Vec<Part<Changed>>, StoreError> {
        let mut last_administrator = LastAdministrator::Stays;
        let mut checks = Vec::new();
        match by {
            Authority::Operator(last) => last_administrator = last,
            Authority::CodeHolder => {}
            Authority::Owner { session, current } => {
                let generation = new.unwrap_or(seen).session_generation;
                let goes_on = current == CurrentSession::GoesOn;
                checks.push(if goes_on && generation != seen.session_generation {
                    self.carry_over(seen, session, generation)?
                } else {
                    self.check_session(seen, session)?
                });
            }
            Authority::Administrator { account, session } => {
                checks.push(self.check_session(account, session)?);
                // The change itself checks an own account.
                if account.id != seen.id {
                    checks.push(self.check_revision(account)?);
                }
            }
        }
        let stays = new.is_some_and(Account::is_administrator);
        let set = self.change_administrators(seen, stays, last_administrator)?;
        let checks = checks.into_iter().map(|check| (check, Changed::Stale));
        Ok(checks.chain(set).collect())
    }

    /// Moves the session to another generation. Fails the transaction unless the account still has the session in
    /// its own generation.
    fn carry_over(
        &self,
        account: &Account,
        session: &str,
        generation: u64,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut update = ItemUpdate::default();
        update.require("generation", n(account.session_generation));
        update.set("generation", n(generation));
        update_in_transaction(update.of(&self.tables.users, &session_key(&account.id, session)))
    }

    /// Fails the transaction unless the account still has the session in its own generation.
    pub(super) fn check_session(
        &self,
        account: &Account,
        session: &str,
    ) -> Result<TransactWriteItem, StoreError> {
        check_in_transaction(
            ConditionCheck::builder()
                .table_name(&self.tables.users)
                .set_key(Some(session_key(&account.id, session).attributes()))
                .condition_expression("generation = :seen")
                .expression_attribute_values(":seen", n(account.session_generation)),
        )
    }

    /// Fails the transaction unless the account is as it was read.
    pub(super) fn check_revision(&self, seen: &Account) -> Result<TransactWriteItem, StoreError> {
        check_in_transaction(
            ConditionCheck::builder()
                .table_name(&self.tables.users)
                .set_key(Some(account_key(&seen.id).attributes()))
                .condition_expression(SEEN_ACCOUNT)
                .expression_attribute_values(":seen", n(seen.revision)),
        )
    }

    pub(super) fn delete_claim(
        &self,
        key: &Key,
        seen: &Account,
    ) -> Result<TransactWriteItem, StoreError> {
        delete_in_transaction(
            Delete::builder()
                .table_name(&self.tables.users)
                .set_key(Some(key.attributes()))
                .condition_expression("account_id = :account AND session_generation = :seen")
                .expression_attribute_values(":account", s(seen.id.as_str()))
                .expression_attribute_values(":seen", n(seen.session_generation)),
        )
    }

    /// Adds the account's id to the set, or removes it unless it is the last. `None` if the set stays
    /// as it is.
    pub(super) fn change_administrators(
        &self,
        seen: &Account,
        is_administrator: bool,
        last_administrator: LastAdministrator,
    ) -> Result<Option<Part<Changed>>, StoreError> {
        let ids = AttributeValue::Ss(vec![seen.id.to_string()]);
        let update = Update::builder()
            .table_name(&self.tables.users)
            .set_key(Some(Key::new("admins".to_owned(), "set").attributes()))
            .expression_attribute_values(":ids", ids)
            .expression_attribute_values(":v", version());
        let set_version = "SET v = if_not_exists(v, :v)";
        let update = match (seen.is_administrator(), is_administrator) {
            (false, true) => update.update_expression(format!("{set_version} ADD ids :ids")),
            (true, false) => {
                let update = update.update_expression(format!("{set_version} DELETE ids :ids"));
                match last_administrator {
                    LastAdministrator::MayGo => update,
                    LastAdministrator::Stays => update
                        .condition_expression("contains(ids, :id) AND size(ids) > :one")
                        .expression_attribute_values(":id", s(seen.id.as_str()))
                        .expression_attribute_values(":one", n(1)),
                }
            }
            (true, true) | (false, false) => return Ok(None),
        };
        let update = update_in_transaction(update)?;
        Ok(Some((update, Changed::LastAdministrator)))
    }
}

pub(super) const SEEN_ACCOUNT: &str = "revision = :seen";
