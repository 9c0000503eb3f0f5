//! Replaces an account's scopes. The function has no route: making an administrator requires
//! permission to invoke it in AWS.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::app::App;
use shared::auth::{self, AuthError};
use shared::domain::{Identifier, Scope, Scopes};

/// `{"email": "...", "scopes": [...]}`, or `username` instead of `email`. The scopes replace all
/// that the account has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    email: Option<String>,
    username: Option<String>,
    scopes: Vec<String>,
}

/// The account after the change.
#[derive(Debug, Serialize)]
pub struct Response {
    id: String,
    username: String,
    email: String,
    scope: Vec<String>,
}

/// Why the scopes were not changed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("either email or username is required")]
    NotOneName,
    #[error("a scope is 1 to 64 characters of A-Z a-z 0-9 . _ : -")]
    NotAScope,
    #[error("an account has at most 16 scopes, each once")]
    NotASet,
    #[error("no account has this name")]
    UnknownAccount,
    #[error(transparent)]
    Failed(#[from] AuthError),
}

/// Takes effect at the account's next request.
pub async fn handle(app: Arc<App>, request: Request) -> Result<Response, Refusal> {
    let identifier = match (request.email, request.username) {
        (Some(email), None) => Identifier::parse_email(&email),
        (None, Some(username)) => Identifier::parse(&username),
        _ => return Err(Refusal::NotOneName),
    };
    let scopes: Option<Vec<Scope>> = request
        .scopes
        .iter()
        .map(|scope| Scope::parse(scope))
        .collect();
    let scopes = Scopes::granted(scopes.ok_or(Refusal::NotAScope)?).ok_or(Refusal::NotASet)?;
    let account = auth::grant_scopes(&app, &identifier, &scopes)
        .await?
        .ok_or(Refusal::UnknownAccount)?;
    Ok(Response {
        id: account.id.to_string(),
        scope: account.scopes.iter().map(str::to_owned).collect(),
        username: account.username,
        email: account.email,
    })
}
