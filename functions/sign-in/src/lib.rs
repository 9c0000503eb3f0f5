//! `POST /user/auth`: signs in with a username or an email.

#[cfg(feature = "openapi")]
pub mod openapi;

use std::sync::Arc;

use serde::Serialize;
use shared::app::App;
use shared::auth::{self, SignIn};
use shared::domain::{Identifier, Lifetime, Password};
use shared::http::object::Object;
use shared::http::problem::Problem;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::user::User;
use shared::http::{HttpError, Reply, Request};

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct Response<'a> {
    user: User<'a>,
    token: &'a str,
}

/// Answers `POST /user/auth`. Credentials in headers are ignored.
pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?.object()?;
    let sign_in = parse(body, app.config.token_lifetime)?;
    let source = request::source_ip(&request, &app.config.proxies);
    let signed_in = auth::sign_in(&app, source, sign_in).await?;
    Reply::ok(&Response {
        user: User::of(&signed_in.account),
        token: signed_in.token.expose(),
    })
}

/// An email counts before a username. A string that no account could have is no error here: it
/// is simply wrong.
fn parse(mut body: Object, lifetime: Lifetime) -> Result<SignIn, HttpError> {
    let email = body.optional_string("email")?;
    let username = body.optional_string("username")?;
    let identifier = match (email, username) {
        (Some(email), _) => Identifier::parse_email(&email),
        (None, Some(username)) => Identifier::parse(&username),
        (None, None) => return Err(HttpError::field("username", Problem::Missing)),
    };
    Ok(SignIn {
        identifier,
        password: Password::new(body.string("password")?),
        lifetime,
    })
}
