//! What the reference says of `POST /user`.

use shared::auth::{Need, Policy};
use shared::domain::Permission;
use shared::http::HttpError;
use shared::http::openapi::refusals::{limited, taken};
use shared::http::openapi::{Asks, Json, Route, example};
use shared::http::problem::Problem;

use crate::{Body, Response};

/// The route, described.
#[must_use]
pub fn route() -> Route {
    Route {
        summary: "Sign up",
        description: "Makes an account, and signs it in. Open to anybody within the sign-up limits. With \
            `API_USER_CREATE_SCOPE` set, credentials whose account has one of those scopes are required, \
            and no limits apply. A key needs the permission Create.",
        body: Some(Json::of::<Body>(example!({
            "username": "abc@example.com",
            "email": "abc@example.com",
            "password": "abc321",
        }))),
        asks: Asks::IfSent(Need::Permission(Permission::Create)),
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
            limited(Policy::SignUpIp),
            limited(Policy::SignUpEmail),
        ],
        ..Route::post("/user", "signUp")
    }
}
