//! Writing several items in one transaction.

use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};

use super::error::failed_conditions;
use super::{Store, StoreError};

/// The outcome of a transaction.
pub(super) enum Transaction {
    Written,
    /// A condition failed, so nothing was written. The reasons are in the order of the writes.
    Failed(Vec<CancellationReason>),
}

impl Store {
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
