//! Lists of accounts, for administrators.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::admin::DescribedAccount;
use super::error::AuthError;
use crate::app::App;
use crate::crypto::KeyRing;
use crate::domain::{Account, Scope, Timestamp};
use crate::store::{Order, Position};

/// A request that has read this many accounts, besides those that `offset` skips, reads no more. So a page
/// can have fewer than asked for.
const MAX_READ: usize = 5_000;
/// How many accounts to ask for at once.
const MAX_CHUNK: usize = 1_000;
/// How long the cursor of a page can be used.
const CURSOR_LIFETIME: Duration = Duration::from_hours(24);

/// Which accounts to list.
#[derive(Debug, Default)]
pub struct AccountFilter {
    pub scope: Option<Scope>,
    /// Anywhere in the username or email, whatever the case.
    pub pattern: Option<String>,
}

impl AccountFilter {
    fn admits_all(&self) -> bool {
        self.scope.is_none() && self.pattern.is_none()
    }

    fn admits(&self, account: &Account, now: Timestamp) -> bool {
        let has = |scope: &Scope| account.scopes.has_any(std::slice::from_ref(scope));
        !account.is_expired(now)
            && self.scope.as_ref().is_none_or(has)
            && self.matches_pattern(account)
    }

    fn matches_pattern(&self, account: &Account) -> bool {
        let Some(pattern) = &self.pattern else {
            return true;
        };
        let pattern = pattern.to_lowercase();
        let has = |name: &str| name.to_lowercase().contains(&pattern);
        has(&account.username) || has(&account.email)
    }
}

/// Which part of the list to return.
#[derive(Debug)]
pub struct PageRequest<'a> {
    pub order: Order,
    pub limit: usize,
    /// How many of the accounts that follow to leave out.
    pub offset: usize,
    /// The cursor of the page before.
    pub after: Option<&'a str>,
}

#[derive(Debug)]
pub struct AccountPage {
    pub accounts: Vec<DescribedAccount>,
    /// The cursor for the next page; `None` after the last one.
    pub next: Option<String>,
}

/// Lists accounts by time of creation. Following the cursors returns each account that exists throughout
/// exactly once, even if others are deleted meanwhile.
pub async fn list_accounts(
    app: &App,
    filter: &AccountFilter,
    page: PageRequest<'_>,
) -> Result<AccountPage, AuthError> {
    let now = app.clock.now();
    let keys = app.keys.current(now).await?;
    let read_cursor = |cursor| read_cursor(&keys, page.order, cursor, now);
    let mut after = page.after.map(read_cursor).transpose()?;
    let (mut accounts, mut read, mut to_skip) = (Vec::new(), 0, page.offset);
    loop {
        let chunk = if filter.admits_all() {
            let wanted = page.limit - accounts.len() + to_skip;
            (wanted + 1).min(MAX_CHUNK)
        } else {
            MAX_CHUNK
        };
        let listed = app.store.listed_accounts(page.order, after.as_ref(), chunk);
        let listed = listed.await?;
        read += listed.accounts.len();
        let mut left = listed.accounts.into_iter();
        for (position, account) in left.by_ref() {
            after = Some(position);
            if filter.admits(&account, now) {
                if to_skip > 0 {
                    to_skip -= 1;
                } else {
                    accounts.push(account);
                }
            }
            if accounts.len() == page.limit {
                break;
            }
        }
        let is_full = accounts.len() == page.limit;
        let mut has_more = left.next().is_some();
        if !has_more && listed.has_more {
            // A full page is followed by another one only if an account is on it.
            has_more = !is_full || {
                let next = app.store.listed_accounts(page.order, after.as_ref(), 1);
                !next.await?.accounts.is_empty()
            };
        }
        if !has_more || is_full || read >= MAX_READ + page.offset {
            let cursor = |after| write_cursor(&keys, page.order, &after, now);
            let next = after.filter(|_| has_more).map(cursor);
            let accounts = described(app, accounts).await?;
            return Ok(AccountPage { accounts, next });
        }
    }
}

async fn described(app: &App, accounts: Vec<Account>) -> Result<Vec<DescribedAccount>, AuthError> {
    let ids: Vec<_> = accounts.iter().map(|account| &account.id).collect();
    let metadata = app.store.metadata_of(&ids).await?;
    let both = accounts.into_iter().zip(metadata);
    let both = both.map(|(account, metadata)| DescribedAccount { account, metadata });
    Ok(both.collect())
}

/// Counts the accounts that the filter admits.
pub async fn count_accounts(app: &App, filter: &AccountFilter) -> Result<u64, AuthError> {
    if filter.admits_all() {
        return Ok(app.store.count_accounts().await?);
    }
    let now = app.clock.now();
    let (mut count, mut after) = (0, None);
    loop {
        let order = Order::OldestFirst;
        let listed = app.store.listed_accounts(order, after.as_ref(), usize::MAX);
        let listed = listed.await?;
        let admitted = listed
            .accounts
            .iter()
            .filter(|(_, account)| filter.admits(account, now));
        count += u64::try_from(admitted.count()).unwrap_or_default();
        after = listed
            .accounts
            .into_iter()
            .last()
            .map(|(position, _)| position);
        if !listed.has_more || after.is_none() {
            return Ok(count);
        }
    }
}

/// A cursor has the position of the last account that was read, when it was made, and a tag by the ring's decoy key.
/// With a ring without that key the tag is empty, and an administrator could make a cursor.
fn write_cursor(keys: &KeyRing, order: Order, after: &Position, now: Timestamp) -> String {
    let content = format!("{} {}", after.as_str(), now.millis());
    let tag = tag(keys, order, &content);
    URL_SAFE_NO_PAD.encode(format!("{content} {tag}"))
}

fn read_cursor(
    keys: &KeyRing,
    order: Order,
    cursor: &str,
    now: Timestamp,
) -> Result<Position, AuthError> {
    let read = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (content, sent) = text.rsplit_once(' ')?;
        let (position, made) = content.split_once(' ')?;
        let expires = Timestamp::from_millis(made.parse().ok()?).plus(CURSOR_LIFETIME);
        let is_valid = sent == tag(keys, order, content) && now <= expires;
        is_valid.then(|| Position::parse(position))?
    };
    read().ok_or(AuthError::InvalidCursor)
}

fn tag(keys: &KeyRing, order: Order, content: &str) -> String {
    keys.cursor_tag(&format!("{order:?} {content}"))
        .unwrap_or_default()
}
