//! Strongly consistent reads of several items in one round trip.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::item::{Attributes, Key};
use super::{Store, StoreError, requests};

/// The maximum number of requests for one read, because DynamoDB may leave keys unprocessed.
const MAX_READS: u32 = 4;

impl Store {
    /// Reads up to 100 items of the users table. Items that do not exist are left out.
    pub(super) async fn user_items(&self, wanted: &[&Key]) -> Result<Vec<Attributes>, StoreError> {
        let wanted = wanted.iter().map(|key| key.attributes()).collect();
        let unread = HashMap::from([(self.tables.users.clone(), keys(wanted)?)]);
        let mut read = self.read_all(unread).await?;
        Ok(read.remove(&self.tables.users).unwrap_or_default())
    }

    /// Reads items of any tables, and unprocessed keys again: what was not read would look as if it did not exist.
    pub(super) async fn read_all(
        &self,
        mut unread: HashMap<String, KeysAndAttributes>,
    ) -> Result<HashMap<String, Vec<Attributes>>, StoreError> {
        let mut read: HashMap<String, Vec<Attributes>> = HashMap::new();
        for tries in 1..=MAX_READS {
            let get = self.client.batch_get_item();
            let output = requests::batch_get(get.set_request_items(Some(unread))).await?;
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
    let keys = KeysAndAttributes::builder().set_keys(Some(keys));
    Ok(keys.consistent_read(true).build()?)
}
