//! `POST /v1/auth/login`: signs in with a username or email, and starts a session.

pub mod openapi;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::app::App;
use shared::auth::{self, SignIn};
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
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    token: &'a str,
    /// In seconds.
    expires_in: u64,
}

/// `Authorization` is ignored. An API key is optional, but must be live if it is sent.
pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let client = request::client(&request, &app.config.proxies);
    auth::authenticate_key_if_sent(&app, client.source, request::credentials(request.headers()))
        .await?;
    let body: Body = body.read()?;
    let lifetime = app.config.session_lifetime;
    let sign_in = SignIn {
        identifier: Identifier::parse(&body.username),
        password: Password::new(body.password),
        lifetime,
    };
    let signed_in = auth::sign_in(&app, client, sign_in).await?;
    Reply::success(&Response {
        token: signed_in.token.expose(),
        expires_in: lifetime.duration().as_secs(),
    })
}
