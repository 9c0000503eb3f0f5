//! The messages of the mail queue, as Lambda passes them on, and when a failed one is tried again.

use serde::{Deserialize, Serialize};
use shared::domain::OutboxId;

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
    pub receipt_handle: String,
    body: String,
    attributes: Attributes,
}

#[derive(Debug, Deserialize)]
struct Attributes {
    #[serde(rename = "ApproximateReceiveCount")]
    receive_count: String,
}

impl QueueMessage {
    /// The body is the key of an outbox item, with or without quotes.
    #[must_use]
    pub fn outbox_id(&self) -> Option<OutboxId> {
        let key = self.body.trim().trim_matches('"');
        OutboxId::parse(key.strip_prefix("outbox#")?)
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
    pub(crate) fn failed(ids: impl Iterator<Item = String>) -> Self {
        let failed = ids.map(|item_identifier| FailedItem { item_identifier });
        Self {
            batch_item_failures: failed.collect(),
        }
    }
}

const FIRST_PAUSE_SECS: i32 = 30;
const LONGEST_PAUSE_SECS: i32 = 60 * 60;

/// The pause after a message was received this many times, in seconds: 30 s at first, then twice as long
/// each time, up to an hour. The queue's `maxReceiveCount` makes this a day in all.
#[must_use]
pub fn pause_secs(receive_count: u32) -> i32 {
    let doublings = receive_count.saturating_sub(1).min(7);
    (FIRST_PAUSE_SECS << doublings).min(LONGEST_PAUSE_SECS)
}
