//! `POST /user/reset-password`: sets the password of any account, for administrators.

pub mod openapi;

use std::sync::Arc;

use serde::Deserialize;
use shared::app::App;
use shared::auth::{self, Need};
use shared::domain::{Identifier, Password};
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, InField, Reply, Request};
use utoipa::ToSchema;

const NEED: Need = Need::ADMIN_TO_CHANGE;

#[derive(Deserialize, ToSchema)]
struct Body {
    /// That of the account.
    #[schema(format = "idn-email", max_length = 254)]
    email: String,
    /// Any Unicode, from `PASSWORD_MIN_LENGTH` (6) characters to 1024 bytes, used exactly as sent.
    #[schema(format = Password, min_length = 6, max_length = 1024)]
    password: String,
}

/// An email that no account could have gets the same error as an unknown one.
pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let caller = request::caller(&app, &request, NEED).await?;
    let body: Body = body.read()?;
    let password = Password::new(body.password);
    let policy = app.config.passwords;
    policy.check(&password, &[]).in_field("password")?;
    let email = Identifier::parse_email(&body.email);
    auth::reset_password(&app, &caller, &email, password).await?;
    Reply::ok(&Empty {})
}
