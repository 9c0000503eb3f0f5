//! Shows an account's state to operators. The function has no route.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::app::App;
use shared::auth::{AccountError, account_by_id, account_with, find_account};
use shared::domain::{AccountId, Identifier, Timestamp};

/// One of `{"id": "..."}`, `{"email": "..."}` and `{"username": "..."}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    id: Option<String>,
    email: Option<String>,
    username: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    id: String,
    username: String,
    email: String,
    /// RFC 3339.
    created_at: Option<String>,
    /// RFC 3339; null before the first sign-in.
    last_log_in: Option<String>,
    state: State,
    scope: Vec<String>,
    /// How many are live.
    sessions: u64,
    /// How many are live.
    api_keys: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Enabled,
    Disabled,
}

#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("one of id, email and username is required")]
    NotOneName,
    #[error(transparent)]
    Account(#[from] AccountError),
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Response, Refusal> {
    let account = match (request.id, request.email, request.username) {
        (Some(id), None, None) => {
            let id = AccountId::parse(&id).map_err(AccountError::from)?;
            account_by_id(&app, &id).await?
        }
        (None, Some(email), None) => account_with(&app, &Identifier::parse_email(&email)).await?,
        (None, None, Some(name)) => account_with(&app, &Identifier::parse(&name)).await?,
        _ => return Err(Refusal::NotOneName),
    };
    let found = find_account(&app, account).await?;
    let account = found.account;
    Ok(Response {
        id: account.id.to_string(),
        created_at: account.created_at.to_rfc3339(),
        last_log_in: account.last_login.and_then(Timestamp::to_rfc3339),
        state: match account.disabled_at {
            None => State::Enabled,
            Some(_) => State::Disabled,
        },
        scope: account.scopes.iter().map(str::to_owned).collect(),
        username: account.username,
        email: account.email,
        sessions: found.live_sessions,
        api_keys: found.live_api_keys,
    })
}
