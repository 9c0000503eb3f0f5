//! What the API's description says of `DELETE /v1/api-keys/{id}`.

use shared::auth::AuthError;
use shared::http::openapi::operation::Parameter;
use shared::http::openapi::{Asks, Operation};

use crate::NEED;

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Revoke an API key",
        description: "It is dead at the next request, and is still listed. Revoking it again is a 200. For \
            bearer tokens only.",
        parameter: Some(Parameter {
            name: "id",
            description: "The key's number. One that is none is nobody's.",
        }),
        asks: Asks::For(NEED),
        refuses: vec![AuthError::NoApiKey.into()],
        ..Operation::new("revokeApiKey")
    }
}
