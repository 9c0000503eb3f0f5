//! The API's description of `POST /v1/auth/user`.

use shared::http::HttpError;
use shared::http::openapi::{Asks, Operation};
use shared::http::problem::Problem;
use shared::http::profile;
use shared::http::request::PROFILE_BODY;

use crate::NEED;

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Change the profile",
        description: "An absent field stays unchanged; `null` clears it. An update is atomic. Concurrent \
            updates of different fields and settings are all kept. A response can be sent back as a \
            request. An API key needs the permission Write.",
        body: Some(profile::openapi::body()),
        max_body: PROFILE_BODY,
        asks: Asks::For(NEED),
        answer: Some(profile::openapi::answer()),
        refuses: vec![HttpError::field("countryCode", Problem::NotACountryCode)],
        ..Operation::new("updateProfile")
    }
}
