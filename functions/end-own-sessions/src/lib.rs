//! `DELETE /user/sessions`: ends the caller's sessions, or all but the one in use.

pub mod openapi;

use std::sync::Arc;

use shared::app::App;
use shared::auth::{self, Need};
use shared::http::body::Empty;
use shared::http::problem::Problem;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};
use shared::store::CurrentSession;

const NEED: Need = Need::TOKEN_ALONE.unverified();

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let caller = request::caller(&app, &request, NEED).await?;
    body.read::<Empty>()?;
    let current = match request::query(&request, "except")?.as_deref() {
        None => CurrentSession::Ends,
        Some("current") => CurrentSession::GoesOn,
        Some(_) => return Err(HttpError::field("except", Problem::NotCurrent)),
    };
    auth::end_own_sessions(&app, &caller, current).await?;
    Reply::ok(&Empty {})
}
