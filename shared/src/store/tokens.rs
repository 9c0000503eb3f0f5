//! `revoked#<jti>`: tokens that are dead before their time.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::accounts::{self, account_key};
use super::item::{Attributes, n, new_item, s};
use super::{PK, Store, StoreError};
use crate::domain::{Account, AccountId, Timestamp};

/// What the tables say of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenStanding {
    /// Its owner's account; `None` if it is gone.
    pub account: Option<Account>,
    /// Whether the token was revoked.
    pub is_revoked: bool,
}

/// How often keys that DynamoDB left unread are asked for again.
const MAX_READS: u32 = 4;

impl Store {
    /// A token's account and whether the token is revoked, strongly consistent and in one round
    /// trip. A key left unread is asked for again: a revocation that was not read is not "not
    /// revoked".
    pub async fn token_standing(
        &self,
        owner: &AccountId,
        token_id: &str,
    ) -> Result<TokenStanding, StoreError> {
        let mut unread = HashMap::from([
            (self.tables.users.clone(), one_key(account_key(owner))?),
            (
                self.tables.sessions.clone(),
                one_key(revoked_key(token_id))?,
            ),
        ]);
        let mut read: HashMap<String, Vec<Attributes>> = HashMap::new();
        for tries in 1..=MAX_READS {
            let output = self
                .client
                .batch_get_item()
                .set_request_items(Some(unread))
                .send()
                .await
                .map_err(StoreError::from_sdk)?;
            read.extend(
                output
                    .responses
                    .unwrap_or_default()
                    .into_iter()
                    .filter(|(_, items)| !items.is_empty()),
            );
            unread = output.unprocessed_keys.unwrap_or_default();
            if unread.is_empty() {
                let account = read.get(&self.tables.users).and_then(|items| items.first());
                return Ok(TokenStanding {
                    account: account.map(accounts::from_item).transpose()?,
                    is_revoked: read.contains_key(&self.tables.sessions),
                });
            }
            self.back_off(tries).await;
        }
        Err(StoreError::Unavailable("keys were left unread".into()))
    }

    /// Revokes a token until it expires by itself.
    pub async fn revoke(&self, token_id: &str, expires_at: Timestamp) -> Result<(), StoreError> {
        let mut item = new_item(revoked_key(token_id));
        item.insert(
            "expires_at".to_owned(),
            n(expires_at.secs().saturating_add(1)),
        );
        self.retrying(|| async {
            self.client
                .put_item()
                .table_name(&self.tables.sessions)
                .set_item(Some(item.clone()))
                .send()
                .await
                .map(|_| ())
                .map_err(StoreError::from_sdk)
        })
        .await
    }
}

fn one_key(pk: String) -> Result<KeysAndAttributes, StoreError> {
    KeysAndAttributes::builder()
        .keys(HashMap::from([(PK.to_owned(), s(pk))]))
        .consistent_read(true)
        .build()
        .map_err(|error| StoreError::Rejected(error.into()))
}

fn revoked_key(token_id: &str) -> String {
    format!("revoked#{token_id}")
}
