//! `POST /v1/auth/logout`: revokes the token it is called with, on every instance and in both
//! families.

pub mod openapi;

use std::sync::Arc;

use shared::app::App;
use shared::auth::{self, Need};
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};

const NEED: Need = Need::ANY_CREDENTIALS.unverified();

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let caller = request::caller(&app, &request, NEED).await?;
    body.read::<Empty>()?;
    auth::sign_out(&app, &caller).await?;
    Reply::success(&())
}
