//! What the reference says of `DELETE /v1/api-keys/{id}`.

use shared::auth::{AuthError, Need};
use shared::http::openapi::route::Parameter;
use shared::http::openapi::{Asks, HttpMethod, Route};

/// The route, described.
#[must_use]
pub fn route() -> Route {
    Route {
        summary: "Revoke an API key",
        description: "It is dead at the next request, and is still listed. Revoking it again is a 200. For \
            bearer tokens only.",
        parameter: Some(Parameter {
            name: "id",
            description: "The key's number. One that is none is nobody's.",
        }),
        asks: Asks::For(Need::TokenAlone),
        refuses: vec![AuthError::NoApiKey.into()],
        ..Route::new(HttpMethod::Delete, "/v1/api-keys/{id}", "revokeApiKey")
    }
}
