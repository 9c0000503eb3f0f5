//! Changes of an account that its claims or the set of administrators repeat, and its deletion.
//!
//! `admins`, `set` has the ids of all administrators, so that one always stays. Each change that makes
//! one or removes one writes it in the same transaction.

use std::time::Duration;

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};

use super::accounts::{account_key, scopes_attribute};
use super::claims::claim_keys;
use super::error::is_failed_condition;
use super::item::{Key, deletable, n, new_item, s, update_in_transaction, version};
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::crypto::PasswordHash;
use crate::domain::{Account, Timestamp};

/// The outcome of [`Store::change_account`] and [`Store::delete_account`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    Written,
    /// The account has changed since it was read. Nothing was written.
    Stale,
    /// No administrator would be left. Nothing was written.
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

/// How long the tombstone of a deleted account is kept: as long as a clean-up may have to be
/// repeated.
const TOMBSTONE_KEPT: Duration = Duration::from_hours(30 * 24);

impl Store {
    /// Changes the account, as `seen`, to `new`, and its claims and the set of administrators with it,
    /// in one transaction. `new_hash` is that of a new password.
    ///
    /// Writes nothing if the account's scopes or session generation are no longer those of `seen`.
    /// Every change but that of scopes raises the generation, so no change overwrites another.
    pub async fn change_account(
        &self,
        seen: &Account,
        new: &Account,
        new_hash: Option<&PasswordHash>,
        last_administrator: LastAdministrator,
    ) -> Result<Changed, StoreError> {
        let mut writes = vec![self.update_account(seen, new)?];
        if new.session_generation != seen.session_generation {
            for key in claim_keys(seen) {
                writes.push(self.update_claim(&key, seen, new, new_hash)?);
            }
        }
        let administrators =
            self.change_administrators(seen, new.is_administrator(), last_administrator)?;
        self.write_change(writes, administrators).await
    }

    /// Deletes the account and its claims in one transaction, so that its names are free and its
    /// sessions and API keys are dead. What else belonged to it stays, for [`Store::erase`].
    ///
    /// Leaves a tombstone without generations, so conditional writes to the account fail.
    pub async fn delete_account(
        &self,
        seen: &Account,
        now: Timestamp,
        last_administrator: LastAdministrator,
    ) -> Result<Changed, StoreError> {
        let mut writes = vec![self.put_tombstone(seen, now)?];
        for key in claim_keys(seen) {
            writes.push(self.delete_claim(&key, seen)?);
        }
        let administrators = self.change_administrators(seen, false, last_administrator)?;
        self.write_change(writes, administrators).await
    }

    async fn write_change(
        &self,
        mut writes: Vec<TransactWriteItem>,
        administrators: Option<TransactWriteItem>,
    ) -> Result<Changed, StoreError> {
        let of_account = writes.len();
        writes.extend(administrators);
        Ok(match self.transact(&writes, None).await? {
            Transaction::Written => Changed::Written,
            Transaction::Failed(reasons)
                if !reasons.iter().take(of_account).any(is_failed_condition) =>
            {
                Changed::LastAdministrator
            }
            Transaction::Failed(_) => Changed::Stale,
        })
    }

    fn update_account(
        &self,
        seen: &Account,
        new: &Account,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut update = Update::builder()
            .table_name(&self.tables.users)
            .set_key(Some(account_key(&seen.id).attributes()))
            .condition_expression(SEEN_ACCOUNT)
            .expression_attribute_names("#scope", "scope")
            .expression_attribute_values(":seen_scopes", scopes_attribute(&seen.scopes))
            .expression_attribute_values(":seen", n(seen.session_generation))
            .expression_attribute_values(":scopes", scopes_attribute(&new.scopes))
            .expression_attribute_values(":key_generation", n(new.key_generation));
        let mut set = "SET #scope = :scopes, key_generation = :key_generation".to_owned();
        if let Some(ended_at) = new.keys_ended_at {
            set += ", keys_ended_at = :keys_ended_at";
            update = update.expression_attribute_values(":keys_ended_at", n(ended_at.millis()));
        }
        update_in_transaction(set_repeated(update, set, new))
    }

    /// A claim that is no longer the account's fails the transaction.
    fn update_claim(
        &self,
        key: &Key,
        seen: &Account,
        new: &Account,
        new_hash: Option<&PasswordHash>,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut update = Update::builder()
            .table_name(&self.tables.users)
            .set_key(Some(key.attributes()))
            .condition_expression(SEEN_CLAIM)
            .expression_attribute_values(":account", s(seen.id.as_str()))
            .expression_attribute_values(":seen", n(seen.session_generation));
        let mut set = "SET account_id = :account".to_owned();
        if let Some(hash) = new_hash {
            set += ", password_hash = :hash";
            update = update.expression_attribute_values(":hash", s(hash.as_phc()));
        }
        update_in_transaction(set_repeated(update, set, new))
    }

    fn put_tombstone(
        &self,
        seen: &Account,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut item = new_item(&account_key(&seen.id));
        item.insert("deleted_at".to_owned(), n(now.millis()));
        let until = now.plus(TOMBSTONE_KEPT);
        item.insert("expires_at".to_owned(), deletable(until));
        let put = Put::builder()
            .table_name(&self.tables.users)
            .set_item(Some(item))
            .condition_expression(SEEN_ACCOUNT)
            .expression_attribute_names("#scope", "scope")
            .expression_attribute_values(":seen_scopes", scopes_attribute(&seen.scopes))
            .expression_attribute_values(":seen", n(seen.session_generation))
            .build()
            .map_err(|error| StoreError::Rejected(error.into()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn delete_claim(&self, key: &Key, seen: &Account) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.tables.users)
            .set_key(Some(key.attributes()))
            .condition_expression(SEEN_CLAIM)
            .expression_attribute_values(":account", s(seen.id.as_str()))
            .expression_attribute_values(":seen", n(seen.session_generation))
            .build()
            .map_err(|error| StoreError::Rejected(error.into()))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// Adds the account's id to the set, or removes it unless it is the last. `None` if the set stays
    /// as it is.
    fn change_administrators(
        &self,
        seen: &Account,
        is_administrator: bool,
        last_administrator: LastAdministrator,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
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
        update_in_transaction(update).map(Some)
    }
}

const SEEN_ACCOUNT: &str = "session_generation = :seen AND #scope = :seen_scopes";
const SEEN_CLAIM: &str = "session_generation = :seen AND account_id = :account";

/// Sets what the account and each claim have alike.
fn set_repeated(update: UpdateBuilder, mut set: String, new: &Account) -> UpdateBuilder {
    set += ", session_generation = :session_generation, password_version = :password_version";
    let update = update
        .expression_attribute_values(":session_generation", n(new.session_generation))
        .expression_attribute_values(":password_version", n(new.password_version));
    match new.disabled_at {
        Some(disabled_at) => update
            .update_expression(set + ", disabled_at = :disabled_at")
            .expression_attribute_values(":disabled_at", n(disabled_at.millis())),
        None => update.update_expression(set + " REMOVE disabled_at"),
    }
}
