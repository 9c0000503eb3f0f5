//! `GET /v1/auth/user`: returns the caller's account and profile as stored now.

pub mod openapi;

use std::sync::Arc;

use shared::app::App;
use shared::auth::Need;
use shared::domain::Permission;
use shared::http::body::Empty;
use shared::http::profile::UserPayload;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};

const NEED: Need = Need::permission(Permission::Read);

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let (caller, profile) = request::caller_with_profile(&app, &request, NEED).await?;
    body.read::<Empty>()?;
    Reply::success(&UserPayload::of(&caller.account, &profile, app.clock.now()))
}
