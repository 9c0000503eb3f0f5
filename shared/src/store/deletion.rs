//! The deletion of an account, and `user#<id>`, `deleted`: the tombstone that shows how far it has come.

use std::time::Duration;

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem, Update};

use super::account_changes::SEEN_ACCOUNT;
use super::accounts::account_key;
use super::claims::claim_keys;
use super::item::{
    Item, Key, deletable, delete_in_transaction, n, new_item, put_in_transaction, s,
};
use super::{Authority, Changed, Store, StoreError};
use crate::domain::{Account, AccountId, Deletion, OutboxItem, Timestamp};

/// A deletion of an account as it was read.
#[derive(Debug)]
pub struct AccountDeletion<'a> {
    pub seen: &'a Account,
    pub now: Timestamp,
    /// Tells of the deletion's progress.
    pub ticket: &'a str,
    pub by: Authority<'a>,
    pub notice: Option<&'a OutboxItem>,
}

/// How long the tombstone of a deleted account is kept. Its ticket is valid for a shorter time.
const TOMBSTONE_KEPT: Duration = Duration::from_hours(30 * 24);

impl Store {
    /// Replaces the account by a tombstone, and deletes its claims, in one transaction, so that its email
    /// and username are free and its sessions and API keys are dead.
    ///
    /// What else belonged to it stays, for [`Store::erase`]: the stream of the users table tells the function
    /// `erase-account` that the account is gone.
    pub async fn delete_account(
        &self,
        deletion: &AccountDeletion<'_>,
    ) -> Result<Changed, StoreError> {
        let AccountDeletion { seen, by, .. } = deletion;
        let mut parts = vec![(self.delete_seen(seen)?, Changed::Stale)];
        for key in claim_keys(seen) {
            parts.push((self.delete_claim(&key, seen)?, Changed::Stale));
        }
        parts.extend(self.check_authority(*by, seen, None)?);
        parts.push((self.put_tombstone(deletion)?, Changed::Stale));
        if let Some(notice) = deletion.notice {
            parts.push((self.post_in_transaction(notice)?, Changed::Stale));
        }
        let failed = self.write_parts(parts).await?;
        Ok(failed.unwrap_or(Changed::Written))
    }

    /// The tombstone of an account, kept for about 30 days.
    pub async fn deletion(&self, id: &AccountId) -> Result<Option<Deletion>, StoreError> {
        let Some(attributes) = self.user_item(&tombstone_key(id)).await? else {
            return Ok(None);
        };
        let item = Item::new("tombstone", &attributes)?;
        Ok(Some(Deletion {
            ticket: item.string("ticket")?.to_owned(),
            deleted_at: item.time("deleted_at")?,
            steps_done: item.number("steps_done")?,
        }))
    }

    /// Records the finished steps. Does nothing without a tombstone, as after an expiry, or if as many are
    /// recorded already.
    pub(super) async fn set_steps_done(
        &self,
        id: &AccountId,
        steps: u64,
    ) -> Result<(), StoreError> {
        let update = Update::builder()
            .table_name(&self.tables.users)
            .set_key(Some(tombstone_key(id).attributes()))
            .update_expression("SET steps_done = :steps")
            .condition_expression("attribute_exists(pk) AND steps_done < :steps")
            .expression_attribute_values(":steps", n(steps));
        self.update_alone(update.build()?).await.map(|_| ())
    }

    fn put_tombstone(
        &self,
        deletion: &AccountDeletion<'_>,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut item = new_item(&tombstone_key(&deletion.seen.id));
        let mut set = |name: &str, value| item.insert(name.to_owned(), value);
        set("ticket", s(deletion.ticket));
        set("deleted_at", n(deletion.now.millis()));
        set("steps_done", n(0));
        set("expires_at", deletable(deletion.now.plus(TOMBSTONE_KEPT)));
        put_in_transaction(
            Put::builder()
                .table_name(&self.tables.users)
                .set_item(Some(item)),
        )
    }

    /// Deletes the account if it is as it was read.
    fn delete_seen(&self, seen: &Account) -> Result<TransactWriteItem, StoreError> {
        delete_in_transaction(
            Delete::builder()
                .table_name(&self.tables.users)
                .set_key(Some(account_key(&seen.id).attributes()))
                .condition_expression(SEEN_ACCOUNT)
                .expression_attribute_values(":seen", n(seen.revision)),
        )
    }
}

fn tombstone_key(id: &AccountId) -> Key {
    Key::new(format!("user#{id}"), "deleted")
}
