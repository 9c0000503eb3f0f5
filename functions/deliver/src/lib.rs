//! Sends the mail of the outbox. The mail queue invokes this function with the ids of new mails.
//!
//! A mail that could not be sent stays in the queue, and is tried again after growing pauses. One that
//! is not to be sent, or that SES refuses for good, is logged and done.

pub mod message;
pub mod queue;
pub mod sender;

use std::sync::Arc;

use futures_util::future::join_all;
use shared::app::App;
use shared::auth::{Letter, Prepared, prepare_mail};
use shared::crypto::CodeKey;
use shared::domain::OutboxId;
use shared::observe::causes;
use shared::runtime::queue::{QueueEvent, QueueMessage, QueueResponse};
use shared::runtime::{Error, Worker};
use shared::store::StoreError;

use self::message::{RenderError, Templates};
use self::sender::{Sender, Sent, TryAgain};

#[derive(Debug)]
pub struct Deliver {
    app: Arc<App>,
    /// `None` if no mail is sent.
    mail: Option<Mail>,
    queue: aws_sdk_sqs::Client,
}

/// What it takes to send mail.
#[derive(Debug)]
struct Mail {
    key: CodeKey,
    templates: Templates,
    sender: Sender,
}

impl Deliver {
    /// `key` is needed only if `MAIL_FROM` is set.
    pub fn new(app: Arc<App>, key: Option<CodeKey>) -> Result<Self, Error> {
        let aws = &app.config.aws;
        let sdk = aws.mail_sdk_config();
        let mail = if let (Some(from), Some(key)) = (&app.config.mail.from, key) {
            Some(Mail {
                key,
                templates: Templates::new()?,
                sender: Sender::new(aws, &sdk, &app.config.mail.product_name, from),
            })
        } else {
            tracing::info!("mail is off, because MAIL_FROM is not set");
            None
        };
        let mut sqs = aws_sdk_sqs::config::Builder::from(&sdk);
        sqs.set_endpoint_url(aws.sqs_url.clone());
        Ok(Self {
            mail,
            queue: aws_sdk_sqs::Client::from_conf(sqs.build()),
            app,
        })
    }

    /// The message stays in the queue if this fails.
    async fn deliver(&self, message: &QueueMessage) -> Result<(), NotDelivered> {
        let id = queue::outbox_id(message).ok_or(NotDelivered::Unreadable)?;
        let Some(mail) = &self.mail else {
            return Ok(());
        };
        match prepare_mail(&self.app, &mail.key, &id).await? {
            Prepared::Letter(letter) => self.send(mail, &id, letter).await,
            Prepared::Nothing(reason) => {
                tracing::info!(outbox = %id, ?reason, "mail not sent");
                Ok(())
            }
        }
    }

    async fn send(&self, mail: &Mail, id: &OutboxId, letter: Letter) -> Result<(), NotDelivered> {
        let message = mail.templates.render(&self.app.config.mail, &letter)?;
        let (account, purpose) = (&letter.account, letter.purpose.name());
        match mail.sender.send(&letter.to, message).await? {
            Sent::Accepted => tracing::info!(outbox = %id, %account, purpose, "mail sent"),
            Sent::Refused(error) => {
                tracing::warn!(outbox = %id, %account, purpose, error, "mail refused");
            }
        }
        Ok(())
    }

    /// Sets the pause until the next try. If this fails, the queue's own pause applies.
    async fn pause(&self, message: &QueueMessage) {
        let paused = self
            .queue
            .change_message_visibility()
            .set_queue_url(self.app.config.mail.queue_url.clone())
            .set_receipt_handle(message.receipt_handle.clone())
            .visibility_timeout(queue::pause_secs(message.receive_count()))
            .send()
            .await;
        if let Err(error) = paused {
            tracing::warn!(error = causes(&error), "pause not set");
        }
    }
}

impl Worker for Deliver {
    type Event = QueueEvent;
    type Response = QueueResponse;

    async fn start(app: Arc<App>) -> Result<Self, Error> {
        let key = match app.config.mail.from {
            Some(_) => Some(app.read_code_key().await?),
            None => None,
        };
        Self::new(app, key)
    }

    /// Delivers all messages at once, so that a slow one does not hold up another. The response names
    /// those to try again.
    async fn work(&self, event: QueueEvent) -> QueueResponse {
        let delivered = event.records.iter().map(|message| async move {
            let error = self.deliver(message).await.err()?;
            let times = message.receive_count();
            let cause = causes(&error);
            tracing::warn!(
                message_id = message.id,
                times,
                error = cause,
                "mail delayed"
            );
            self.pause(message).await;
            Some(message.id.clone())
        });
        let failed = join_all(delivered).await.into_iter().flatten();
        QueueResponse::failed(failed)
    }
}

/// Why a message stays in the queue.
#[derive(Debug, thiserror::Error)]
enum NotDelivered {
    #[error("the message has no outbox id")]
    Unreadable,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error(transparent)]
    TryAgain(#[from] TryAgain),
}
