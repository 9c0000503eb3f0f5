//! `POST /user/verify-email`: mails the caller a code that verifies the account's email.

pub mod openapi;

use std::sync::Arc;

use shared::app::App;
use shared::auth::{self, Need};
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};

const NEED: Need = Need::TOKEN_ALONE.unverified();

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let caller = request::caller(&app, &request, NEED).await?;
    body.read::<Empty>()?;
    let source = request::source_ip(&request, &app.config.proxies);
    auth::ask_to_verify_email(&app, source, &caller.account).await?;
    Reply::ok(&Empty {})
}
