//! Deletes an account. The function has no route: it is for operators.
//!
//! The account's tokens and API keys are dead, and its email and username free, at once. A call for an account
//! that is deleted already succeeds.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::app::App;
use shared::auth::{AccountError, delete_account};
use shared::domain::AccountId;
use shared::store::LastAdministrator;

/// `{"id": "..."}`; with `"force": true` also the last administrator is deleted.
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
    deleted: bool,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Response, AccountError> {
    let id = AccountId::parse(&request.id)?;
    let last_administrator = LastAdministrator::forced(request.force);
    delete_account(&app, &id, last_administrator).await?;
    Ok(Response {
        id: request.id,
        deleted: true,
    })
}
