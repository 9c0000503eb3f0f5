//! Sets a random password and returns it. The function has no route: it is for operators who let
//! somebody back in.
//!
//! All sessions end, and the totals of failed sign-ins are cleared.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::app::App;
use shared::auth::{AccountError, set_random_password};
use shared::domain::AccountId;

/// `{"id": "..."}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    id: String,
}

/// The password is shown only here.
#[derive(Serialize)]
pub struct Response {
    id: String,
    password: String,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Response, AccountError> {
    let id = AccountId::parse(&request.id)?;
    let password = set_random_password(&app, &id).await?;
    Ok(Response {
        id: request.id,
        password: password.expose().to_owned(),
    })
}
