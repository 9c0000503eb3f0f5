//! Sends the mail of the outbox. The mail queue invokes this function with the ids of new mails.
//!
//! A mail that could not be sent stays in the queue, and is tried again after growing pauses. One that
//! is not to be sent, or that SES refuses for good, is logged and done.

pub mod message;
pub mod sender;

use std::sync::Arc;

use shared::app::App;
use shared::auth::{Letter, NoLetter, prepare};
use shared::crypto::CodeKey;
use shared::domain::{Channel, OutboxId, OutboxMessage};
use shared::runtime::queue::{OutboxQueue, QueueEvent, QueueResponse};
use shared::runtime::{Error, Worker};

use self::message::Templates;
use self::sender::{Sender, Sent};

#[derive(Debug)]
pub struct Deliver {
    app: Arc<App>,
    /// `None` if no mail is sent.
    mail: Option<Mail>,
    queue: OutboxQueue,
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
        let queue_url = app.config.mail.queue_url.clone();
        Ok(Self {
            mail,
            queue: OutboxQueue::new(aws, &sdk, Channel::Mail, queue_url),
            app,
        })
    }

    /// The message stays in the queue if this fails.
    async fn deliver(&self, message: OutboxMessage) -> Result<(), Error> {
        let Some(mail) = &self.mail else {
            return Ok(());
        };
        match prepare(&self.app, &mail.key, &message).await {
            Ok(letter) => self.send(mail, &message.id, letter).await,
            Err(NoLetter::NotSent(reason)) => {
                tracing::info!(outbox = %message.id, ?reason, "mail not sent");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn send(&self, mail: &Mail, id: &OutboxId, letter: Letter) -> Result<(), Error> {
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

    async fn work(&self, event: QueueEvent) -> QueueResponse {
        let deliver = |message| self.deliver(message);
        self.queue.deliver_each(event, pause_secs, deliver).await
    }
}

const FIRST_PAUSE_SECS: i32 = 30;
const LONGEST_PAUSE_SECS: i32 = 60 * 60;

/// The pause after a mail was tried this many times, in seconds: 30 s at first, then twice as long each
/// time, up to an hour. The queue's `maxReceiveCount` makes this a day in all.
#[must_use]
pub fn pause_secs(times: u32) -> i32 {
    let doublings = times.saturating_sub(1).min(7);
    (FIRST_PAUSE_SECS << doublings).min(LONGEST_PAUSE_SECS)
}
