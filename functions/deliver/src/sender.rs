//! Sending through SES.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message as SesMessage};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use shared::aws::SdkConfig;
use shared::config::Aws;
use shared::observe::causes;

use crate::message::Message;

#[derive(Debug)]
pub struct Sender {
    client: Client,
    from: String,
}

/// What SES said to a mail. Its own words may have the address, so only the code is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    Accepted,
    /// Another try would be refused too.
    Refused(String),
}

/// SES could not be reached, is too slow, or sends nothing for now.
#[derive(Debug, thiserror::Error)]
#[error("SES did not take the mail: {0}")]
pub struct TryAgain(String);

impl Sender {
    #[must_use]
    pub fn new(aws: &Aws, sdk: &SdkConfig, product_name: &str, address: &str) -> Self {
        let mut config = aws_sdk_sesv2::config::Builder::from(sdk);
        config.set_endpoint_url(aws.ses_url.clone());
        Self {
            client: Client::from_conf(config.build()),
            from: format!("{} <{address}>", phrase(product_name)),
        }
    }

    pub async fn send(&self, to: &str, message: Message) -> Result<Sent, TryAgain> {
        let sent = match content(message) {
            Ok(content) => {
                let destination = Destination::builder().to_addresses(to).build();
                let email = self.client.send_email().from_email_address(&self.from);
                email.destination(destination).content(content).send().await
            }
            Err(error) => Err(SdkError::construction_failure(error)),
        };
        match sent {
            Ok(_) => Ok(Sent::Accepted),
            Err(error) => refusal(&error).map(Sent::Refused),
        }
    }
}

/// The error's code if another try would not help.
fn refusal(error: &SdkError<SendEmailError>) -> Result<String, TryAgain> {
    match error {
        SdkError::ServiceError(service) => {
            let refused = service.err();
            let code = refused.code().unwrap_or("no code");
            if refused.is_message_rejected() || refused.is_bad_request_exception() {
                Ok(code.to_owned())
            } else {
                Err(TryAgain(code.to_owned()))
            }
        }
        other => Err(TryAgain(causes(other))),
    }
}

fn content(message: Message) -> Result<EmailContent, aws_sdk_sesv2::error::BuildError> {
    let text = |data: String| Content::builder().data(data).charset("UTF-8").build();
    let body = Body::builder()
        .text(text(message.text)?)
        .html(text(message.html)?)
        .build();
    let message = SesMessage::builder()
        .subject(text(message.subject)?)
        .body(body)
        .build();
    Ok(EmailContent::builder().simple(message).build())
}

/// The product's name as the `phrase` of an address: quoted (RFC 5322 section 3.2.4), or as an encoded
/// word (RFC 2047) if it is not ASCII.
fn phrase(name: &str) -> String {
    if name.is_ascii() {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        format!("=?UTF-8?B?{}?=", STANDARD.encode(name))
    }
}
