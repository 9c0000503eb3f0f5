//! What every authenticated request reads: the account, a revocation, and what else it asks for,
//! in one round trip.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

use super::accounts::{self, account_key};
use super::item::{Attributes, s};
use super::profiles::{self, profile_key};
use super::tokens::revoked_key;
use super::{PK, Store, StoreError};
use crate::domain::{Account, AccountId, Profile};

/// What the tables say of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerRecord {
    /// Their account; `None` if it is gone.
    pub account: Option<Account>,
    /// Whether the token was revoked.
    pub is_revoked: bool,
    /// Their profile, where it was asked for; an empty one where none is stored.
    pub profile: Profile,
}

/// Whether a caller's profile is read together with their account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithProfile {
    /// It is.
    Yes,
    /// It is not.
    No,
}

/// How often keys that DynamoDB left unread are asked for again.
const MAX_READS: u32 = 4;

impl Store {
    /// An account, whether the token of this id is revoked, and the account's profile, strongly
    /// consistent and in one round trip. A key left unread is asked for again: a revocation that
    /// was not read is not "not revoked".
    pub async fn caller(
        &self,
        owner: &AccountId,
        token_id: Option<&str>,
        with_profile: WithProfile,
    ) -> Result<CallerRecord, StoreError> {
        let account_key = account_key(owner);
        let profile_key = profile_key(owner);
        let mut of_users = vec![account_key.as_str()];
        if with_profile == WithProfile::Yes {
            of_users.push(&profile_key);
        }
        let mut unread = HashMap::from([(self.tables.users.clone(), keys(&of_users)?)]);
        if let Some(token_id) = token_id {
            let revocation = keys(&[&revoked_key(token_id)])?;
            unread.insert(self.tables.sessions.clone(), revocation);
        }
        let read = self.read_all(unread).await?;
        let of = |table: &str| read.get(table).map(Vec::as_slice).unwrap_or_default();
        let user_item = |key: &str| {
            let is_it = |item: &&Attributes| matches!(item.get(PK), Some(AttributeValue::S(pk)) if pk == key);
            of(&self.tables.users).iter().find(is_it)
        };
        Ok(CallerRecord {
            account: user_item(&account_key)
                .map(accounts::from_item)
                .transpose()?,
            is_revoked: !of(&self.tables.sessions).is_empty(),
            profile: user_item(&profile_key)
                .map(profiles::from_item)
                .transpose()?
                .unwrap_or_default(),
        })
    }

    async fn read_all(
        &self,
        mut unread: HashMap<String, KeysAndAttributes>,
    ) -> Result<HashMap<String, Vec<Attributes>>, StoreError> {
        let mut read: HashMap<String, Vec<Attributes>> = HashMap::new();
        for tries in 1..=MAX_READS {
            let output = self
                .client
                .batch_get_item()
                .set_request_items(Some(unread))
                .send()
                .await
                .map_err(StoreError::from_sdk)?;
            for (table, items) in output.responses.unwrap_or_default() {
                read.entry(table).or_default().extend(items);
            }
            unread = output.unprocessed_keys.unwrap_or_default();
            if unread.is_empty() {
                return Ok(read);
            }
            self.back_off(tries).await;
        }
        Err(StoreError::Unavailable("keys were left unread".into()))
    }
}

fn keys(keys: &[&str]) -> Result<KeysAndAttributes, StoreError> {
    let keys = keys
        .iter()
        .map(|key| HashMap::from([(PK.to_owned(), s(*key))]));
    KeysAndAttributes::builder()
        .set_keys(Some(keys.collect()))
        .consistent_read(true)
        .build()
        .map_err(|error| StoreError::Rejected(error.into()))
}
