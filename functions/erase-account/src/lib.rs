//! Deletes what belonged to accounts that are gone. The erasure queue invokes this function with their keys.
//!
//! It works in small steps that can be repeated: a message whose account is not erased stays in the queue,
//! and the next try goes on with what is left.

use std::sync::Arc;

use shared::app::App;
use shared::domain::AccountId;
use shared::observe;
use shared::runtime::queue::{QueueEvent, QueueMessage, QueueResponse};
use shared::runtime::{Error, Worker};

#[derive(Debug)]
pub struct EraseAccount(Arc<App>);

impl EraseAccount {
    async fn erase(&self, message: &QueueMessage) -> Result<(), Error> {
        let id = message.key().strip_prefix("user#");
        let id = id.and_then(|id| AccountId::parse(id).ok());
        let id = id.ok_or("the message has no account id")?;
        self.0.store.erase(&id).await?;
        tracing::info!(account = %id, "account erased");
        Ok(())
    }
}

impl Worker for EraseAccount {
    type Event = QueueEvent;
    type Response = QueueResponse;

    async fn start(app: Arc<App>) -> Result<Self, Error> {
        Ok(Self(app))
    }

    async fn work(&self, event: QueueEvent) -> QueueResponse {
        let mut failed = Vec::new();
        for message in event.records {
            if let Err(error) = self.erase(&message).await {
                observe::warn("account not erased", &*error);
                failed.push(message.id);
            }
        }
        QueueResponse::failed(failed)
    }
}
