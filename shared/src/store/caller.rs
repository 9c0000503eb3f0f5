//! The read that authenticates a request: the account, the token's revocation and, if requested,
//! the profile, in one round trip.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::accounts::{self, account_key};
use super::item::{Attributes, Key, s};
use super::profiles::{self, profile_key};
use super::revocations::revoked_key;
use super::{PK, Store, StoreError};
use crate::domain::{Account, AccountId, Profile};

/// The stored state of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerRecord {
    /// `None` if the account does not exist.
    pub account: Option<Account>,
    pub is_token_revoked: bool,
    /// Empty if the profile was not requested or none is stored.
    pub profile: Profile,
}

/// Whether to read the caller's profile in the same round trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithProfile {
    Yes,
    No,
}

/// The maximum number of requests for one read, because DynamoDB may leave keys unprocessed.
const MAX_READS: u32 = 4;

impl Store {
    /// Reads a caller's stored state, strongly consistent and in one round trip.
    ///
    /// Requests unprocessed keys again, because a revocation that was not read would look like no
    /// revocation.
    pub async fn caller(
        &self,
        owner: &AccountId,
        token_id: Option<&str>,
        with_profile: WithProfile,
    ) -> Result<CallerRecord, StoreError> {
        let account_key = account_key(owner);
        let profile_key = profile_key(owner);
        let mut user_keys = vec![account_key.attributes()];
        if with_profile == WithProfile::Yes {
            user_keys.push(profile_key.attributes());
        }
        let mut unread = HashMap::from([(self.tables.users.clone(), keys(user_keys)?)]);
        if let Some(token_id) = token_id {
            let revocation = HashMap::from([(PK.to_owned(), s(revoked_key(token_id)))]);
            unread.insert(self.tables.sessions.clone(), keys(vec![revocation])?);
        }
        let read = self.read_all(unread).await?;
        let items_of = |table: &str| read.get(table).map(Vec::as_slice).unwrap_or_default();
        let user_item = |key: &Key| {
            let items = items_of(&self.tables.users);
            items.iter().find(|item| key.is_of(item))
        };
        Ok(CallerRecord {
            account: user_item(&account_key)
                .map(accounts::from_item)
                .transpose()?,
            is_token_revoked: !items_of(&self.tables.sessions).is_empty(),
            profile: user_item(&profile_key)
                .map(profiles::from_item)
                .transpose()?
                .unwrap_or_default(),
        })
    }

    pub(super) async fn read_all(
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

pub(super) fn keys(keys: Vec<Attributes>) -> Result<KeysAndAttributes, StoreError> {
    KeysAndAttributes::builder()
        .set_keys(Some(keys))
        .consistent_read(true)
        .build()
        .map_err(|error| StoreError::Rejected(error.into()))
}
