//! The keys of the functions that send mail and webhooks. Each is read once, when such a function starts.

use aws_sdk_secretsmanager::Client;

use super::{SecretError, secret};
use crate::config::KeySource;
use crate::crypto::{CodeKey, CodeKeyTooShort, InvalidWebhookKey, WebhookKey};

/// Why a key cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum FunctionKeyError {
    #[error("CODE_KEY_SECRET or CODE_KEY_FILE must be set: the key of codes")]
    NoCodeKey,
    #[error("WEBHOOK_KEY_SECRET or WEBHOOK_KEY_FILE must be set: the key that signs webhooks")]
    NoWebhookKey,
    #[error("the file of a key cannot be read: {0}")]
    File(#[from] std::io::Error),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the key of codes {0}")]
    CodeKey(#[from] CodeKeyTooShort),
    #[error("the key that signs webhooks {0}")]
    WebhookKey(#[from] InvalidWebhookKey),
}

/// Reads the key that derives codes. `client` makes the client for a source that is a secret.
pub async fn read_code_key(
    source: Option<&KeySource>,
    client: impl FnOnce(&KeySource) -> Client,
) -> Result<CodeKey, FunctionKeyError> {
    let source = source.ok_or(FunctionKeyError::NoCodeKey)?;
    Ok(CodeKey::new(read(source, client).await?.trim())?)
}

/// Reads the key that signs webhooks. `client` makes the client for a source that is a secret.
pub async fn read_webhook_key(
    source: Option<&KeySource>,
    client: impl FnOnce(&KeySource) -> Client,
) -> Result<WebhookKey, FunctionKeyError> {
    let source = source.ok_or(FunctionKeyError::NoWebhookKey)?;
    Ok(WebhookKey::parse(&read(source, client).await?)?)
}

async fn read(
    source: &KeySource,
    client: impl FnOnce(&KeySource) -> Client,
) -> Result<String, FunctionKeyError> {
    match source {
        KeySource::File(path) => Ok(std::fs::read_to_string(path)?),
        KeySource::Secret(id) => {
            let get = client(source).get_secret_value().secret_id(id);
            let output = secret::send(get).await.map_err(SecretError::from)?;
            Ok(output.secret_string().unwrap_or_default().to_owned())
        }
    }
}
