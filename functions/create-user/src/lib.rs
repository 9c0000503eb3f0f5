//! `POST /user`: creates an account, and signs it in.
//!
//! Public within the sign-up limits, unless `API_USER_CREATE_SCOPE` requires a scope.

pub mod openapi;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::app::App;
use shared::auth::{self, SignUp};
use shared::domain::{Email, MetadataChange, Password, PasswordPolicy, Username};
use shared::http::body::JsonObject;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::user::User;
use shared::http::{HttpError, InField, Reply, Request};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
struct Body {
    /// The email by default. If it contains `@` and `email` is sent, both must be equal. Follows the PRECIS
    /// profile `UsernameCaseMapped` (RFC 8265): no spaces, control or compatibility characters.
    #[schema(min_length = 1, max_length = 128)]
    username: Option<String>,
    /// Required, unless the username is an email. At most 254 bytes. The domain has a dot. No display name, comment, quotes or domain literal.
    /// International addresses are allowed (RFC 6531).
    #[schema(format = "idn-email", max_length = 254)]
    email: Option<String>,
    /// Any Unicode, from `PASSWORD_MIN_LENGTH` (6) characters to 1024 bytes, used exactly as sent.
    // An `Option`, so that an invalid email or username is reported before a missing password.
    #[schema(value_type = String, format = Password, required = true, min_length = 6, max_length = 1024)]
    password: Option<String>,
    /// At most 8192 bytes of compact JSON and 32 levels. For programs of the operator. Numbers are kept as 64-bit
    /// integers or doubles. `{}` is
    /// the same as none.
    #[schema(value_type = Option<Object>)]
    metadata: Option<JsonObject>,
}

#[derive(Serialize, ToSchema)]
struct Response<'a> {
    token: &'a str,
    user: User<'a>,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let client = request::client(&request, &app.config.proxies);
    let creator =
        auth::creator(&app, request::credentials(client.source, request.headers())).await?;
    let sign_up = parse(body.read()?, app.config.passwords)?;
    let signed_up = auth::sign_up(&app, creator, client, sign_up).await?;
    let response = Response {
        token: signed_up.token.expose(),
        user: User::of(&signed_up.account),
    };
    Ok(Reply::ok(&response)?.with_rate_limit(&signed_up.rate_limits, app.clock.now()))
}

fn parse(body: Body, policy: PasswordPolicy) -> Result<SignUp, HttpError> {
    let (email, username) = match (body.email, body.username) {
        (Some(email), username) => (parse_email("email", &email)?, username),
        (None, Some(username)) if username.contains('@') => {
            (parse_email("username", &username)?, None)
        }
        (None, _) => return Err(HttpError::missing("email")),
    };
    let username = match username {
        Some(username) => Username::parse(&username, &email).in_field("username")?,
        None => Username::from_email(&email),
    };
    let password = body.password.ok_or(HttpError::missing("password"))?;
    let password = Password::new(password);
    policy
        .check(&password, &[email.typed(), username.typed()])
        .in_field("password")?;
    let metadata = body.metadata.map(MetadataChange::to);
    let metadata = metadata.transpose().in_field("metadata")?;
    Ok(SignUp {
        email,
        username,
        password,
        metadata,
    })
}

fn parse_email(field: &'static str, text: &str) -> Result<Email, HttpError> {
    Email::parse(text).in_field(field)
}
