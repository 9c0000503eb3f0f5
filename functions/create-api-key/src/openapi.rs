//! The API's description of `POST /v1/api-keys`.

use shared::auth::AuthError;
use shared::http::HttpError;
use shared::http::api_key;
use shared::http::openapi::{Asks, Json, Operation, example};
use shared::http::problem::Problem;

use crate::{Body, NEED, Response, WRAPPER};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Create an API key",
        description: "Only this response contains the full key. An account has at most 50 live keys. Requires a \
            bearer token of a recent sign-in (RFC 9470), without an API key. The fields may also be sent within \
            `apiKey`; any others beside it are then ignored. An `ownerId` other than the caller's account id \
            gets 403.",
        body: Some(Json::or_wrapped::<Body>(
            ["NewApiKey", "WrappedNewApiKey"],
            WRAPPER,
            example!({
                "name": "backup",
                "permissions": 1,
            }),
        )),
        asks: Asks::For(NEED),
        answer: Some(Json::of::<Response<'_>>(example!({
            "apiKey": api_key::example("api_IMvDOCHh8lm1FXfB08hy4b8j"),
        }))),
        refuses: vec![
            HttpError::field("permissions", Problem::NotPermissions),
            AuthError::InsufficientScope.into(),
            AuthError::TooManyApiKeys.into(),
        ],
        ..Operation::new("createApiKey")
    }
}
