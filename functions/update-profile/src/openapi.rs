//! What the API's description says of `POST /v1/auth/user`.

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
        description: "Field by field: one that is absent stays, `null` clears it. All of an update is made \
            or none of it; racing updates of different fields and settings all survive. What was read can \
            be sent back as it is. A key needs the permission Write.",
        body: Some(profile::openapi::body()),
        max_body: PROFILE_BODY,
        asks: Asks::For(NEED),
        answer: Some(profile::openapi::answer()),
        refuses: vec![HttpError::field("countryCode", Problem::NotACountryCode)],
        ..Operation::new("updateProfile")
    }
}
