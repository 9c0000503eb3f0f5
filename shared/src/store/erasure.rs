//! Erases what belonged to a deleted account.

use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};

use super::api_keys::api_key_key;
use super::item::{Attributes, Item, Key};
use super::profiles::own_partition;
use super::sessions::session_partition;
use super::{PK, SK, Store, StoreError, requests};
use crate::domain::{AccountId, ApiKeyDigest};

/// DynamoDB's maximum of writes in one batch.
const BATCH: usize = 25;
/// The maximum number of requests for one batch, because DynamoDB may leave writes unprocessed.
const MAX_TRIES: u32 = 5;

impl Store {
    /// Deletes a deleted account's API keys, what its owner wrote, and its sessions, up to 25 items in a
    /// call, and notes each of the two steps in the tombstone.
    ///
    /// An API key goes before the entry that names it. So if a call ends early, the next one finds what
    /// is left.
    pub async fn erase(&self, id: &AccountId) -> Result<(), StoreError> {
        let partitions = [own_partition(id), session_partition(id)];
        for (partition, steps_done) in partitions.iter().zip(1..) {
            self.erase_partition(partition).await?;
            self.set_steps_done(id, steps_done).await?;
        }
        Ok(())
    }

    async fn erase_partition(&self, partition: &str) -> Result<(), StoreError> {
        let mut pages = self.query_partition(partition).into_paginator().send();
        while let Some(page) = pages.try_next().await.map_err(StoreError::from_sdk)? {
            let items = page.items.unwrap_or_default();
            let api_keys: Vec<_> = items.iter().filter_map(api_key_of).collect();
            let read: Vec<_> = items.iter().map(key_of).collect::<Result<_, _>>()?;
            for batch in api_keys.chunks(BATCH).chain(read.chunks(BATCH)) {
                self.delete_all(batch).await?;
            }
        }
        Ok(())
    }

    async fn delete_all(&self, keys: &[Key]) -> Result<(), StoreError> {
        let deletes = keys.iter().map(delete_request);
        let mut unwritten: Vec<_> = deletes.collect::<Result<_, _>>()?;
        for tries in 1..=MAX_TRIES {
            let write = self.client.batch_write_item();
            let write = write.request_items(&self.tables.users, unwritten);
            let output = requests::batch_write(write).await?;
            let mut left = output.unprocessed_items.unwrap_or_default();
            unwritten = left.remove(&self.tables.users).unwrap_or_default();
            if unwritten.is_empty() {
                return Ok(());
            }
            self.back_off(tries).await;
        }
        Err(StoreError::Unavailable("items were left unwritten".into()))
    }
}

/// The key of the API key that an entry names. Other items have no digest.
fn api_key_of(item: &Attributes) -> Option<Key> {
    let digest = item.get("digest")?.as_s().ok()?;
    Some(api_key_key(&ApiKeyDigest::from_hex(digest.clone())))
}

fn key_of(attributes: &Attributes) -> Result<Key, StoreError> {
    let item = Item::new("item", attributes)?;
    Ok(Key::new(item.string(PK)?.to_owned(), item.string(SK)?))
}

fn delete_request(key: &Key) -> Result<WriteRequest, StoreError> {
    let delete = DeleteRequest::builder()
        .set_key(Some(key.attributes()))
        .build()?;
    Ok(WriteRequest::builder().delete_request(delete).build())
}
