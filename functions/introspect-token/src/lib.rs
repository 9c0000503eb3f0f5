//! `POST /oauth/introspect`: whether a token is active, and its claims (RFC 7662).

pub mod openapi;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::app::App;
use shared::auth::{self, LiveToken, Need};
use shared::http::request::{FormBody, SMALL_BODY, caller};
use shared::http::{HttpError, Reply, Request};
use utoipa::ToSchema;

const NEED: Need = Need::INTROSPECT;

#[derive(Deserialize, ToSchema)]
struct Body {
    #[schema(min_length = 1)]
    token: String,
}

/// RFC 7662 section 2.2, and RFC 9470 section 6.2 for `auth_time`. Times are in seconds since 1970.
#[derive(Serialize, ToSchema)]
struct ActiveToken<'a> {
    active: bool,
    /// The account's scopes now, separated by spaces. Absent if it has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    /// The account's username now.
    username: &'a str,
    token_type: &'static str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    /// The account's id.
    sub: &'a str,
    aud: &'a str,
    iss: &'a str,
    jti: &'a str,
    /// The session.
    sid: &'a str,
}

#[derive(Serialize)]
struct InactiveToken {
    active: bool,
}

/// `token_type_hint` is ignored. Caller and token are read at the same time, which takes one round trip less.
pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = FormBody::of(&request, SMALL_BODY)?.read::<Body>();
    let token = body.as_ref().map_or("", |body| &body.token);
    let introspected = auth::introspect(&app, token);
    let (caller, introspected) = tokio::join!(caller(&app, &request, NEED), introspected);
    caller?;
    body?;
    match introspected? {
        Some(token) => Reply::ok(&active(&app, &token)),
        None => Reply::ok(&InactiveToken { active: false }),
    }
}

fn active<'a>(app: &'a App, token: &'a LiveToken) -> ActiveToken<'a> {
    let LiveToken { claims, account } = token;
    ActiveToken {
        active: true,
        scope: account.scopes.joined(),
        username: &account.username,
        token_type: "Bearer",
        exp: claims.expires_at.secs(),
        iat: claims.issued_at.secs(),
        auth_time: claims.authenticated_at.secs(),
        sub: account.id.as_str(),
        aud: &app.config.audience,
        iss: &claims.issuer,
        jti: &claims.id,
        sid: &claims.session,
    }
}
