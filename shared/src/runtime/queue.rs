//! The messages of a queue, as Lambda passes them on, and which of them stay there.

use serde::{Deserialize, Serialize};

/// See [Using Lambda with Amazon SQS](https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html).
#[derive(Debug, Deserialize)]
pub struct QueueEvent {
    #[serde(rename = "Records")]
    pub records: Vec<QueueMessage>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueMessage {
    #[serde(rename = "messageId")]
    pub id: String,
    /// AWS sends one; an emulator may not.
    pub receipt_handle: Option<String>,
    body: String,
    attributes: Attributes,
}

#[derive(Debug, Deserialize)]
struct Attributes {
    #[serde(rename = "ApproximateReceiveCount")]
    receive_count: String,
}

impl QueueMessage {
    /// The partition key of the item that the pipe passed on. A pipe may put it in quotes.
    #[must_use]
    pub fn key(&self) -> &str {
        self.body.trim().trim_matches('"')
    }

    /// How often the message was received, this time included.
    #[must_use]
    pub fn receive_count(&self) -> u32 {
        self.attributes.receive_count.parse().unwrap_or(1)
    }
}

/// The messages that stay in the queue.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueResponse {
    pub batch_item_failures: Vec<FailedItem>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedItem {
    pub item_identifier: String,
}

impl QueueResponse {
    /// Those with these ids stay.
    pub fn failed(ids: impl IntoIterator<Item = String>) -> Self {
        let ids = ids.into_iter();
        let failed = ids.map(|item_identifier| FailedItem { item_identifier });
        Self {
            batch_item_failures: failed.collect(),
        }
    }
}
