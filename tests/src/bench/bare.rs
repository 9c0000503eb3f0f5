//! What the floors of `make bench` that call AWS share.

use lambda_runtime::Error;
use serde_json::{Value, json};
use shared::config::Aws;

/// How to reach AWS, as the real functions do.
pub(crate) fn aws() -> Result<Aws, Error> {
    Ok(Aws {
        region: variable("AWS_REGION")?,
        dynamodb_url: variable("AWS_ENDPOINT_URL_DYNAMODB").ok(),
        secrets_manager_url: variable("AWS_ENDPOINT_URL_SECRETS_MANAGER").ok(),
        access_key_id: variable("AWS_ACCESS_KEY_ID")?,
        secret_access_key: variable("AWS_SECRET_ACCESS_KEY")?.into(),
        session_token: variable("AWS_SESSION_TOKEN").ok().map(Into::into),
    })
}

/// A variable of the process.
#[expect(
    clippy::disallowed_methods,
    reason = "`Config` would ask for settings that a floor has no use for"
)]
pub(crate) fn variable(name: &str) -> Result<String, Error> {
    std::env::var(name).map_err(|error| format!("{name}: {error}").into())
}

/// An answer with one figure.
pub(crate) fn answer(name: &str, figure: usize) -> Value {
    json!({
        "statusCode": 200,
        "headers": {"content-type": "application/json; charset=utf-8"},
        "body": json!({ name: figure }).to_string(),
        "isBase64Encoded": false,
    })
}
