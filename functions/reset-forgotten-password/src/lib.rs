//! `POST /user/forgot-password/reset`: sets a new password by a code that was mailed.

pub mod openapi;

use std::sync::Arc;

use serde::Deserialize;
use shared::app::App;
use shared::auth;
use shared::domain::Password;
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
struct Body {
    code: String,
    /// Any Unicode, from `PASSWORD_MIN_LENGTH` (6) characters to 1024 bytes, used exactly as sent.
    #[schema(format = Password, min_length = 6, max_length = 1024)]
    password: String,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body: Body = JsonBody::of(&request, SMALL_BODY)?.read()?;
    let source = request::source_ip(&request, &app.config.proxies);
    let password = Password::new(body.password);
    auth::reset_forgotten_password(&app, source, &body.code, password).await?;
    Reply::ok(&Empty {})
}
