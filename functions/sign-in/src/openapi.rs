//! The API's description of `POST /user/auth`.

use shared::auth::AuthError;
use shared::domain::RateLimitPolicy;
use shared::http::HttpError;
use shared::http::openapi::{Json, Operation, example, limited};
use shared::http::problem::Problem;

use crate::{Body, Response};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Sign in",
        description: "By username or email. Credentials in headers are ignored. An identifier or password \
            that no account could have gets the same response as a wrong one. With `refresh` the response has a refresh \
            token, and the token lives for `ACCESS_EXPIRES_IN`.",
        body: Some(Json::with_one_of::<Body>(
            &[("SignInByUsername", "username"), ("SignInByEmail", "email")],
            example!({
                "username": "abc@example.com",
                "password": "abc321",
            }),
        )),
        answer: Some(Json::of::<Response<'_>>(example!({
            "user": {
                "id": "6b03f80b55d568306a5d0d6c",
                "username": "abc@example.com",
                "isActive": false,
                "email": "abc@example.com",
                "plan": "free",
                "vendor": null,
                "scope": ["user"],
            },
            "token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIs...",
        }))),
        refuses: vec![
            HttpError::field("password", Problem::Missing),
            AuthError::InvalidCredentials.into(),
            AuthError::EmailNotVerified.into(),
            limited(RateLimitPolicy::SignInAccount),
        ],
        ..Operation::new("signIn")
    }
}
