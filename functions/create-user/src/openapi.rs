//! The API's description of `POST /user`.

use shared::auth::Need;
use shared::domain::{Permission, RateLimitPolicy};
use shared::http::HttpError;
use shared::http::openapi::{Asks, Json, Operation, example, limited, taken};
use shared::http::problem::Problem;

use crate::{Body, Response};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Sign up",
        description: "Creates an account and signs it in. Public within the sign-up limits. If \
            `API_USER_CREATE_SCOPE` is set, the caller's account needs one of those scopes, and no limits \
            apply. An API key needs the permission Create.",
        body: Some(Json::of::<Body>(example!({
            "username": "abc@example.com",
            "email": "abc@example.com",
            "password": "abc321",
            "metadata": {"team": "blue"},
        }))),
        asks: Asks::IfSent(Need::permission(Permission::Create)),
        answer: Some(Json::of::<Response<'_>>(example!({
            "token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIs...",
            "user": {
                "id": "6b03f80b55d568306a5d0d6c",
                "username": "abc@example.com",
                "isActive": false,
                "email": "abc@example.com",
                "plan": "free",
                "vendor": null,
            },
        }))),
        is_counted: true,
        refuses: vec![
            HttpError::field("password", Problem::Missing),
            taken(),
            limited(RateLimitPolicy::SignUpIp),
            limited(RateLimitPolicy::SignUpEmail),
        ],
        ..Operation::new("signUp")
    }
}
