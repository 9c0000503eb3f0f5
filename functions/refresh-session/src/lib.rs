//! `POST /v1/auth/refresh`: a new token and a new refresh token for a refresh token.

pub mod openapi;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::app::App;
use shared::auth;
use shared::http::request::{JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Body {
    refresh_token: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    token: &'a str,
    /// In seconds.
    expires_in: u64,
    refresh_token: &'a str,
}

/// Credentials in headers are ignored.
pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body: Body = JsonBody::of(&request, SMALL_BODY)?.read()?;
    let refreshed = auth::refresh(&app, &body.refresh_token).await?;
    Reply::success(&Response {
        token: refreshed.token.expose(),
        expires_in: refreshed.expires_in.as_secs(),
        refresh_token: refreshed.refresh_token.expose(),
    })
}
