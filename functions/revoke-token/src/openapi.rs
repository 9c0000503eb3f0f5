//! The API's description of `POST /oauth/revoke`.

use shared::auth::AuthError;
use shared::http::HttpError;
use shared::http::body::Empty;
use shared::http::openapi::{Json, Operation, example};
use shared::http::problem::Problem;

use crate::Body;

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Revoke a token",
        description: "Ends the session of a token or refresh token (RFC 7009), with all its tokens and refresh tokens. \
            An unknown or expired token also gets 200, and no session ends. Credentials in headers are ignored.",
        body: Some(
            Json::of::<Body>(example!({ "token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIs..." }))
                .as_form(),
        ),
        answer: Some(Json::of::<Empty>(example!({}))),
        refuses: vec![
            HttpError::field("token", Problem::Missing),
            AuthError::UnsupportedToken.into(),
        ],
        ..Operation::new("revokeToken")
    }
}
