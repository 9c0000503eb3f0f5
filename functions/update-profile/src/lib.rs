//! `POST /v1/auth/user`: changes the fields of the caller's profile that are sent.

pub mod openapi;

use std::sync::Arc;

use shared::app::App;
use shared::auth::{self, Need};
use shared::domain::Permission;
use shared::http::profile::{Body, UserPayload};
use shared::http::request::{self, JsonBody, PROFILE_BODY};
use shared::http::{HttpError, Reply, Request};

const NEED: Need = Need::permission(Permission::Write);

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, PROFILE_BODY)?;
    let parse = || body.read::<Body>()?.user.parse();
    let (caller, profile, asked) = request::caller_with_update(&app, &request, NEED, parse).await?;
    let profile = auth::update_profile(&app, &caller, profile, &asked).await?;
    Reply::success(&UserPayload::of(&caller.account, &profile, app.clock.now()))
}
