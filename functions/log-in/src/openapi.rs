//! What the API's description says of `POST /v1/auth/login`.

use shared::auth::AuthError;
use shared::domain::Policy;
use shared::http::HttpError;
use shared::http::openapi::refusals::limited;
use shared::http::openapi::{Asks, Json, Operation, example};
use shared::http::problem::Problem;

use crate::{Body, Response};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Log in",
        description: "With a username or an email, for a session. `Authorization` is ignored; an API key \
            need not be sent, and must be a live one, of anybody, if it is.",
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
            limited(Policy::SignInAccount),
        ],
        ..Operation::new("logIn")
    }
}
