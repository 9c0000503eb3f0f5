//! DynamoDB: keys, items and every condition expression.
//!
//! Each method documents an invariant and contains the condition that enforces it. Partition keys
//! have readable prefixes. There are no scans; a query reads one partition. Reads are
//! strongly consistent, except those of the index of accounts, because clients sign in directly after they sign up.
//!
//! | table | partition key, sort key | item |
//! | --- | --- | --- |
//! | users | `user#<id>`, `account` | an account |
//! | | `user#<id>`, `deleted` | the tombstone of a deleted account |
//! | | `own#<id>`, `profile`, `setting#<n>`, `key#<n>` and others | what its owner wrote, and entries of API keys |
//! | | `own#<id>`, `metadata` | the account's metadata |
//! | | `email#<canonical>` or `username#<canonical>`, `claim` | the account with this name, and its password hash |
//! | | `apikey#<digest>`, `key` | an API key |
//! | | `session#<account id>`, `<session id>` | a session |
//! | | `admins`, `set` | the ids of all administrators |
//! | sessions | `outbox#<id>`, `webhook#<id>` | a mail or a webhook to send |
//! | | `code#<digest>` | a one-time code that was sent |
//! | rate-limits | `<policy>#<key>` | a counter |
//! | | `sign-in-account#<digest>` | the failed sign-ins for one identifier from one source |

mod account_changes;
mod accounts;
mod api_keys;
mod batch;
mod caller;
mod claims;
mod codes;
mod counters;
mod deletion;
mod erasure;
mod error;
mod item;
mod item_update;
mod listing;
mod metadata;
mod outbox;
mod profile_change;
mod profiles;
mod requests;
mod retry;
mod sessions;
mod sign_in_record;
mod transaction;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::Select;

pub use account_changes::{AccountChange, Authority, Changed, CurrentSession, LastAdministrator};
pub use accounts::{Added, NewAccount};
pub use api_keys::{AddedApiKey, StoredApiKey};
pub use caller::{AlsoRead, CallerRecord};
pub use claims::Claim;
pub use codes::AddedCode;
pub use deletion::AccountDeletion;
pub use error::StoreError;
pub use listing::{Listed, Order, Position};
pub use profile_change::ChangedProfile;
pub use sessions::{ListedSession, StoredSession};
pub use sign_in_record::{Cleared, RecordLimits, SignInCounters};

use self::item::s;
use crate::config::Tables;
use crate::ports::{Clock, Entropy};

/// The partition key of every table.
const PK: &str = "pk";
/// The sort key of the users table.
const SK: &str = "sk";

#[derive(Debug)]
pub struct Store {
    client: Client,
    tables: Tables,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Store {
    /// `clock` tells which accounts have expired. `entropy` randomizes the delays between retries.
    #[must_use]
    pub fn new(
        client: Client,
        tables: Tables,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            client,
            tables,
            clock,
            entropy,
        }
    }

    /// Begins a strongly consistent query of one partition of the users table.
    fn query_partition(&self, partition: impl Into<String>) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.tables.users)
            .key_condition_expression("pk = :partition")
            .expression_attribute_values(":partition", s(partition))
            .consistent_read(true)
    }
}

/// How many items a query finds, on all its pages.
async fn count(query: QueryFluentBuilder) -> Result<u64, StoreError> {
    let mut pages = query.select(Select::Count).into_paginator().send();
    let mut count = 0;
    while let Some(page) = pages.try_next().await.map_err(StoreError::from_sdk)? {
        count += u64::try_from(page.count).unwrap_or_default();
    }
    Ok(count)
}
