//! `session#<account id>`, `<session id>`: a session.
//!
//! A token is valid only while its session is stored: signing out deletes it, and losing these items
//! signs everybody out. Only a sign-up or a sign-in puts one.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use super::item::{Attributes, Item, Key, deletable, n, new_item, s};
use super::item_update::ItemUpdate;
use super::{Claim, SK, Store, StoreError, count, requests};
use crate::domain::{Account, AccountId, EmailVerification, Refresh, Session, Timestamp};
use crate::observe;

/// The part of a session that authenticates a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredSession {
    pub generation: u64,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// `None` if it cannot be refreshed.
    pub refresh: Option<Refresh>,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSession {
    pub id: String,
    pub state: StoredSession,
    /// The source that signed in: an IPv4 address, or an IPv6 network.
    pub source: String,
    pub user_agent: Option<String>,
}

impl StoredSession {
    /// When the session was last refreshed; else when it began.
    #[must_use]
    pub fn last_refreshed(&self) -> Timestamp {
        let since = self.refresh.map(|refresh| refresh.since);
        since.unwrap_or(self.created_at)
    }

    /// Whether the session is live at `now` for an account of this session generation.
    #[must_use]
    pub fn is_live(&self, generation: u64, now: Timestamp) -> bool {
        self.generation == generation && now < self.expires_at
    }
}

/// How many pages of 1 MB a list of live sessions reads.
const MAX_PAGES: usize = 4;

impl Store {
    /// Records the login of the claim's account and stores its session, in one round trip. Returns the
    /// account as it was before.
    ///
    /// Returns `None`, and deletes the session, if the account does not exist, its email has to be verified and
    /// is not, or its password or its session generation has changed since the claim was read. So a sign-in
    /// that verified an old password never leaves a live session.
    pub async fn start_session(
        &self,
        claim: &Claim,
        session: &Session,
        verification: EmailVerification,
    ) -> Result<Option<Account>, StoreError> {
        let (account, stored) = tokio::join!(
            self.record_login(claim, session.created_at, verification),
            self.put_session(session),
        );
        if let (Ok(Some(_)), Ok(())) = (&account, &stored) {
            return account;
        }
        let before = account.as_ref().ok().and_then(Option::as_ref);
        self.abandon_sign_in(session, before).await;
        stored.and(account)
    }

    async fn put_session(&self, session: &Session) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.tables.users);
        self.put(put.set_item(Some(session_item(session)))).await
    }

    /// Makes `to` current if `from` is. Returns `false` if `from` is not current, or the session is gone or of another
    /// generation. Of racing calls at most one returns `true`; if a response is lost, the retry returns `false`.
    pub async fn advance_refresh(
        &self,
        account: &Account,
        session: (&str, &StoredSession),
        from: Refresh,
        to: Refresh,
    ) -> Result<bool, StoreError> {
        let (id, stored) = session;
        let ends = to.ends(stored.created_at);
        let mut update = ItemUpdate::default();
        update.require("refresh_number", n(from.number));
        update.require("generation", n(stored.generation));
        update.set("refresh_number", n(to.number));
        update.set("refreshed_at", n(to.since.millis()));
        update.set("valid_until", n(ends.millis()));
        update.set("expires_at", deletable(ends));
        let update = update.of(&self.tables.users, &session_key(&account.id, id));
        self.update_alone(update.build()?).await
    }

    /// Takes back a sign-in: deletes its session and, if its login was recorded, restores the last login of the
    /// account as it was `before`. If this fails, nobody has the session's token, and the session expires.
    pub async fn abandon_sign_in(&self, session: &Session, before: Option<&Account>) {
        let restore = async {
            if let Some(account) = before
                && let Err(error) = self.restore_last_login(account, session.created_at).await
            {
                observe::warn("last login not restored", &error);
            }
        };
        tokio::join!(self.abandon_session(&session.account, &session.id), restore);
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
        let delete = self
            .client
            .delete_item()
            .table_name(&self.tables.users)
            .set_key(Some(session_key(account, id).attributes()))
            .condition_expression("attribute_exists(pk)");
        self.delete(delete).await
    }

    /// The newest sessions of the account that are live at `now`, newest first, at most `max`. Reads at most 4 MB of
    /// sessions, some 10,000, ended ones included: an older live one beyond them is not found.
    pub async fn newest_sessions(
        &self,
        account: &Account,
        now: Timestamp,
        max: usize,
    ) -> Result<Vec<ListedSession>, StoreError> {
        let query = self.query_live_sessions(account, now);
        let query = query.scan_index_forward(false);
        let mut pages = query.into_paginator().send();
        let mut listed = Vec::new();
        for _ in 0..MAX_PAGES {
            let Some(page) = pages.try_next().await.map_err(StoreError::from_sdk)? else {
                break;
            };
            for item in page.items().iter().take(max - listed.len()) {
                listed.push(listed_from_item(item)?);
            }
            if listed.len() == max {
                break;
            }
        }
        Ok(listed)
    }

    /// The newest stored sessions of the account, those that have ended included, newest first, at most
    /// about a thousand.
    pub async fn stored_sessions(
        &self,
        account: &AccountId,
    ) -> Result<Vec<ListedSession>, StoreError> {
        let query = self.query_partition(session_partition(account));
        let query = query.scan_index_forward(false).limit(1000);
        let page = requests::read_page(query).await?;
        let items = page.items.unwrap_or_default();
        items.iter().map(listed_from_item).collect()
    }

    fn query_live_sessions(&self, account: &Account, now: Timestamp) -> QueryFluentBuilder {
        self.query_partition(session_partition(&account.id))
            .filter_expression("generation = :generation AND valid_until > :now")
            .expression_attribute_values(":generation", n(account.session_generation))
            .expression_attribute_values(":now", n(now.millis()))
    }

    /// How many sessions of the account are live at `now`.
    pub async fn live_sessions(
        &self,
        account: &Account,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        count(self.query_live_sessions(account, now)).await
    }
}

pub(super) fn session_key(account: &AccountId, id: &str) -> Key {
    Key::new(session_partition(account), id)
}

pub(super) fn session_partition(account: &AccountId) -> String {
    format!("session#{account}")
}

pub(super) fn session_item(session: &Session) -> Attributes {
    let mut item = new_item(&session_key(&session.account, &session.id));
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set("generation", n(session.generation));
    set("created_at", n(session.created_at.millis()));
    set("valid_until", n(session.expires_at.millis()));
    set("expires_at", deletable(session.expires_at));
    if let Some(refresh) = session.refresh {
        set("refresh_number", n(refresh.number));
        set("refreshed_at", n(refresh.since.millis()));
    }
    set("source", s(session.client.source.to_string()));
    if let Some(user_agent) = &session.client.user_agent {
        set("user_agent", s(user_agent.as_str()));
    }
    item
}

fn refresh_from_item(item: &Item<'_>) -> Result<Option<Refresh>, StoreError> {
    let Some(number) = item.optional_number("refresh_number")? else {
        return Ok(None);
    };
    let since = item.time("refreshed_at")?;
    Ok(Some(Refresh { number, since }))
}

fn listed_from_item(attributes: &Attributes) -> Result<ListedSession, StoreError> {
    let item = Item::new("session", attributes)?;
    Ok(ListedSession {
        state: from_item(attributes)?,
        id: item.string(SK)?.to_owned(),
        source: item.string("source")?.to_owned(),
        user_agent: item.optional_string("user_agent")?.map(str::to_owned),
    })
}

pub(super) fn from_item(attributes: &Attributes) -> Result<StoredSession, StoreError> {
    let item = Item::new("session", attributes)?;
    Ok(StoredSession {
        generation: item.number("generation")?,
        created_at: item.time("created_at")?,
        expires_at: item.time("valid_until")?,
        refresh: refresh_from_item(&item)?,
    })
}
