//! What can go wrong between the SDK and DynamoDB.

use serde_json::{Value, json};

/// What happens to a request instead of what should.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is never executed; the answer is this status and body.
    Answer(u16, Value),
    /// It is executed, and the answer is lost.
    LoseAnswer,
    /// It is executed, and nothing more is heard.
    SilenceAfter,
    /// It is not executed, and nothing more is heard.
    SilenceBefore,
    /// It is not executed; the connection breaks.
    Break,
    /// It is executed, and half of the answer arrives.
    Truncate,
    /// It is executed; then the answer is changed.
    Change(fn(&mut Value)),
}

impl Fault {
    /// DynamoDB refuses, by this error.
    #[must_use]
    pub fn service_error(code: &str) -> Self {
        let code = format!("com.amazonaws.dynamodb.v20120810#{code}");
        Self::Answer(400, json!({"__type": code, "message": "injected"}))
    }

    /// The request is one too many at the moment.
    #[must_use]
    pub fn throttled() -> Self {
        Self::service_error("ProvisionedThroughputExceededException")
    }

    /// DynamoDB is broken.
    #[must_use]
    pub fn broken() -> Self {
        let code = "com.amazon.coral.service#InternalServerError";
        Self::Answer(500, json!({ "__type": code }))
    }

    /// A transaction is cancelled, for these reasons, one for each of its items.
    #[must_use]
    pub fn cancelled(reasons: &[&str]) -> Self {
        let reasons: Vec<Value> = reasons.iter().map(|code| json!({"Code": code})).collect();
        let code = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        let message = "Transaction cancelled, please refer cancellation reasons";
        let body = json!({"__type": code, "message": message, "CancellationReasons": reasons});
        Self::Answer(400, body)
    }
}
