//! `POST /user/verify-email/confirm`: verifies an email by the code that was mailed to it.

pub mod openapi;

use std::sync::Arc;

use serde::Deserialize;
use shared::app::App;
use shared::auth;
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
struct Body {
    code: String,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body: Body = JsonBody::of(&request, SMALL_BODY)?.read()?;
    let source = request::source_ip(&request, &app.config.proxies);
    auth::confirm_email(&app, source, &body.code).await?;
    Reply::ok(&Empty {})
}
