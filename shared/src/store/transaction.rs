//! Writing several items in one transaction.

use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};

use super::error::{failed_conditions, is_failed_condition};
use super::{Store, StoreError};

/// The outcome of a transaction.
pub(super) enum Transaction {
    Written,
    /// A condition failed, so nothing was written. The reasons are in the order of the writes.
    Failed(Vec<CancellationReason>),
}

/// A write of a transaction, and what it means if its condition fails.
pub(super) type Part<M> = (TransactWriteItem, M);

impl Store {
    /// Writes all parts or none. Returns `None` if they were written, or what the first failed condition means.
    pub(super) async fn write_parts<M>(
        &self,
        parts: Vec<Part<M>>,
    ) -> Result<Option<M>, StoreError> {
        let (writes, meanings): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let Transaction::Failed(reasons) = self.transact(&writes).await? else {
            return Ok(None);
        };
        let mut failed = reasons.iter().zip(meanings);
        let failed = failed.find(|(reason, _)| is_failed_condition(reason));
        match failed {
            Some((_, meaning)) => Ok(Some(meaning)),
            None => Err(StoreError::Rejected("no condition failed".into())),
        }
    }

    /// Writes all items or none. A conflict is retried.
    ///
    /// The SDK adds a client request token and repeats it in its own retries, so DynamoDB writes once what is
    /// sent again because an answer was lost.
    pub(super) async fn transact(
        &self,
        writes: &[TransactWriteItem],
    ) -> Result<Transaction, StoreError> {
        self.retrying(|| async {
            let written = self
                .client
                .transact_write_items()
                .set_transact_items(Some(writes.to_vec()))
                .send()
                .await;
            match written {
                Ok(_) => Ok(Transaction::Written),
                Err(error) => failed_conditions(error).map(Transaction::Failed),
            }
        })
        .await
    }
}
