//! The API's description of `GET /v1/auth/user`.

use shared::http::openapi::{Asks, Operation};
use shared::http::profile;

use crate::NEED;

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Read the profile",
        description: "The caller's account and profile as stored now. An API key needs the permission Read.",
        asks: Asks::For(NEED),
        answer: Some(profile::openapi::answer()),
        ..Operation::new("getProfile")
    }
}
