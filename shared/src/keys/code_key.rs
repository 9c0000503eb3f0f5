//! The key that derives the codes in mail. It is read once, when the function that sends mail starts.

use aws_sdk_secretsmanager::Client;

use super::SecretError;
use crate::config::KeySource;
use crate::crypto::{CodeKey, CodeKeyTooShort};

/// Why the key cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum CodeKeyError {
    #[error("CODE_KEY_SECRET or CODE_KEY_FILE must be set: the key of codes in mail")]
    NotSet,
    #[error("the file of the key of codes cannot be read: {0}")]
    File(#[source] std::io::Error),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the key of codes {0}")]
    TooShort(#[from] CodeKeyTooShort),
}

/// Calls `client` only if the source is a secret. Spaces and line breaks around the key are ignored.
pub async fn read_code_key(
    source: Option<&KeySource>,
    client: impl FnOnce() -> Client,
) -> Result<CodeKey, CodeKeyError> {
    let key = match source {
        None => return Err(CodeKeyError::NotSet),
        Some(KeySource::File(path)) => std::fs::read_to_string(path).map_err(CodeKeyError::File)?,
        Some(KeySource::Secret(id)) => {
            let output = client().get_secret_value().secret_id(id).send().await;
            let output = output.map_err(SecretError::from)?;
            output.secret_string().unwrap_or_default().to_owned()
        }
    };
    Ok(CodeKey::new(key.trim())?)
}
