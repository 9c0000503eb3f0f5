//! The read that authenticates a request: the account, the token's session and, if requested, the metadata in
//! the same batch, or all that the owner wrote by a query beside it: one round trip in sequence.

use aws_sdk_dynamodb::types::{Get, TransactGetItem};

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

impl Store {
    /// Reads a caller's stored state, strongly consistent and in one round trip. A profile
    /// of more than 1 MB takes another round trip for each MB.
    ///
    /// A batch is no snapshot: if account and session have different generations, reads both once more in a
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
        let wanted: Vec<_> = all.into_iter().flatten().collect();
        let profile = async {
            match also_read {
                AlsoRead::Profile => self.own_items(owner).await,
                AlsoRead::Nothing | AlsoRead::Metadata => Ok(Profile::default()),
            }
        };
        let (items, mut profile) = tokio::try_join!(self.user_items(&wanted), profile)?;
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
        let get = |key: &Key| {
            let get = Get::builder()
                .table_name(&self.tables.users)
                .set_key(Some(key.attributes()));
            Ok::<_, StoreError>(TransactGetItem::builder().get(get.build()?).build())
        };
        let [first, second] = keys;
        let gets = self.client.transact_get_items();
        let gets = gets.set_transact_items(Some(vec![get(first)?, get(second)?]));
        let read = self.transact_get(gets).await?;
        let mut items = read.responses.unwrap_or_default().into_iter();
        let mut next = || items.next().and_then(|response| response.item);
        Ok([next(), next()])
    }
}
