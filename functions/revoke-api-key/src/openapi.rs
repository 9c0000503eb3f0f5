//! The API's description of `DELETE /v1/api-keys/{id}`.

use shared::auth::AuthError;
use shared::http::openapi::{Asks, Operation, Parameter};

use crate::NEED;

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Revoke an API key",
        description: "The key is refused from the next request on, and stays listed. Revoking it again \
            gets 200. Requires a bearer token, without an API key.",
        parameters: vec![Parameter::in_path::<u64>(
            "id",
            "The key's number. Anything else gets 404.",
        )],
        asks: Asks::For(NEED),
        refuses: vec![AuthError::NoApiKey.into()],
        ..Operation::new("revokeApiKey")
    }
}
