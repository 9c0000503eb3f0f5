//! `POST /oauth/revoke`: ends the session of a token (RFC 7009).

pub mod openapi;

use std::sync::Arc;

use serde::Deserialize;
use shared::app::App;
use shared::auth;
use shared::http::body::Empty;
use shared::http::request::{FormBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
struct Body {
    /// A token or a refresh token.
    #[schema(min_length = 1)]
    token: String,
}

/// Whoever holds the token may revoke it: credentials in headers are ignored, and so is `token_type_hint`.
pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body: Body = FormBody::of(&request, SMALL_BODY)?.read()?;
    auth::revoke(&app, &body.token).await?;
    Reply::ok(&Empty {})
}
