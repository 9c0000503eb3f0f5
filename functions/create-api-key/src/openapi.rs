//! The API's description of `POST /v1/api-keys`.

use shared::auth::AuthError;
use shared::http::HttpError;
use shared::http::api_key;
use shared::http::openapi::{Asks, Json, Operation, example};
use shared::http::problem::Problem;

use crate::{Body, NEED, Response};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Create an API key",
        description: "Only this response contains the full key. An account has at most 50 live keys. Requires a \
            bearer token of a recent sign-in (RFC 9470), without an API key.",
        body: Some(Json::of::<Body>(example!({
            "name": "backup",
            "permissions": 1,
        }))),
        asks: Asks::For(NEED),
        answer: Some(Json::of::<Response<'_>>(example!({
            "apiKey": api_key::example("api_IMvDOCHh8lm1FXfB08hy4b8j"),
        }))),
        refuses: vec![
            HttpError::field("permissions", Problem::NotPermissions),
            AuthError::TooManyApiKeys.into(),
        ],
        ..Operation::new("createApiKey")
    }
}
