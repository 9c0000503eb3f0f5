//! Disables an account until `enable-account` is called. The function has no route: it is for operators.
//!
//! The account's sessions end. Its tokens, its API keys and its password are refused from the next
//! request on; a sign-in gets the answer to a wrong password.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::app::App;
use shared::auth::{AccountError, disable_account};
use shared::domain::AccountId;
use shared::store::LastAdministrator;

/// `{"id": "..."}`; with `"force": true` also the last administrator is disabled.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    id: String,
    #[serde(default)]
    force: bool,
}

#[derive(Debug, Serialize)]
pub struct Response {
    id: String,
    disabled: bool,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Response, AccountError> {
    let id = AccountId::parse(&request.id)?;
    let last_administrator = LastAdministrator::forced(request.force);
    let account = disable_account(&app, &id, last_administrator).await?;
    Ok(Response {
        id: request.id,
        disabled: account.is_disabled(),
    })
}
