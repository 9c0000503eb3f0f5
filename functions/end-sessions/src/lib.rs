//! Ends all sessions of an account and, if asked, all its API keys. The function has no route: it is
//! for operators who throw an intruder out.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::app::App;
use shared::auth::{AccountError, WithApiKeys, end_sessions};
use shared::domain::AccountId;

/// `{"id": "..."}`, or `{"id": "...", "apiKeys": true}` to end the API keys too.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Request {
    id: String,
    #[serde(default)]
    api_keys: bool,
}

/// What has ended.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    id: String,
    api_keys: bool,
}

/// Takes effect at the next request, on every instance.
pub async fn handle(app: Arc<App>, request: Request) -> Result<Response, AccountError> {
    let id = AccountId::parse(&request.id)?;
    let with_api_keys = WithApiKeys::asked(request.api_keys);
    end_sessions(&app, &id, with_api_keys).await?;
    Ok(Response {
        id: request.id,
        api_keys: request.api_keys,
    })
}
