//! `apikey#<digest>`, `key`: the owner, permissions and expiry of an API key. Each key also has an entry
//! in its owner's profile, from which keys are listed.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, TransactWriteItem, Update};

use super::accounts::account_key;
use super::error::{failed_conditions, is_failed_condition};
use super::item::{
    Attributes, Item, Key, deletable, n, new_item, s, update_in_transaction, version,
};
use super::profiles::profile_key;
use super::{Store, StoreError};
use crate::domain::{
    Account, AccountId, ApiKey, ApiKeyDescription, ApiKeyDigest, ApiKeyName, Permissions, Timestamp,
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
    /// All sessions or keys of the account have ended since it was read. Nothing was stored.
    Ended,
}

/// How long the item of a revoked or expired key is kept. Until then, using the key does not count
/// as a guess.
const RETENTION: Duration = Duration::from_hours(30 * 24);

impl Store {
    /// Looks up a key with one read.
    pub async fn api_key(&self, digest: &ApiKeyDigest) -> Result<Option<StoredApiKey>, StoreError> {
        let item = self.user_item(&api_key_key(digest)).await?;
        item.as_ref().map(from_item).transpose()
    }

    /// Adds a key and its entry in the owner's profile, and removes the entries with the ids in
    /// `forgotten` from the profile.
    ///
    /// Returns `Conflict` if another key was added since the caller read the profile, so that the
    /// caller's count of keys is exact. Returns `Ended` if a generation of the account was raised
    /// since it was read, so that no key outlives the session that created it. `request_token`
    /// makes retries idempotent.
    pub async fn add_api_key(
        &self,
        account: &Account,
        key: &ApiKey,
        forgotten: &[u64],
        request_token: &str,
    ) -> Result<AddedApiKey, StoreError> {
        let owner = &account.id;
        let writes = vec![
            self.put_api_key(owner, key)?,
            self.put_profile_entry(owner, key, forgotten)?,
            self.require_generations(account)?,
        ];
        self.retrying(|| async {
            let written = self
                .client
                .transact_write_items()
                .set_transact_items(Some(writes.clone()))
                .client_request_token(request_token)
                .send()
                .await;
            match written {
                Ok(_) => Ok(AddedApiKey::Stored),
                Err(error) => {
                    let reasons = failed_conditions(error)?;
                    let has_ended = reasons.get(2).is_some_and(is_failed_condition);
                    Ok(if has_ended {
                        AddedApiKey::Ended
                    } else {
                        AddedApiKey::Conflict
                    })
                }
            }
        })
        .await
    }

    /// Fails a transaction if a generation of the account was raised since it was read.
    fn require_generations(&self, account: &Account) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.tables.users)
            .set_key(Some(account_key(&account.id).attributes()))
            .condition_expression("session_generation = :sessions AND key_generation = :keys")
            .expression_attribute_values(":sessions", n(account.session_generation))
            .expression_attribute_values(":keys", n(account.key_generation))
            .build()
            .map_err(|error| StoreError::Rejected(error.into()))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
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

    fn put_profile_entry(
        &self,
        owner: &AccountId,
        key: &ApiKey,
        forgotten: &[u64],
    ) -> Result<TransactWriteItem, StoreError> {
        let forgotten: Vec<String> = forgotten.iter().copied().map(attribute).collect();
        let remove = if forgotten.is_empty() {
            String::new()
        } else {
            format!(" REMOVE {}", forgotten.join(", "))
        };
        let update = Update::builder()
            .table_name(&self.tables.users)
            .set_key(Some(profile_key(owner).attributes()))
            .update_expression(format!(
                "SET v = if_not_exists(v, :v), last_api_key = :id, {} = :key{remove}",
                attribute(key.id)
            ))
            .expression_attribute_values(":v", version())
            .expression_attribute_values(":id", n(key.id))
            .expression_attribute_values(":key", to_map(key));
        let update = if key.id == 1 {
            update.condition_expression("attribute_not_exists(last_api_key)")
        } else {
            update
                .condition_expression("last_api_key = :last")
                .expression_attribute_values(":last", n(key.id.saturating_sub(1)))
        };
        update_in_transaction(update)
    }

    /// Revokes a key and marks its entry in the owner's profile. Does nothing if the entry is
    /// already marked or no longer exists.
    pub async fn revoke_api_key(
        &self,
        owner: &AccountId,
        key: &ApiKey,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let entry = self.revoke_profile_entry(owner, key, now)?;
        let item = self.revoke_item(key, now)?;
        let (both, entry_alone) = (vec![entry.clone(), item], vec![entry]);
        self.retrying(|| async {
            match self.write_revocation(both.clone()).await? {
                // DynamoDB deleted the item after the key expired; the profile still lists the key.
                Revocation::NoItem => {
                    let written = self.write_revocation(entry_alone.clone()).await;
                    written.map(|_| ())
                }
                Revocation::Written | Revocation::NotNeeded => Ok(()),
            }
        })
        .await
    }

    async fn write_revocation(
        &self,
        writes: Vec<TransactWriteItem>,
    ) -> Result<Revocation, StoreError> {
        let written = self
            .client
            .transact_write_items()
            .set_transact_items(Some(writes))
            .send()
            .await;
        let Err(error) = written else {
            return Ok(Revocation::Written);
        };
        let reasons = failed_conditions(error)?;
        Ok(if reasons.first().is_some_and(is_failed_condition) {
            Revocation::NotNeeded
        } else {
            Revocation::NoItem
        })
    }

    fn revoke_profile_entry(
        &self,
        owner: &AccountId,
        key: &ApiKey,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let attribute = attribute(key.id);
        let update = Update::builder()
            .table_name(&self.tables.users)
            .set_key(Some(profile_key(owner).attributes()))
            .update_expression(format!("SET {attribute}.revoked_at = :now"))
            .condition_expression(format!(
                "attribute_exists({attribute}) AND attribute_not_exists({attribute}.revoked_at)"
            ))
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

/// The outcome of a transaction that revokes a key.
enum Revocation {
    Written,
    /// The profile entry is already marked as revoked, or no longer exists.
    NotNeeded,
    /// The key's item no longer exists. Nothing was written.
    NoItem,
}

fn api_key_key(digest: &ApiKeyDigest) -> Key {
    Key::new(format!("apikey#{}", digest.as_hex()), "key")
}

/// The prefix of the profile attributes that describe a key.
pub(super) const API_KEY_PREFIX: &str = "api_key_";

fn attribute(id: u64) -> String {
    format!("{API_KEY_PREFIX}{id}")
}

fn from_item(attributes: &Attributes) -> Result<StoredApiKey, StoreError> {
    let item = Item::new("API key", attributes)?;
    Ok(StoredApiKey {
        owner: AccountId::parse(item.string("account_id")?)
            .map_err(|_| item.unreadable("account_id"))?,
        permissions: permissions(&item)?,
        expires_at: item
            .optional_number("valid_until")?
            .map(Timestamp::from_millis),
        is_revoked: item.optional_number::<i64>("revoked_at")?.is_some(),
        generation: item.number("generation")?,
    })
}

fn permissions(item: &Item<'_>) -> Result<Permissions, StoreError> {
    Permissions::from_mask(item.number("permissions")?)
        .ok_or_else(|| item.unreadable("permissions"))
}

fn to_map(key: &ApiKey) -> AttributeValue {
    let mut map = HashMap::from([
        ("name".to_owned(), s(key.name.as_str())),
        ("permissions".to_owned(), n(key.permissions.mask())),
        ("start".to_owned(), s(&key.start)),
        ("digest".to_owned(), s(key.digest.as_hex())),
        ("created_at".to_owned(), n(key.created_at.millis())),
        ("generation".to_owned(), n(key.generation)),
    ]);
    if let Some(description) = &key.description {
        map.insert("description".to_owned(), s(description.as_str()));
    }
    if let Some(expires) = key.expires_at {
        map.insert("valid_until".to_owned(), n(expires.millis()));
    }
    AttributeValue::M(map)
}

/// Reads a key's entry in its owner's profile.
pub(super) fn from_map(
    id: u64,
    value: &AttributeValue,
    profile: &Item<'_>,
) -> Result<ApiKey, StoreError> {
    let map = value.as_m().map_err(|_| profile.unreadable("api_key"))?;
    let item = Item::within("API key of a profile", map);
    let optional_time = |name| Ok(item.optional_number(name)?.map(Timestamp::from_millis));
    Ok(ApiKey {
        id,
        name: ApiKeyName::stored(item.string("name")?.to_owned()),
        description: item
            .optional_string("description")?
            .map(|text| ApiKeyDescription::stored(text.to_owned())),
        permissions: permissions(&item)?,
        start: item.string("start")?.to_owned(),
        digest: ApiKeyDigest::from_hex(item.string("digest")?.to_owned()),
        created_at: Timestamp::from_millis(item.number("created_at")?),
        expires_at: optional_time("valid_until")?,
        revoked_at: optional_time("revoked_at")?,
        generation: item.number("generation")?,
    })
}
