//! What the reference says of `POST /user/auth`.

use shared::auth::{AuthError, Policy};
use shared::http::HttpError;
use shared::http::openapi::refusals::limited;
use shared::http::openapi::{Json, Route, example};
use shared::http::problem::Problem;

use crate::{ByEmail, ByUsername, Response};

/// The route, described.
#[must_use]
pub fn route() -> Route {
    Route {
        summary: "Sign in",
        description: "With a username or an email. Credentials in headers are ignored. An identifier or \
            password that no account could have is simply wrong.",
        body: Some(Json::of_either::<ByUsername, ByEmail>(example!({
            "username": "abc@example.com",
            "password": "abc321",
        }))),
        answer: Some(Json::of::<Response<'_>>(example!({
            "user": {
                "id": "6b03f80b55d568306a5d0d6c",
                "username": "abc@example.com",
                "isActive": false,
                "email": "abc@example.com",
                "plan": "free",
                "vendor": null,
            },
            "token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIs...",
        }))),
        refuses: vec![
            HttpError::field("password", Problem::Missing),
            AuthError::InvalidCredentials.into(),
            limited(Policy::SignInAccount),
        ],
        ..Route::post("/user/auth", "signIn")
    }
}
