//! The messages of a queue, as Lambda passes them on, and which of them stay there.

use aws_sdk_sqs::Client;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::aws::SdkConfig;
use crate::config::Aws;
use crate::domain::{Channel, OutboxId, OutboxMessage};
use crate::observe::causes;

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
    receipt_handle: Option<String>,
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
    fn receive_count(&self) -> u32 {
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

/// The queue of new outbox items of one channel.
#[derive(Debug)]
pub struct OutboxQueue {
    client: Client,
    url: Option<String>,
    channel: Channel,
}

impl OutboxQueue {
    #[must_use]
    pub fn new(aws: &Aws, sdk: &SdkConfig, channel: Channel, url: Option<String>) -> Self {
        let mut config = aws_sdk_sqs::config::Builder::from(sdk);
        config.set_endpoint_url(aws.sqs_url.clone());
        Self {
            client: Client::from_conf(config.build()),
            url,
            channel,
        }
    }

    /// Delivers all items at once, so that a slow one does not hold up another. The message of one that fails
    /// is received again after `pause_secs(n)`, if it was received `n` times so far.
    pub async fn deliver_each<F>(
        &self,
        event: QueueEvent,
        pause_secs: impl Fn(u32) -> i32,
        deliver: impl Fn(OutboxMessage) -> F,
    ) -> QueueResponse
    where
        F: Future<Output = Result<(), Error>>,
    {
        let (pause_secs, deliver) = (&pause_secs, &deliver);
        let delivered = event.records.iter().map(|message| async move {
            let (message_id, times) = (&message.id, message.receive_count());
            let id = message.key().strip_prefix(self.channel.prefix());
            let delivered = match id.and_then(OutboxId::parse) {
                Some(id) => {
                    let channel = self.channel;
                    deliver(OutboxMessage { id, channel, times }).await
                }
                None => Err("the message has no outbox id".into()),
            };
            let error = causes(&*delivered.err()?);
            match self.channel {
                Channel::Mail => tracing::warn!(message_id, times, error, "mail delayed"),
                Channel::Webhook => tracing::warn!(message_id, times, error, "webhook delayed"),
            }
            self.pause(message, pause_secs(times)).await;
            Some(message.id.clone())
        });
        let failed = join_all(delivered).await.into_iter().flatten();
        QueueResponse::failed(failed)
    }

    /// Sets the pause until the next try. If this fails, the queue's own pause applies.
    async fn pause(&self, message: &QueueMessage, secs: i32) {
        let paused = self
            .client
            .change_message_visibility()
            .set_queue_url(self.url.clone())
            .set_receipt_handle(message.receipt_handle.clone())
            .visibility_timeout(secs)
            .send()
            .await;
        if let Err(error) = paused {
            tracing::warn!(error = causes(&error), "pause not set");
        }
    }
}
