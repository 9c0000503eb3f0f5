//! `POST /v1/auth/login`: signs in with a username or email, and starts a session.

pub mod openapi;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::app::App;
use shared::auth::{self, SignIn};
use shared::crypto::Token;
use shared::domain::{Identifier, Password};
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
struct Body {
    /// A username or email.
    username: String,
    #[schema(format = Password)]
    password: String,
    /// Whether to answer with a refresh token.
    refresh: Option<bool>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    token: &'a str,
    /// In seconds.
    expires_in: u64,
    /// Only if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    refresh_token: Option<&'a str>,
}

/// `Authorization` is ignored. An API key is optional, but must be live if it is sent.
pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let client = request::client(&request, &app.config.proxies);
    auth::authenticate_key_if_sent(&app, request::credentials(client.source, request.headers()))
        .await?;
    let body: Body = body.read()?;
    let sign_in = SignIn {
        identifier: Identifier::parse(&body.username),
        password: Password::new(body.password),
        lifetime: app.config.session_lifetime,
        refresh: body.refresh.unwrap_or_default(),
    };
    let signed_in = auth::sign_in(&app, client, sign_in).await?;
    Reply::success(&Response {
        token: signed_in.token.expose(),
        expires_in: signed_in.expires_in.as_secs(),
        refresh_token: signed_in.refresh_token.as_ref().map(Token::expose),
    })
}
