//! The API's description: the operations of all endpoints as one OpenAPI document.

use shared::http::openapi::document;

use crate::functions::ENDPOINTS;

/// The text that `make openapi` writes to `docs/openapi.json`.
pub fn text() -> Result<String, serde_json::Error> {
    let endpoints = ENDPOINTS
        .iter()
        .map(|endpoint| (endpoint.method, endpoint.path, (endpoint.operation)()));
    document(endpoints).to_pretty_json()
}
