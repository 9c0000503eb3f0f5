//! The API's description of `POST /v1/auth/refresh`.

use shared::auth::{AuthError, Denial};
use shared::http::HttpError;
use shared::http::openapi::{Json, Operation, example};
use shared::http::problem::Problem;

use crate::{Body, Response};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Refresh a session",
        description: "Exchanges a refresh token for a new token and a new refresh token. Within \
            `REFRESH_GRACE` (10 seconds) of its use a refresh token gives its successor again, unless that was used already. After \
            that it ends the session, because two parties may have it. Credentials in headers are ignored.",
        body: Some(Json::of::<Body>(example!({
            "refreshToken": "refresh_6b03f80b55d568306a5d0d6c.019a...",
        }))),
        answer: Some(Json::of::<Response<'_>>(example!({
            "token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIs...",
            "expiresIn": 900,
            "refreshToken": "refresh_6b03f80b55d568306a5d0d6c.019a...",
        }))),
        refuses: vec![
            HttpError::field("refreshToken", Problem::Missing),
            Denial::RefreshToken.into(),
            AuthError::EmailNotVerified.into(),
        ],
        ..Operation::new("refreshSession")
    }
}
