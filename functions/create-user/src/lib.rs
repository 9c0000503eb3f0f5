//! `POST /user`: signs up, and signs the new account in.
//!
//! Open to anybody within the sign-up limits, unless `API_USER_CREATE_SCOPE` says who may.

#[cfg(feature = "openapi")]
pub mod openapi;

use std::sync::Arc;

use serde::Serialize;
use shared::app::App;
use shared::auth::{self, SignUp};
use shared::domain::{Email, Password, PasswordPolicy, Username};
use shared::http::object::Object;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::user::User;
use shared::http::{HttpError, Reply, Request};

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct Response<'a> {
    token: &'a str,
    user: User<'a>,
}

/// Answers `POST /user`.
pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let source = request::source_ip(&request, &app.config.proxies);
    let creator = auth::creator(&app, source, request::credentials(&request)).await?;
    let sign_up = parse(body.object()?, app.config.passwords)?;
    let signed_up = auth::sign_up(&app, creator, source, sign_up).await?;
    let response = Response {
        token: signed_up.token.expose(),
        user: User::of(&signed_up.account),
    };
    Ok(Reply::ok(&response)?.with_rate_limit(&signed_up.rate_limits, app.clock.now()))
}

fn parse(mut body: Object, policy: PasswordPolicy) -> Result<SignUp, HttpError> {
    let username = body.optional_string("username")?;
    let email = body.string("email")?;
    let email = Email::parse(&email).map_err(|error| HttpError::field("email", error))?;
    let username = match username {
        Some(username) => Username::parse(&username, &email)
            .map_err(|error| HttpError::field("username", error))?,
        None => Username::from_email(&email),
    };
    let password = Password::new(body.string("password")?);
    policy
        .check(&password, &[email.typed(), username.typed()])
        .map_err(|error| HttpError::field("password", error))?;
    Ok(SignUp {
        email,
        username,
        password,
    })
}
