//! What the reference says of `GET /v1/api-keys`.

use shared::auth::Need;
use shared::http::api_key;
use shared::http::openapi::{Asks, Json, Route, example};

use crate::Response;

/// The route, described.
#[must_use]
pub fn route() -> Route {
    Route {
        summary: "List API keys",
        description: "The caller's keys, masked: the live ones, and the 50 that died last. For bearer \
            tokens only.",
        asks: Asks::For(Need::TokenAlone),
        answer: Some(Json::of::<Response<'_>>(example!({
            "apiKeys": [api_key::example("api_IMvD…")],
        }))),
        ..Route::get("/v1/api-keys", "listApiKeys")
    }
}
