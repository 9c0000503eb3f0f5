//! `apikey#<digest>`: who a key belongs to and what it may do, in one read. What its owner can see
//! of it stands in their profile.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};

use super::error::{failed_conditions, is_failed_condition};
use super::item::{Attributes, Item, deletable, n, new_item, s, update_in_transaction, version};
use super::profiles::profile_key;
use super::{PK, Store, StoreError};
use crate::domain::{
    AccountId, ApiKey, ApiKeyDescription, ApiKeyDigest, ApiKeyName, Permissions, Timestamp,
};

/// What a presented key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredApiKey {
    /// Whose it is.
    pub owner: AccountId,
    /// What it may be used for.
    pub permissions: Permissions,
    /// When it dies by itself, if it does.
    pub expires_at: Option<Timestamp>,
    /// Whether its owner revoked it.
    pub is_revoked: bool,
}

impl StoredApiKey {
    /// Whether it can be used at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        !self.is_revoked && self.expires_at.is_none_or(|expiry| now < expiry)
    }
}

/// What became of a new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddedApiKey {
    /// It is stored.
    Stored,
    /// Its number was given to another in the meantime. Nothing was stored.
    Raced,
}

/// How long a dead key is still known as one, and not taken for a guess.
const REMEMBERED: Duration = Duration::from_hours(30 * 24);

impl Store {
    /// The key of this digest, if there is one. One read.
    pub async fn api_key(&self, digest: &ApiKeyDigest) -> Result<Option<StoredApiKey>, StoreError> {
        let item = self.user_item(api_key_key(digest)).await?;
        item.as_ref().map(from_item).transpose()
    }

    /// Adds a key, and what its owner sees of it to their profile, if its number is the one after
    /// the last that was given: keys of one owner are added one after another, so that whoever
    /// counted them counted right. Forgets the keys of the numbers in `forgotten`.
    ///
    /// `request_token` makes a retry after a lost answer find its own success.
    pub async fn add_api_key(
        &self,
        owner: &AccountId,
        key: &ApiKey,
        forgotten: &[u64],
        request_token: &str,
    ) -> Result<AddedApiKey, StoreError> {
        let writes = vec![
            self.put_api_key(owner, key)?,
            self.list_api_key(owner, key, forgotten)?,
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
                Err(error) => failed_conditions(error).map(|_| AddedApiKey::Raced),
            }
        })
        .await
    }

    fn put_api_key(
        &self,
        owner: &AccountId,
        key: &ApiKey,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut item = new_item(api_key_key(&key.digest));
        item.insert("account_id".to_owned(), s(owner.as_str()));
        item.insert("permissions".to_owned(), n(key.permissions.mask()));
        if let Some(expires) = key.expires_at {
            item.insert("valid_until".to_owned(), n(expires.millis()));
            item.insert("expires_at".to_owned(), deletable(expires.plus(REMEMBERED)));
        }
        self.put_new(item)
    }

    fn list_api_key(
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
            .key(PK, s(profile_key(owner)))
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

    /// Revokes a key of the owner's, together with what they see of it. One that is dead already,
    /// or not even listed any more, stays as it is.
    pub async fn revoke_api_key(
        &self,
        owner: &AccountId,
        key: &ApiKey,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let in_list = self.revoke_in_list(owner, key, now)?;
        let itself = self.revoke_itself(key, now)?;
        let (both, list_alone) = (vec![in_list.clone(), itself], vec![in_list]);
        self.retrying(|| async {
            match self.revoke_by(both.clone()).await? {
                // It was deleted after it had expired, and its owner still sees it.
                Revoked::KeyIsGone => self.revoke_by(list_alone.clone()).await.map(|_| ()),
                Revoked::Now | Revoked::Before => Ok(()),
            }
        })
        .await
    }

    async fn revoke_by(&self, writes: Vec<TransactWriteItem>) -> Result<Revoked, StoreError> {
        let written = self
            .client
            .transact_write_items()
            .set_transact_items(Some(writes))
            .send()
            .await;
        let Err(error) = written else {
            return Ok(Revoked::Now);
        };
        let reasons = failed_conditions(error)?;
        Ok(if reasons.first().is_some_and(is_failed_condition) {
            Revoked::Before
        } else {
            Revoked::KeyIsGone
        })
    }

    fn revoke_in_list(
        &self,
        owner: &AccountId,
        key: &ApiKey,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let attribute = attribute(key.id);
        let update = Update::builder()
            .table_name(&self.tables.users)
            .key(PK, s(profile_key(owner)))
            .update_expression(format!("SET {attribute}.revoked_at = :now"))
            .condition_expression(format!(
                "attribute_exists({attribute}) AND attribute_not_exists({attribute}.revoked_at)"
            ))
            .expression_attribute_values(":now", n(now.millis()));
        update_in_transaction(update)
    }

    fn revoke_itself(&self, key: &ApiKey, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.tables.users)
            .key(PK, s(api_key_key(&key.digest)))
            .update_expression("SET revoked_at = :now, expires_at = :forgotten_at")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":now", n(now.millis()))
            .expression_attribute_values(":forgotten_at", deletable(now.plus(REMEMBERED)));
        update_in_transaction(update)
    }
}

/// What became of a revocation.
enum Revoked {
    /// It was written.
    Now,
    /// The list says that the key was revoked before, or knows it no more: then it was dead.
    Before,
    /// There is no such key any more. Nothing was written.
    KeyIsGone,
}

fn api_key_key(digest: &ApiKeyDigest) -> String {
    format!("apikey#{}", digest.as_hex())
}

/// How the attributes of a profile that describe a key start.
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
    ]);
    if let Some(description) = &key.description {
        map.insert("description".to_owned(), s(description.as_str()));
    }
    if let Some(expires) = key.expires_at {
        map.insert("valid_until".to_owned(), n(expires.millis()));
    }
    AttributeValue::M(map)
}

/// A key as its owner's profile describes it.
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
    })
}
