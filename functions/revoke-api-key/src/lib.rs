//! `DELETE /v1/api-keys/{id}`: revokes one of the caller's API keys.

pub mod openapi;

use std::sync::Arc;

use shared::app::App;
use shared::auth::{self, AuthError, Need};
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};

const NEED: Need = Need::TOKEN_ALONE;

/// An id that is not a number gets the same error as an unknown one.
pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let (caller, profile) = request::caller_with_profile(&app, &request, NEED).await?;
    body.read::<Empty>()?;
    let id = request::path_number(&request, "id").ok_or(AuthError::NoApiKey)?;
    auth::revoke_api_key(&app, &caller, &profile, id).await?;
    Reply::success(&())
}
