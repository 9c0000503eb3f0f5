//! The read that authenticates a request: the account, the token's session and, if requested, the metadata in
//! the same batch, or all that the owner wrote by a query beside it: one round trip in sequence.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{Get, KeysAndAttributes, TransactGetItem};

use super::accounts::account_key;
use super::item::{Attributes, Key};
use super::metadata::{self, metadata_key};
use super::sessions::{self, StoredSession, session_key};
use super::{Store, StoreError};
use crate::domain::{Account, AccountId, Profile};

/// The stored state of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerRecord {
    /// `None` if the account does not exist or has expired.
    pub account: Option<Account>,
    /// `None` if it was not requested or is not stored.
    pub session: Option<StoredSession>,
    /// What was requested of it and is stored; the rest is empty.
    pub profile: Profile,
}

/// What to read of the caller's profile in the same round trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlsoRead {
    Nothing,
    /// The metadata alone.
    Metadata,
    /// Everything, the metadata included.
    Profile,
}

/// The maximum number of requests for one read, because DynamoDB may leave keys unprocessed.
const MAX_READS: u32 = 4;

impl Store {
    /// Reads a caller's stored state, strongly consistent and in one round trip. A profile
    /// of more than 1 MB takes another round trip for each MB.
    ///
    /// Requests unprocessed keys again, because a session that was not read would look ended. A batch
    /// is no snapshot: if account and session have different generations, reads both once more in a
    /// transaction.
    pub async fn caller(
        &self,
        owner: &AccountId,
        session: Option<&str>,
        also_read: AlsoRead,
    ) -> Result<CallerRecord, StoreError> {
        let account_key = account_key(owner);
        let session_key = session.map(|id| session_key(owner, id));
        let metadata_key = (also_read == AlsoRead::Metadata).then(|| metadata_key(owner));
        let all = [
            Some(&account_key),
            session_key.as_ref(),
            metadata_key.as_ref(),
        ];
        let unread = all.into_iter().flatten().map(Key::attributes).collect();
        let unread = HashMap::from([(self.tables.users.clone(), keys(unread)?)]);
        let profile = async {
            match also_read {
                AlsoRead::Profile => self.own_items(owner).await,
                AlsoRead::Nothing | AlsoRead::Metadata => Ok(Profile::default()),
            }
        };
        let (mut read, mut profile) = tokio::try_join!(self.read_all(unread), profile)?;
        let items = read.remove(&self.tables.users).unwrap_or_default();
        let find = |key: &Key| items.iter().find(|item| key.is_of(item));
        if let Some(item) = metadata_key.as_ref().and_then(find) {
            profile.metadata = Some(metadata::from_item(item)?);
        }
        let mut record = CallerRecord {
            account: self.live_account(find(&account_key))?,
            session: session_key
                .as_ref()
                .and_then(find)
                .map(sessions::from_item)
                .transpose()?,
            profile,
        };
        if let (Some(account), Some(session), Some(session_key)) =
            (&record.account, &record.session, &session_key)
            && account.session_generation != session.generation
        {
            let [account, session] = self.snapshot([&account_key, session_key]).await?;
            record.account = self.live_account(account.as_ref())?;
            record.session = session.as_ref().map(sessions::from_item).transpose()?;
        }
        if let Some(account) = &record.account {
            record.profile = record.profile.with_ended_api_keys(account);
        }
        Ok(record)
    }

    /// Reads two items of the users table as they were at one time.
    async fn snapshot(&self, keys: [&Key; 2]) -> Result<[Option<Attributes>; 2], StoreError> {
        let gets = keys.map(|key| {
            let get = Get::builder()
                .table_name(&self.tables.users)
                .set_key(Some(key.attributes()))
                .build();
            get.map(|get| TransactGetItem::builder().get(get).build())
                .map_err(|error| StoreError::Rejected(error.into()))
        });
        let [first, second] = gets;
        let gets = vec![first?, second?];
        self.retrying(|| async {
            let read = self
                .client
                .transact_get_items()
                .set_transact_items(Some(gets.clone()))
                .send()
                .await
                .map_err(StoreError::from_transact_get)?;
            let mut items = read.responses.unwrap_or_default().into_iter();
            let mut next = || items.next().and_then(|response| response.item);
            Ok([next(), next()])
        })
        .await
    }

    pub(super) async fn read_all(
        &self,
        mut unread: HashMap<String, KeysAndAttributes>,
    ) -> Result<HashMap<String, Vec<Attributes>>, StoreError> {
        let mut read: HashMap<String, Vec<Attributes>> = HashMap::new();
        for tries in 1..=MAX_READS {
            let output = self
                .client
                .batch_get_item()
                .set_request_items(Some(unread))
                .send()
                .await
                .map_err(StoreError::from_sdk)?;
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
    KeysAndAttributes::builder()
        .set_keys(Some(keys))
        .consistent_read(true)
        .build()
        .map_err(|error| StoreError::Rejected(error.into()))
}
