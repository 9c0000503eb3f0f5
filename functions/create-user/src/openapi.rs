//! What the reference says of `POST /user`.

use shared::auth::Need;
use shared::domain::{Permission, Policy};
use shared::http::HttpError;
use shared::http::openapi::refusals::{limited, taken};
use shared::http::openapi::{Asks, Json, Route, example};
use shared::http::problem::Problem;
use shared::http::user;

use crate::Response;

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
            "user": user::example(),
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

/// A new account.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what is read by hand")]
struct Body {
    /// At most 254 bytes, and the domain has a dot: no display name, comment, quotes or domain
    /// literal. International addresses are welcome (RFC 6531).
    #[schema(format = "idn-email", max_length = 254)]
    email: String,
    /// By default the email; one that holds `@` must be. Of the PRECIS profile `UsernameCaseMapped`
    /// (RFC 8265): no spaces, controls or compatibility characters.
    #[schema(min_length = 1, max_length = 128)]
    username: Option<String>,
    /// Any Unicode, from `PASSWORD_MIN_LENGTH` (6) characters to 1024 bytes, taken as it is.
    #[schema(format = Password, min_length = 6, max_length = 1024)]
    password: String,
}
