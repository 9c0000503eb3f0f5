//! What the API's description says of `GET /v1/auth/user`.

use shared::auth::Need;
use shared::domain::Permission;
use shared::http::openapi::{Asks, Operation};
use shared::http::profile;

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Read the profile",
        description: "The caller's own account and profile, as they are stored now. A key needs the \
            permission Read.",
        asks: Asks::For(Need::Permission(Permission::Read)),
        answer: Some(profile::openapi::answer()),
        ..Operation::new("getProfile")
    }
}
