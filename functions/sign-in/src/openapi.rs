//! What the reference says of `POST /user/auth`.

use shared::auth::AuthError;
use shared::domain::Policy;
use shared::http::HttpError;
use shared::http::openapi::refusals::limited;
use shared::http::openapi::{Json, Route, example};
use shared::http::problem::Problem;
use shared::http::user;

use crate::Response;

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
            "user": user::example(),
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

#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what is read by hand")]
struct ByUsername {
    /// A username or an email.
    username: String,
    /// Counts before the username.
    email: Option<String>,
    #[schema(format = Password)]
    password: String,
}

#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what is read by hand")]
struct ByEmail {
    email: String,
    /// Not looked at beside an email.
    username: Option<String>,
    #[schema(format = Password)]
    password: String,
}
