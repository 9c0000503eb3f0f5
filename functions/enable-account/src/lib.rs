//! Enables an account that `disable-account` disabled. The function has no route: it is for operators.
//!
//! The account's password and API keys are accepted again. Its earlier sessions stay ended.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::app::App;
use shared::auth::{AccountError, enable_account};
use shared::domain::AccountId;

/// `{"id": "..."}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    id: String,
}

#[derive(Debug, Serialize)]
pub struct Response {
    id: String,
    disabled: bool,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Response, AccountError> {
    let id = AccountId::parse(&request.id)?;
    let account = enable_account(&app, &id).await?;
    Ok(Response {
        id: request.id,
        disabled: account.is_disabled(),
    })
}
