//! The API's description: what every endpoint says of itself, as one OpenAPI document.

use shared::http::openapi::{Route, document};
use utoipa::openapi::OpenApi;

/// The description, as it is generated from the code.
#[must_use]
pub fn openapi() -> OpenApi {
    document(routes())
}

/// The same as text: what `make openapi` writes to `docs/openapi.json`.
pub fn text() -> Result<String, serde_json::Error> {
    openapi().to_pretty_json()
}

/// Every route, in the order a reader wants them.
fn routes() -> Vec<Route> {
    vec![
        create_user::openapi::route(),
        sign_in::openapi::route(),
        get_user::openapi::route(),
        log_in::openapi::route(),
        log_out::openapi::route(),
        get_profile::openapi::route(),
        update_profile::openapi::route(),
        create_api_key::openapi::route(),
        list_api_keys::openapi::route(),
        revoke_api_key::openapi::route(),
    ]
}
