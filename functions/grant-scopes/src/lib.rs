//! Replaces an account's scopes. The function has no route: making an administrator requires
//! permission to invoke it in AWS.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::app::App;
use shared::auth::{AccountError, account_with, grant_scopes};
use shared::domain::{AccountId, Identifier, Scope, Scopes, Timestamp};
use shared::store::LastAdministrator;

/// `{"id": "...", "scopes": [...]}`. The scopes replace all that the account has.
///
/// In place of `id`, `email` together with `createdBefore` (RFC 3339): somebody else may have signed up
/// with the email, so the account must be older than the time at which the operator knew that it was the
/// right one. A username would not do: an older account may have taken it since. With `"force": true` also
/// the last administrator loses the scope.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Request {
    id: Option<String>,
    email: Option<String>,
    created_before: Option<String>,
    scopes: Vec<String>,
    #[serde(default)]
    force: bool,
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
    #[error("id is required, or email with createdBefore")]
    NotOneAccount,
    #[error("createdBefore is not an RFC 3339 date-time")]
    NotATime,
    #[error("the account is not older than createdBefore")]
    TooNew,
    #[error("a scope is 1 to 64 characters of A-Z a-z 0-9 . _ : -")]
    NotAScope,
    #[error("an account has at most 16 scopes, each once")]
    NotASet,
    #[error(transparent)]
    Account(#[from] AccountError),
}

/// Takes effect at the account's next request.
pub async fn handle(app: Arc<App>, request: Request) -> Result<Response, Refusal> {
    let scopes: Option<Vec<Scope>> = request
        .scopes
        .iter()
        .map(|scope| Scope::parse(scope))
        .collect();
    let scopes = Scopes::granted(scopes.ok_or(Refusal::NotAScope)?).ok_or(Refusal::NotASet)?;
    let last_administrator = LastAdministrator::forced(request.force);
    let id = account_of(&app, &request).await?;
    let account = grant_scopes(&app, &id, &scopes, last_administrator).await?;
    Ok(Response {
        id: account.id.to_string(),
        scope: account.scopes.iter().map(str::to_owned).collect(),
        username: account.username,
        email: account.email,
    })
}

async fn account_of(app: &App, request: &Request) -> Result<AccountId, Refusal> {
    let (identifier, created_before) = match request {
        Request {
            id: Some(id),
            email: None,
            created_before: None,
            ..
        } => return Ok(AccountId::parse(id).map_err(AccountError::from)?),
        Request {
            id: None,
            email: Some(email),
            created_before: Some(created_before),
            ..
        } => (Identifier::parse_email(email), created_before),
        _ => return Err(Refusal::NotOneAccount),
    };
    let created_before = Timestamp::parse_rfc3339(created_before).ok_or(Refusal::NotATime)?;
    let account = account_with(app, &identifier).await?;
    if account.created_at < created_before {
        Ok(account.id)
    } else {
        Err(Refusal::TooNew)
    }
}
