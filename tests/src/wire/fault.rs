//! Faults between the SDK and DynamoDB.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// A fault to inject into a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The request is not executed; the answer is this status and body.
    Answer(u16, Value),
    /// The request is executed; the connection breaks before the answer.
    LoseAnswer,
    /// The request is executed; the answer never arrives.
    SilenceAfter,
    /// The request is not executed; no answer arrives.
    SilenceBefore,
    /// The request is not executed; the connection breaks.
    Break,
    /// The request is executed; half of the answer arrives.
    Truncate,
    /// The request is executed; the function changes the answer.
    Change(fn(&mut Value)),
    /// The request is executed once the semaphore has a permit.
    Hold(Arc<Semaphore>),
}

impl Fault {
    /// A 400 with this error code.
    #[must_use]
    pub fn service_error(code: &str) -> Self {
        let code = format!("com.amazonaws.dynamodb.v20120810#{code}");
        Self::Answer(400, json!({"__type": code, "message": "injected"}))
    }

    /// The request is throttled.
    #[must_use]
    pub fn throttled() -> Self {
        Self::service_error("ProvisionedThroughputExceededException")
    }

    /// An internal server error.
    #[must_use]
    pub fn broken() -> Self {
        let code = "com.amazon.coral.service#InternalServerError";
        Self::Answer(500, json!({ "__type": code }))
    }

    /// A cancelled transaction, with one reason per item.
    #[must_use]
    pub fn cancelled(reasons: &[&str]) -> Self {
        let reasons: Vec<Value> = reasons.iter().map(|code| json!({"Code": code})).collect();
        let code = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        let message = "Transaction cancelled, please refer cancellation reasons";
        let body = json!({"__type": code, "message": message, "CancellationReasons": reasons});
        Self::Answer(400, body)
    }
}
