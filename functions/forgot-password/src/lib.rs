//! `POST /user/forgot-password`: mails a code that resets the password of the account with this email.
//!
//! Whether anybody has the email changes neither the response nor the work.

pub mod openapi;

use std::sync::Arc;

use serde::Deserialize;
use shared::app::App;
use shared::auth;
use shared::domain::Identifier;
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
struct Body {
    email: String,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body: Body = JsonBody::of(&request, SMALL_BODY)?.read()?;
    let source = request::source_ip(&request, &app.config.proxies);
    let email = Identifier::parse_email(&body.email);
    auth::ask_to_reset_password(&app, source, email).await?;
    Reply::ok(&Empty {})
}
