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
    /// Writes all items or none. A conflict is retried. `request_token` makes retries idempotent.
    pub(super) async fn transact(
        &self,
        writes: &[TransactWriteItem],
        request_token: Option<&str>,
    ) -> Result<Transaction, StoreError> {
        self.retrying(|| async {
            let written = self
                .client
                .transact_write_items()
                .set_transact_items(Some(writes.to_vec()))
                .set_client_request_token(request_token.map(str::to_owned))
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
