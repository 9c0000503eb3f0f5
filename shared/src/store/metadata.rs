//! `own#<id>`, `metadata`: the metadata of an account, as compact JSON.
//!
//! It is written in the transaction that adds or changes its account, so a deleted account gets none.

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};

use super::accounts::account_key;
use super::item::{Attributes, Item, Key, delete_in_transaction, new_item, put_in_transaction, s};
use super::profiles::own_key;
use super::{Store, StoreError};
use crate::domain::{Account, AccountId, Metadata, MetadataChange};

/// The sort key, and the attribute with the JSON.
pub(super) const METADATA: &str = "metadata";

/// DynamoDB's maximum of keys in one batch.
const BATCH: usize = 100;

impl Store {
    /// Reads an account with its metadata in one strongly consistent batch. Returns `None` if the account
    /// does not exist, is deleted or has expired.
    pub async fn account_with_metadata(
        &self,
        id: &AccountId,
    ) -> Result<Option<(Account, Option<Metadata>)>, StoreError> {
        let (account_key, metadata_key) = (account_key(id), metadata_key(id));
        let items = self.user_items(&[&account_key, &metadata_key]).await?;
        let find = |key: &Key| items.iter().find(|item| key.is_of(item));
        let account = self.live_account(find(&account_key))?;
        let metadata = find(&metadata_key).map(from_item).transpose()?;
        Ok(account.map(|account| (account, metadata)))
    }

    /// Reads the metadata of accounts, a strongly consistent batch for each 100, in the order of `ids`.
    pub async fn metadata_of(
        &self,
        ids: &[&AccountId],
    ) -> Result<Vec<Option<Metadata>>, StoreError> {
        let mut all = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            let keys: Vec<_> = batch.iter().map(|id| metadata_key(id)).collect();
            let items = self.user_items(&keys.iter().collect::<Vec<_>>()).await?;
            for key in &keys {
                let item = items.iter().find(|item| key.is_of(item));
                all.push(item.map(from_item).transpose()?);
            }
        }
        Ok(all)
    }

    /// Writes the metadata, as part of a transaction that has a condition on the account.
    pub(super) fn change_metadata(
        &self,
        id: &AccountId,
        change: &MetadataChange,
    ) -> Result<TransactWriteItem, StoreError> {
        let (users, key) = (&self.tables.users, metadata_key(id));
        match change {
            MetadataChange::Set(metadata) => {
                let mut item = new_item(&key);
                item.insert(METADATA.to_owned(), s(metadata.to_json()));
                put_in_transaction(Put::builder().table_name(users).set_item(Some(item)))
            }
            MetadataChange::Clear => {
                let key = Some(key.attributes());
                delete_in_transaction(Delete::builder().table_name(users).set_key(key))
            }
        }
    }
}

pub(super) fn metadata_key(id: &AccountId) -> Key {
    own_key(id, METADATA)
}

pub(super) fn from_item(attributes: &Attributes) -> Result<Metadata, StoreError> {
    let item = Item::new(METADATA, attributes)?;
    Metadata::stored(item.string(METADATA)?).ok_or_else(|| item.unreadable(METADATA))
}
