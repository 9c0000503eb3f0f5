//! The API's description of `POST /v1/auth/login`.

use shared::auth::AuthError;
use shared::domain::RateLimitPolicy;
use shared::http::HttpError;
use shared::http::openapi::{Asks, Json, Operation, example, limited};
use shared::http::problem::Problem;

use crate::{Body, Response};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Log in",
        description: "Starts a session, by username or email. `Authorization` is ignored. An API key is \
            optional; if it is sent, it must be a live key of any account. With `refresh` the response has a refresh token, \
            and the token lives for `ACCESS_EXPIRES_IN`.",
        body: Some(Json::of::<Body>(example!({
            "username": "abc@example.com",
            "password": "abc321",
        }))),
        asks: Asks::LiveKeyIfSent,
        answer: Some(Json::of::<Response<'_>>(example!({
            "token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIs...",
            "expiresIn": 1800,
        }))),
        refuses: vec![
            HttpError::field("password", Problem::Missing),
            AuthError::InvalidCredentials.into(),
            limited(RateLimitPolicy::SignInAccount),
        ],
        ..Operation::new("logIn")
    }
}
