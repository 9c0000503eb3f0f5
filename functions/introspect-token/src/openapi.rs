//! The API's description of `POST /oauth/introspect`.

use shared::http::HttpError;
use shared::http::openapi::{Asks, Json, Operation, example};
use shared::http::problem::Problem;

use crate::{ActiveToken, Body, NEED};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Introspect a token",
        description: "Whether `GET /user` would accept the token at this moment, and its claims (RFC 7662). For anything \
            else, such as a token of an ended session, a refresh token or an API key, the response is `{\"active\":false}`. The caller is \
            an account with the scope `introspect`.",
        body: Some(
            Json::of::<Body>(example!({ "token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIs..." }))
                .as_form(),
        ),
        asks: Asks::For(NEED),
        answer: Some(
            Json::of::<ActiveToken<'_>>(example!({
                "active": true,
                "scope": "user",
                "username": "abc",
                "token_type": "Bearer",
                "exp": 1_800_000_900,
                "iat": 1_800_000_000,
                "auth_time": 1_800_000_000,
                "sub": "5c88c7cc04a917256c726c3d",
                "aud": "latchkey",
                "iss": "latchkey",
                "jti": "019a5d0d6c018f2c3d4e5f607182",
                "sid": "018f2c3d4e5f60718293a4b5c6d7e8f9",
            }))
            .requiring(&["active"]),
        ),
        refuses: vec![HttpError::field("token", Problem::Missing)],
        ..Operation::new("introspectToken")
    }
}
