//! What the API's description says of `GET /v1/auth/user`.

use shared::http::openapi::{Asks, Operation};
use shared::http::profile;

use crate::NEED;

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Read the profile",
        description: "The caller's own account and profile, as they are stored now. A key needs the \
            permission Read.",
        asks: Asks::For(NEED),
        answer: Some(profile::openapi::answer()),
        ..Operation::new("getProfile")
    }
}
