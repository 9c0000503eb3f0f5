//! What the API's description says of `GET /v1/api-keys`.

use shared::http::api_key;
use shared::http::openapi::{Asks, Json, Operation, example};

use crate::{NEED, Response};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "List API keys",
        description: "The caller's keys, masked: the live ones, and the 50 that died last. For bearer \
            tokens only.",
        asks: Asks::For(NEED),
        answer: Some(Json::of::<Response<'_>>(example!({
            "apiKeys": [api_key::example("api_IMvD…")],
        }))),
        ..Operation::new("listApiKeys")
    }
}
