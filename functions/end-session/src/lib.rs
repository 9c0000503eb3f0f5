//! `DELETE /user/sessions/{id}`: ends one of the caller's sessions.

pub mod openapi;

use std::sync::Arc;

use shared::app::App;
use shared::auth::{self, AuthError, Need};
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};

const NEED: Need = Need::TOKEN_ALONE.unverified();

/// An id that no session could have gets the same error as an unknown one.
pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let caller = request::caller(&app, &request, NEED).await?;
    body.read::<Empty>()?;
    let id = request::path_hex(&request, "id").ok_or(AuthError::NoSession)?;
    auth::end_session(&app, &caller, id).await?;
    Reply::ok(&Empty {})
}
