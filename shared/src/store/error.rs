//! Why the store did not do as asked.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::CancellationReason;

/// Why the store did not do as asked. Absence is not an error, and a failed condition is an
/// answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB is away, throttled or too slow. The change may or may not have been made.
    #[error("DynamoDB is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Others kept changing the same items. Nothing was changed.
    #[error("others kept changing the same items")]
    Contended,
    /// DynamoDB refused the request: a fault of ours or of the deployment.
    #[error("DynamoDB refused a request")]
    Rejected(#[source] Box<dyn Error + Send + Sync>),
    /// An item is not what this version writes.
    #[error("item {item} is unreadable at {attribute}")]
    Unreadable {
        /// The kind of item.
        item: &'static str,
        /// The attribute that is missing or of another type.
        attribute: &'static str,
    },
}

/// Error codes below 500 by which DynamoDB says that it would have, at another time.
const THROTTLING: [&str; 5] = [
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionInProgressException",
];

impl StoreError {
    /// Tells what an operation's failure means, where the operation has no answer of its own for it.
    pub(super) fn from_sdk<E>(error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let code = match &error {
            SdkError::ServiceError(service) if !service.raw().status().is_server_error() => {
                service.err().code().map(str::to_owned)
            }
            SdkError::ConstructionFailure(_) => return Self::Rejected(error.into()),
            _ => return Self::Unavailable(error.into()),
        };
        match code.as_deref() {
            Some("TransactionConflictException") => Self::Contended,
            Some(code) if THROTTLING.contains(&code) => Self::Unavailable(error.into()),
            // Without a code it was not DynamoDB that answered.
            None => Self::Unavailable(error.into()),
            Some(_) => Self::Rejected(error.into()),
        }
    }
}

/// An update's output, or `None` where its condition failed.
pub(super) fn if_condition_held(
    updated: Result<UpdateItemOutput, SdkError<UpdateItemError>>,
) -> Result<Option<UpdateItemOutput>, StoreError> {
    match updated {
        Ok(output) => Ok(Some(output)),
        Err(SdkError::ServiceError(error))
            if error.err().is_conditional_check_failed_exception() =>
        {
            Ok(None)
        }
        Err(error) => Err(StoreError::from_sdk(error)),
    }
}

/// The reasons of a cancelled transaction, in the order of its items, of which at least one is a
/// failed condition: that decides, whatever became of the other items.
///
/// Without one the transaction met another's, or a throttle, and says nothing about conditions:
/// [`StoreError::Contended`].
pub(super) fn failed_conditions(
    error: SdkError<TransactWriteItemsError>,
) -> Result<Vec<CancellationReason>, StoreError> {
    let SdkError::ServiceError(service) = &error else {
        return Err(StoreError::from_sdk(error));
    };
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = service.err() else {
        return Err(StoreError::from_sdk(error));
    };
    let reasons = cancelled.cancellation_reasons();
    if reasons.iter().any(is_failed_condition) {
        return Ok(reasons.to_vec());
    }
    let is_passing = |reason: &CancellationReason| {
        matches!(
            reason.code(),
            Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
        )
    };
    if reasons.iter().any(is_passing) {
        Err(StoreError::Contended)
    } else {
        Err(StoreError::Rejected(error.into()))
    }
}

/// Whether an item of a cancelled transaction was not as its condition asked.
pub(super) fn is_failed_condition(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
}
