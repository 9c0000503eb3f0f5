//! The API's description of `POST /v1/auth/user`.

use shared::domain::RateLimitPolicy;
use shared::http::HttpError;
use shared::http::openapi::{Asks, Operation, limited};
use shared::http::problem::Problem;
use shared::http::profile;
use shared::http::request::PROFILE_BODY;

use crate::NEED;

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Change the profile",
        description: "An absent field stays unchanged; `null` clears it. Concurrent updates of \
            different fields and settings are all kept. An update of at most 90 settings is atomic. A larger one is \
            written in steps of 90 settings, each atomic: after a 503, read the profile before you send the rest. \
            An account has 60 updates a minute. A response can be sent back as a \
            request. An API key needs the permission Write.",
        body: Some(profile::openapi::body()),
        max_body: Some(PROFILE_BODY),
        asks: Asks::For(NEED),
        answer: Some(profile::openapi::answer()),
        refuses: vec![
            HttpError::field("countryCode", Problem::NotACountryCode),
            limited(RateLimitPolicy::ProfileUpdate),
        ],
        ..Operation::new("updateProfile")
    }
}
