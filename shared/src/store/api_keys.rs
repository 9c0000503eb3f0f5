//! `apikey#<digest>`, `key`: the owner, permissions and expiry of an API key. Each key also has an entry,
//! `own#<id>`, `key#<n>`, from which its owner's keys are listed.

use std::time::Duration;

use aws_sdk_dynamodb::types::{ConditionCheck, Delete, TransactWriteItem, Update};

use super::accounts::account_key;
use super::item::{
    Attributes, Item, Key, check_in_transaction, deletable, delete_in_transaction, n, new_item, s,
    update_in_transaction,
};
use super::profiles::entry_key;
use super::{Store, StoreError};
use crate::domain::{
    Account, AccountId, ApiKey, ApiKeyDescription, ApiKeyDigest, ApiKeyName, OutboxItem,
    Permissions, Timestamp,
};

/// The part of an API key that authenticates a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredApiKey {
    pub owner: AccountId,
    pub permissions: Permissions,
    /// `None` if the key never expires.
    pub expires_at: Option<Timestamp>,
    pub is_revoked: bool,
    pub generation: u64,
}

impl StoredApiKey {
    /// Whether the key is neither revoked nor expired. It must also have its account's generation.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        !self.is_revoked && self.expires_at.is_none_or(|expiry| now < expiry)
    }
}

/// The outcome of [`Store::add_api_key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddedApiKey {
    Stored,
    /// A concurrent request added another key with this id. Nothing was stored.
    Conflict,
    /// The session, or all sessions or keys of the account, have ended since it was read. Nothing was stored.
    Ended,
}

/// Which condition of a revocation failed first.
#[derive(PartialEq, Eq)]
enum Failed {
    Entry,
    Item,
}

/// How long the item of a revoked or expired key is kept, if it stays listed. Until then, using the key does
/// not count as a guess.
const RETENTION: Duration = Duration::from_hours(30 * 24);

impl Store {
    /// Looks up a key with one read.
    pub async fn api_key(&self, digest: &ApiKeyDigest) -> Result<Option<StoredApiKey>, StoreError> {
        let item = self.user_item(&api_key_key(digest)).await?;
        item.as_ref().map(from_item).transpose()
    }

    /// Adds a key and its entry, and deletes those in `forgotten`. `key.id` is the id after the last one
    /// that the caller read.
    ///
    /// Returns `Conflict` if another key was added since the caller read the entries, so that the
    /// caller's count of keys is exact. Returns `Ended` if the session has ended, or a generation of the
    /// account was raised since it was read, so that no key outlives the session that created it.
    pub async fn add_api_key(
        &self,
        account: &Account,
        session: &str,
        key: &ApiKey,
        forgotten: &[&ApiKey],
        notice: Option<&OutboxItem>,
    ) -> Result<AddedApiKey, StoreError> {
        let owner = &account.id;
        let mut writes = vec![self.put_api_key(owner, key)?, self.put_entry(owner, key)?];
        for key in forgotten {
            writes.push(self.delete_item(&entry_key(owner, key.id))?);
            writes.push(self.delete_item(&api_key_key(&key.digest))?);
        }
        if let Some(notice) = notice {
            writes.push(self.post_in_transaction(notice)?);
        }
        let mut parts = vec![
            (self.require_generations(account)?, AddedApiKey::Ended),
            (self.check_session(account, session)?, AddedApiKey::Ended),
        ];
        let writes = writes.into_iter();
        parts.extend(writes.map(|write| (write, AddedApiKey::Conflict)));
        let failed = self.write_parts(parts).await?;
        Ok(failed.unwrap_or(AddedApiKey::Stored))
    }

    /// Fails a transaction if a generation of the account was raised since it was read.
    fn require_generations(&self, account: &Account) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.tables.users)
            .set_key(Some(account_key(&account.id).attributes()))
            .condition_expression("session_generation = :sessions AND key_generation = :keys")
            .expression_attribute_values(":sessions", n(account.session_generation))
            .expression_attribute_values(":keys", n(account.key_generation));
        check_in_transaction(check)
    }

    fn put_api_key(
        &self,
        owner: &AccountId,
        key: &ApiKey,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut item = new_item(&api_key_key(&key.digest));
        item.insert("account_id".to_owned(), s(owner.as_str()));
        item.insert("permissions".to_owned(), n(key.permissions.mask()));
        item.insert("generation".to_owned(), n(key.generation));
        if let Some(expires) = key.expires_at {
            item.insert("valid_until".to_owned(), n(expires.millis()));
            item.insert("expires_at".to_owned(), deletable(expires.plus(RETENTION)));
        }
        self.put_new(item)
    }

    fn put_entry(&self, owner: &AccountId, key: &ApiKey) -> Result<TransactWriteItem, StoreError> {
        let mut item = new_item(&entry_key(owner, key.id));
        item.insert("name".to_owned(), s(key.name.as_str()));
        item.insert("permissions".to_owned(), n(key.permissions.mask()));
        item.insert("start".to_owned(), s(&key.start));
        item.insert("digest".to_owned(), s(key.digest.as_hex()));
        item.insert("created_at".to_owned(), n(key.created_at.millis()));
        item.insert("generation".to_owned(), n(key.generation));
        if let Some(description) = &key.description {
            item.insert("description".to_owned(), s(description.as_str()));
        }
        if let Some(expires) = key.expires_at {
            item.insert("valid_until".to_owned(), n(expires.millis()));
        }
        self.put_new(item)
    }

    fn delete_item(&self, key: &Key) -> Result<TransactWriteItem, StoreError> {
        delete_in_transaction(
            Delete::builder()
                .table_name(&self.tables.users)
                .set_key(Some(key.attributes())),
        )
    }

    /// Revokes a key and marks its entry. Does nothing if the entry is
    /// already marked or no longer exists.
    pub async fn revoke_api_key(
        &self,
        owner: &AccountId,
        key: &ApiKey,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let entry = self.revoke_entry(owner, key, now)?;
        let item = self.revoke_item(key, now)?;
        let parts = vec![(entry.clone(), Failed::Entry), (item, Failed::Item)];
        if self.write_parts(parts).await? == Some(Failed::Item) {
            // DynamoDB deleted the item after the key expired; the entry still lists the key.
            self.transact(vec![entry]).await?;
        }
        Ok(())
    }

    fn revoke_entry(
        &self,
        owner: &AccountId,
        key: &ApiKey,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.tables.users)
            .set_key(Some(entry_key(owner, key.id).attributes()))
            .update_expression("SET revoked_at = :now")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(revoked_at)")
            .expression_attribute_values(":now", n(now.millis()));
        update_in_transaction(update)
    }

    fn revoke_item(&self, key: &ApiKey, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.tables.users)
            .set_key(Some(api_key_key(&key.digest).attributes()))
            .update_expression("SET revoked_at = :now, expires_at = :forgotten_at")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":now", n(now.millis()))
            .expression_attribute_values(":forgotten_at", deletable(now.plus(RETENTION)));
        update_in_transaction(update)
    }
}

pub(super) fn api_key_key(digest: &ApiKeyDigest) -> Key {
    Key::new(format!("apikey#{}", digest.as_hex()), "key")
}

fn from_item(attributes: &Attributes) -> Result<StoredApiKey, StoreError> {
    let item = Item::new("API key", attributes)?;
    Ok(StoredApiKey {
        owner: item.account_id("account_id")?,
        permissions: permissions(&item)?,
        expires_at: item.optional_time("valid_until")?,
        is_revoked: item.optional_number::<i64>("revoked_at")?.is_some(),
        generation: item.number("generation")?,
    })
}

fn permissions(item: &Item<'_>) -> Result<Permissions, StoreError> {
    Permissions::from_mask(item.number("permissions")?)
        .ok_or_else(|| item.unreadable("permissions"))
}

/// Reads a key's entry.
pub(super) fn from_entry(id: u64, item: &Item<'_>) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id,
        name: ApiKeyName::stored(item.string("name")?.to_owned()),
        description: item
            .optional_string("description")?
            .map(|text| ApiKeyDescription::stored(text.to_owned())),
        permissions: permissions(item)?,
        start: item.string("start")?.to_owned(),
        digest: ApiKeyDigest::from_hex(item.string("digest")?.to_owned()),
        created_at: item.time("created_at")?,
        expires_at: item.optional_time("valid_until")?,
        revoked_at: item.optional_time("revoked_at")?,
        generation: item.number("generation")?,
    })
}
