//! What the API's description says of `POST /user`.

use shared::auth::Need;
use shared::domain::{Permission, Policy};
use shared::http::HttpError;
use shared::http::openapi::refusals::{limited, taken};
use shared::http::openapi::{Asks, Json, Operation, example};
use shared::http::problem::Problem;
use shared::http::user;

use crate::{Body, Response};

#[must_use]
pub fn operation() -> Operation {
    Operation {
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
            "user": user::example(),
        }))),
        is_counted: true,
        refuses: vec![
            HttpError::field("password", Problem::Missing),
            taken(),
            limited(Policy::SignUpIp),
            limited(Policy::SignUpEmail),
        ],
        ..Operation::new("signUp")
    }
}
