//! Sends the webhooks of the outbox. The webhook queue invokes this function with the ids of new ones.
//!
//! A webhook that its receiver does not acknowledge stays in the queue, and is sent again after growing pauses,
//! with the same `webhook-id`. One that is not to be sent is logged and done.

pub mod address;
pub mod client;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use shared::app::App;
use shared::auth::{Letter, NoLetter, prepare};
use shared::config::WebhookUrl;
use shared::crypto::{CodeKey, WebhookKey};
use shared::domain::{Channel, OutboxId, OutboxMessage};
use shared::runtime::queue::{OutboxQueue, QueueEvent, QueueResponse};
use shared::runtime::{Error, Worker};

use self::client::{HttpClient, Post};

/// How long a receiver may take, until its status is known.
pub const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct DeliverWebhook {
    app: Arc<App>,
    code_key: CodeKey,
    webhook_key: WebhookKey,
    client: HttpClient,
    queue: OutboxQueue,
}

impl DeliverWebhook {
    #[must_use]
    pub fn new(
        app: Arc<App>,
        code_key: CodeKey,
        webhook_key: WebhookKey,
        client: HttpClient,
    ) -> Self {
        let (aws, config) = (&app.config.aws, &app.config.webhooks);
        let sdk = aws.mail_sdk_config();
        Self {
            code_key,
            webhook_key,
            client,
            queue: OutboxQueue::new(aws, &sdk, Channel::Webhook, config.queue_url.clone()),
            app,
        }
    }

    /// The message stays in the queue if this fails.
    async fn deliver(&self, message: OutboxMessage) -> Result<(), Error> {
        match prepare(&self.app, &self.code_key, &message).await {
            Ok(letter) => self.send(&message.id, letter).await,
            Err(NoLetter::NotSent(reason)) => {
                tracing::info!(outbox = %message.id, ?reason, "webhook not sent");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn send(&self, id: &OutboxId, letter: Letter) -> Result<(), Error> {
        let (account, purpose) = (&letter.account, letter.purpose.name());
        let (url, body) = self.webhook(&letter);
        let Some(url) = url else {
            tracing::info!(outbox = %id, purpose, "webhook not sent, because its URL is not set");
            return Ok(());
        };
        let body = serde_json::to_string(&body)?;
        let (id_header, now) = (format!("msg_{id}"), self.app.clock.now());
        let post = Post {
            signature: self.webhook_key.sign(&id_header, now, &body),
            timestamp: now.secs(),
            id: id_header,
            body,
        };
        let status = self.client.post(url.as_str(), post).await?;
        tracing::info!(outbox = %id, %account, purpose, status, "webhook sent");
        Ok(())
    }

    /// The URL, if it is set, and the documented body.
    fn webhook<'a>(&self, letter: &'a Letter) -> (Option<&WebhookUrl>, Body<'a>) {
        let webhooks = &self.app.config.webhooks;
        let (user_id, email) = (letter.account.as_str(), letter.to.as_str());
        let created = letter.asked_at.to_rfc3339().unwrap_or_default();
        if let Some((purpose, code)) = &letter.code {
            let body = Body::ForgotPassword {
                code: code.expose(),
                email,
                user_id,
                created,
                link: self.app.config.mail.link(*purpose, code.expose()),
            };
            (webhooks.forgot_password.as_ref(), body)
        } else {
            let body = Body::UserCreated {
                user_id,
                email,
                username: letter.username.as_deref().unwrap_or_default(),
                created,
            };
            (webhooks.user_created.as_ref(), body)
        }
    }
}

#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Body<'a> {
    UserCreated {
        user_id: &'a str,
        email: &'a str,
        username: &'a str,
        created: String,
    },
    ForgotPassword {
        code: &'a str,
        email: &'a str,
        user_id: &'a str,
        created: String,
        link: String,
    },
}

impl Worker for DeliverWebhook {
    type Event = QueueEvent;
    type Response = QueueResponse;

    async fn start(app: Arc<App>) -> Result<Self, Error> {
        let code_key = app.read_code_key().await?;
        let webhook_key = app.read_webhook_key().await?;
        let client = HttpClient::new(app.config.webhooks.any_address, TIMEOUT);
        Ok(Self::new(app, code_key, webhook_key, client))
    }

    async fn work(&self, event: QueueEvent) -> QueueResponse {
        let retries = self.app.config.webhooks.retries;
        let deliver = |message| self.deliver(message);
        self.queue
            .deliver_each(event, |times| retries.pause_secs(times), deliver)
            .await
    }
}
