//! `POST /user/auth`: signs in with a username or email.

pub mod openapi;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::app::App;
use shared::auth::{self, SignIn};
use shared::crypto::Token;
use shared::domain::{Identifier, Lifetime, Password};
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::user::SignedInUser;
use shared::http::{HttpError, Reply, Request};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
struct Body {
    /// Takes precedence over the username.
    email: Option<String>,
    /// A username or email.
    username: Option<String>,
    // An `Option`, so that a missing username is reported before a missing password.
    #[schema(value_type = String, format = Password, required = true)]
    password: Option<String>,
    /// Whether to answer with a refresh token.
    refresh: Option<bool>,
}

#[derive(Serialize, ToSchema)]
struct Response<'a> {
    user: SignedInUser<'a>,
    token: &'a str,
    /// Only if it was asked for.
    #[serde(rename = "refreshToken", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    refresh_token: Option<&'a str>,
}

/// Credentials in headers are ignored.
pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?.read()?;
    let sign_in = parse(body, app.config.token_lifetime)?;
    let client = request::client(&request, &app.config.proxies);
    let signed_in = auth::sign_in(&app, client, sign_in).await?;
    Reply::ok(&Response {
        user: SignedInUser::of(&signed_in.account),
        token: signed_in.token.expose(),
        refresh_token: signed_in.refresh_token.as_ref().map(Token::expose),
    })
}

/// An identifier that no account could have is not an error here: signing in with it fails as with
/// any unknown account.
fn parse(body: Body, lifetime: Lifetime) -> Result<SignIn, HttpError> {
    let identifier = match (body.email, body.username) {
        (Some(email), _) => Identifier::parse_email(&email),
        (None, Some(username)) => Identifier::parse(&username),
        (None, None) => return Err(HttpError::missing("username")),
    };
    let password = body.password.ok_or(HttpError::missing("password"))?;
    Ok(SignIn {
        identifier,
        password: Password::new(password),
        lifetime,
        refresh: body.refresh.unwrap_or_default(),
    })
}
