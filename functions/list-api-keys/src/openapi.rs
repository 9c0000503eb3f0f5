//! The API's description of `GET /v1/api-keys`.

use shared::http::api_key;
use shared::http::openapi::{Asks, Json, Operation, example};

use crate::{NEED, Response};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "List API keys",
        description: "The caller's keys, masked: all live keys, and the 50 that expired or were revoked \
            last. Requires a bearer token, without an API key.",
        asks: Asks::For(NEED),
        answer: Some(Json::of::<Response<'_>>(example!({
            "apiKeys": [api_key::example("api_IMvD…")],
        }))),
        ..Operation::new("listApiKeys")
    }
}
