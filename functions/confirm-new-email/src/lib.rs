//! `POST /user/change-email/confirm`: gives the caller's account the email that the code was mailed to.

pub mod openapi;

use std::sync::Arc;

use serde::Deserialize;
use shared::app::App;
use shared::auth::{self, Need};
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::user::CurrentUser;
use shared::http::{HttpError, Reply, Request};
use utoipa::ToSchema;

const NEED: Need = Need::TOKEN_ALONE;

#[derive(Deserialize, ToSchema)]
struct Body {
    code: String,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let caller = request::caller(&app, &request, NEED).await?;
    let body: Body = body.read()?;
    let source = request::source_ip(&request, &app.config.proxies);
    let account = auth::confirm_new_email(&app, &caller, source, &body.code).await?;
    Reply::ok(&CurrentUser::of(&account))
}
