//! Errors of the store.

use std::error::Error;

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_get_items::TransactGetItemsError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::CancellationReason;

/// Why a store operation failed. A missing item or a failed condition is a result, not an error.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB is unreachable, throttled or too slow. The change may have been made.
    #[error("DynamoDB is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Concurrent requests kept changing the same items. Nothing was changed.
    #[error("others kept changing the same items")]
    Contended,
    /// DynamoDB rejected the request: a bug or a deployment error.
    #[error("DynamoDB refused a request")]
    Rejected(#[source] Box<dyn Error + Send + Sync>),
    /// An item does not have the format that this version writes.
    #[error("item {item} is unreadable at {attribute}")]
    Unreadable {
        /// The kind of item.
        item: &'static str,
        /// The missing or malformed attribute.
        attribute: &'static str,
    },
}

/// Error codes with a status below 500 that mean "try again later".
const THROTTLING: [&str; 5] = [
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionInProgressException",
];

/// A request lacks a part.
impl From<BuildError> for StoreError {
    fn from(error: BuildError) -> Self {
        Self::Rejected(error.into())
    }
}

impl StoreError {
    /// Classifies an error that the operation does not handle itself.
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
            // A response without a code does not come from DynamoDB.
            None => Self::Unavailable(error.into()),
            Some(_) => Self::Rejected(error.into()),
        }
    }
}

impl StoreError {
    /// Like [`Self::from_sdk`], but a conflict with a write is [`Self::Contended`].
    pub(super) fn from_transact_get(error: SdkError<TransactGetItemsError>) -> Self {
        let is_cancelled = error
            .as_service_error()
            .is_some_and(TransactGetItemsError::is_transaction_canceled_exception);
        if is_cancelled {
            Self::Contended
        } else {
            Self::from_sdk(error)
        }
    }
}

/// The reasons of a cancelled transaction, in the order of its items. At least one is a failed
/// condition.
///
/// Returns [`StoreError::Contended`] if only conflicts or throttling cancelled the transaction,
/// because its conditions may hold.
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
    let is_transient = |reason: &CancellationReason| {
        matches!(
            reason.code(),
            Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
        )
    };
    if reasons.iter().any(is_transient) {
        Err(StoreError::Contended)
    } else {
        Err(StoreError::Rejected(error.into()))
    }
}

pub(super) fn is_failed_condition(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
}
