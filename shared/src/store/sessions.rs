//! `session#<account id>`, `<session id>`: a live session.
//!
//! A token counts only while its session is there: signing out deletes it, and losing these items
//! signs everybody out. Only a sign-up or a sign-in puts one.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::Update;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;

use super::accounts::account_key;
use super::claims::claim_keys;
use super::item::{Attributes, Item, Key, deletable, n, new_item, s, update_in_transaction};
use super::transaction::Transaction;
use super::{Claim, Store, StoreError, accounts};
use crate::domain::{Account, AccountId, Session, Timestamp};
use crate::observe;

/// The part of a session that authenticates a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredSession {
    pub generation: u64,
    pub expires_at: Timestamp,
}

impl StoredSession {
    /// Whether the session counts at `now` for an account of this session generation.
    #[must_use]
    pub fn is_live(&self, generation: u64, now: Timestamp) -> bool {
        self.generation == generation && now < self.expires_at
    }
}

/// How often to try to raise a generation while other requests change the account.
const MAX_TRIES: u32 = 5;

impl Store {
    /// Records the login of the claim's account and stores its session, in one round trip. Returns the
    /// updated account.
    ///
    /// Returns `None`, and leaves no session, if the account does not exist, or its password or its
    /// session generation has changed since the claim was read. So a sign-in that verified an old
    /// password never leaves a session that counts.
    pub async fn start_session(
        &self,
        claim: &Claim,
        session: &Session,
    ) -> Result<Option<Account>, StoreError> {
        let (account, stored) = tokio::join!(
            self.record_login(claim, session.created_at),
            self.put_session(session),
        );
        let account = account?;
        stored?;
        if account.is_none() {
            self.abandon_session(&session.account, &session.id).await;
        }
        Ok(account)
    }

    async fn put_session(&self, session: &Session) -> Result<(), StoreError> {
        let item = session_item(session);
        self.retrying(|| async {
            self.client
                .put_item()
                .table_name(&self.tables.users)
                .set_item(Some(item.clone()))
                .send()
                .await
                .map(|_| ())
                .map_err(StoreError::from_sdk)
        })
        .await
    }

    /// Deletes a session whose token is not issued. If this fails, nobody has its token, and the
    /// session expires.
    pub async fn abandon_session(&self, account: &AccountId, id: &str) {
        if let Err(error) = self.end_session(account, id).await {
            observe::warn("session not deleted", &error);
        }
    }

    /// Deletes a session. Returns `false` if it is not there; of racing calls exactly one returns
    /// `true`. If a response is lost, the retry returns `false`.
    pub async fn end_session(&self, account: &AccountId, id: &str) -> Result<bool, StoreError> {
        self.retrying(|| async {
            let deleted = self
                .client
                .delete_item()
                .table_name(&self.tables.users)
                .set_key(Some(session_key(account, id).attributes()))
                .condition_expression("attribute_exists(pk)")
                .send()
                .await;
            let Err(error) = deleted else {
                return Ok(true);
            };
            match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(StoreError::from_sdk(error)),
            }
        })
        .await
    }

    /// Ends all sessions of an account and, if `keys_at` is the current time, all its API keys: raises
    /// the generations of the account and its claims in one transaction. Returns `false` if the
    /// account does not exist.
    pub async fn end_sessions(
        &self,
        id: &AccountId,
        keys_at: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        for tries in 1..=MAX_TRIES {
            let item = self.user_item(&account_key(id)).await?;
            let Some(account) = item.as_ref().map(accounts::from_item).transpose()? else {
                return Ok(false);
            };
            if self.raise_generations(&account, keys_at).await? {
                return Ok(true);
            }
            self.back_off(tries).await;
        }
        Err(StoreError::Contended)
    }

    /// Returns `false`, and writes nothing, if a generation is no longer the account's.
    async fn raise_generations(
        &self,
        account: &Account,
        keys_at: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let generation = account.session_generation;
        let in_account = self.raise_session_generation(&account_key(&account.id), generation);
        let in_account = match keys_at {
            None => in_account,
            Some(now) => in_account
                .update_expression(
                    "SET session_generation = :next, key_generation = :next_keys, keys_ended_at = :now",
                )
                .condition_expression("session_generation = :seen AND key_generation = :seen_keys")
                .expression_attribute_values(
                    ":next_keys",
                    n(account.key_generation.saturating_add(1)),
                )
                .expression_attribute_values(":seen_keys", n(account.key_generation))
                .expression_attribute_values(":now", n(now.millis())),
        };
        let in_claims =
            claim_keys(account).map(|key| self.raise_session_generation(&key, generation));
        let updates: Vec<_> = std::iter::once(in_account)
            .chain(in_claims)
            .map(update_in_transaction)
            .collect::<Result<_, _>>()?;
        let written = self.transact(&updates, None).await?;
        Ok(matches!(written, Transaction::Written))
    }

    fn raise_session_generation(&self, key: &Key, seen: u64) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.tables.users)
            .set_key(Some(key.attributes()))
            .update_expression("SET session_generation = :next")
            .condition_expression("session_generation = :seen")
            .expression_attribute_values(":next", n(seen.saturating_add(1)))
            .expression_attribute_values(":seen", n(seen))
    }
}

pub(super) fn session_key(account: &AccountId, id: &str) -> Key {
    Key::new(format!("session#{account}"), id)
}

pub(super) fn session_item(session: &Session) -> Attributes {
    let mut item = new_item(&session_key(&session.account, &session.id));
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set("generation", n(session.generation));
    set("created_at", n(session.created_at.millis()));
    set("valid_until", n(session.expires_at.millis()));
    set("expires_at", deletable(session.expires_at));
    set("source", s(session.client.source.to_string()));
    if let Some(user_agent) = &session.client.user_agent {
        set("user_agent", s(user_agent.as_str()));
    }
    item
}

pub(super) fn from_item(attributes: &Attributes) -> Result<StoredSession, StoreError> {
    let item = Item::new("session", attributes)?;
    Ok(StoredSession {
        generation: item.number("generation")?,
        expires_at: Timestamp::from_millis(item.number("valid_until")?),
    })
}
