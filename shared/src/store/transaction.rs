//! Writing several items in one transaction.

use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};
use futures_util::FutureExt;

use super::error::{failed_conditions, is_failed_condition};
use super::requests::Response;
use super::{Store, StoreError};
use crate::crypto::ids::random_id;

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
        let Transaction::Failed(reasons) = self.transact(writes).await? else {
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
    /// All retries have one client request token, so DynamoDB writes once what is sent again because a response
    /// was lost. Boxed as in [`super::requests`].
    pub(super) fn transact(&self, writes: Vec<TransactWriteItem>) -> Response<'_, Transaction> {
        // Without one of ours, the SDK's own covers only its retries.
        let request_token = random_id(self.entropy.as_ref()).ok();
        let write = self
            .client
            .transact_write_items()
            .set_transact_items(Some(writes))
            .set_client_request_token(request_token);
        let outcome = |written| match written {
            Ok(_) => Ok(Transaction::Written),
            Err(error) => failed_conditions(error).map(Transaction::Failed),
        };
        self.retrying(move || write.clone().send().map(outcome))
            .boxed()
    }
}
