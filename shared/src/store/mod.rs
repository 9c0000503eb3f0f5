//! DynamoDB: keys, items and every condition expression.
//!
//! Each method documents an invariant and contains the condition that enforces it. Every table has
//! one partition key, `pk`, with readable prefixes. There are no scans and no indexes. Reads are
//! strongly consistent, because clients sign in directly after they sign up.
//!
//! | table | items |
//! | --- | --- |
//! | users | `user#<id>`, `email#<canonical>`, `username#<canonical>`, `profile#<id>`, `apikey#<digest>` |
//! | sessions | `revoked#<jti>` |
//! | rate-limits | `<policy>#<key>` |

mod accounts;
mod api_keys;
mod caller;
mod claims;
mod counters;
mod error;
mod exceeded;
mod item;
mod profile_change;
mod profiles;
mod retry;
mod revocations;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;

pub use accounts::Added;
pub use api_keys::{AddedApiKey, StoredApiKey};
pub use caller::{CallerRecord, WithProfile};
pub use claims::Claim;
pub use error::StoreError;
pub use exceeded::ExceededLimits;
pub use profiles::ChangedProfile;

use self::item::Attributes;
use crate::config::Tables;
use crate::ports::Entropy;

const PK: &str = "pk";

#[derive(Debug)]
pub struct Store {
    client: Client,
    tables: Tables,
    entropy: Arc<dyn Entropy>,
}

impl Store {
    /// `entropy` randomizes the delays between retries.
    #[must_use]
    pub fn new(client: Client, tables: Tables, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            client,
            tables,
            entropy,
        }
    }

    /// Reads an item of the users table with one strongly consistent read.
    async fn user_item(&self, key: String) -> Result<Option<Attributes>, StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.tables.users)
            .key(PK, item::s(key))
            .consistent_read(true)
            .send()
            .await
            .map_err(StoreError::from_sdk)?;
        Ok(output.item)
    }
}
