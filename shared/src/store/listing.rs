//! `accounts`, an index of the users table: accounts by time of creation.
//!
//! It serves people who look through accounts, never a decision: it is read without strong consistency,
//! and has nothing that a sign-in writes. Accounts are spread over a few partitions, so that sign-ups are
//! not limited by one.

use futures_util::future::try_join_all;

use super::accounts::from_item;
use super::item::{Attributes, Item, n, s};
use super::{Store, StoreError, count, requests};
use crate::domain::{Account, is_hex};

const INDEX: &str = "accounts";
/// The index's partition key.
const LISTED: &str = "listed";
/// The index's sort key.
const LISTED_AT: &str = "listed_at";
const PARTITIONS: [&str; 4] = ["accounts#0", "accounts#1", "accounts#2", "accounts#3"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    OldestFirst,
    NewestFirst,
}

/// An account's place in the index: unique, and sorted by time of creation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(String);

impl Position {
    fn of(account: &Account) -> Self {
        Self(format!("{:013}{}", account.created_at.millis(), account.id))
    }

    /// `None` if no account can have this position.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 13 + 24 && is_hex(text)).then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Some accounts that follow one another in the index.
#[derive(Debug)]
pub struct Listed {
    pub accounts: Vec<(Position, Account)>,
    /// Whether others may follow.
    pub has_more: bool,
}

impl Store {
    /// Reads accounts after a position, or from the start, expired ones included: at least one if any follows,
    /// at most about twice `wanted`.
    ///
    /// A position stays valid when its account is deleted.
    pub async fn listed_accounts(
        &self,
        order: Order,
        after: Option<&Position>,
        wanted: usize,
    ) -> Result<Listed, StoreError> {
        let limit = i32::try_from(wanted.div_ceil(2)).unwrap_or(i32::MAX);
        let pages = PARTITIONS.map(|partition| self.page(partition, order, after, limit));
        let pages = try_join_all(pages).await?;
        let compare = |a: &Position, b: &Position| match order {
            Order::OldestFirst => a.cmp(b),
            Order::NewestFirst => b.cmp(a),
        };
        // Beyond the last account of a page that ended early, another partition may not have been read.
        let ends = pages.iter().filter(|page| page.has_more);
        let ends =
            ends.filter_map(|page| page.accounts.last().map(|(position, _)| position.clone()));
        let end = ends.min_by(compare);
        let mut accounts: Vec<_> = pages.into_iter().flat_map(|page| page.accounts).collect();
        if let Some(end) = &end {
            accounts.retain(|(position, _)| compare(position, end).is_le());
        }
        accounts.sort_unstable_by(|(a, _), (b, _)| compare(a, b));
        let has_more = end.is_some();
        Ok(Listed { accounts, has_more })
    }

    /// A page of one partition. DynamoDB ends it after `limit` accounts or 1 MB.
    async fn page(
        &self,
        partition: &str,
        order: Order,
        after: Option<&Position>,
        limit: i32,
    ) -> Result<Listed, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.tables.users)
            .index_name(INDEX)
            .expression_attribute_values(":partition", s(partition))
            .scan_index_forward(order == Order::OldestFirst)
            .limit(limit);
        let query = match (after, order) {
            (None, _) => query.key_condition_expression("listed = :partition"),
            (Some(after), Order::OldestFirst) => query
                .key_condition_expression("listed = :partition AND listed_at > :after")
                .expression_attribute_values(":after", s(after.as_str())),
            (Some(after), Order::NewestFirst) => query
                .key_condition_expression("listed = :partition AND listed_at < :after")
                .expression_attribute_values(":after", s(after.as_str())),
        };
        let page = requests::read_page(query).await?;
        let items = page.items.unwrap_or_default();
        let accounts: Vec<_> = items.iter().map(listed).collect::<Result<_, _>>()?;
        Ok(Listed {
            accounts,
            has_more: page.last_evaluated_key.is_some(),
        })
    }

    /// How many accounts there are that have not expired.
    pub async fn count_accounts(&self) -> Result<u64, StoreError> {
        let counts = PARTITIONS.map(|partition| self.count_partition(partition));
        Ok(try_join_all(counts).await?.into_iter().sum())
    }

    async fn count_partition(&self, partition: &str) -> Result<u64, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.tables.users)
            .index_name(INDEX)
            .key_condition_expression("listed = :partition")
            .filter_expression("attribute_not_exists(expires_at) OR expires_at > :now")
            .expression_attribute_values(":now", n(self.clock.now().secs()))
            .expression_attribute_values(":partition", s(partition));
        count(query).await
    }
}

/// Adds the index's keys to an account's item.
pub(super) fn add_to_index(item: &mut Attributes, account: &Account) {
    let bytes = account.id.as_str().bytes();
    let share = bytes
        .last()
        .map_or(0, |digit| usize::from(digit) % PARTITIONS.len());
    let partition = PARTITIONS.get(share).copied().unwrap_or_default();
    item.insert(LISTED.to_owned(), s(partition));
    let position = Position::of(account);
    item.insert(LISTED_AT.to_owned(), s(position.as_str()));
}

fn listed(attributes: &Attributes) -> Result<(Position, Account), StoreError> {
    let item = Item::new("account", attributes)?;
    let position = Position::parse(item.string(LISTED_AT)?);
    let position = position.ok_or_else(|| item.unreadable(LISTED_AT))?;
    Ok((position, from_item(attributes)?))
}
