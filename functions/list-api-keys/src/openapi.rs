//! What the reference says of `GET /v1/api-keys`.

use shared::auth::Need;
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
            "apiKeys": [{
                "id": 1,
                "name": "backup",
                "key": "api_IMvD…",
                "clientSecret": null,
                "createdDate": "2026-11-23T08:23:39.391Z",
                "expireDate": null,
                "ownerId": "6b03f80b55d568306a5d0d6c",
                "revoked": false,
                "permissions": 1,
                "description": null,
            }],
        }))),
        ..Route::get("/v1/api-keys", "listApiKeys")
    }
}
