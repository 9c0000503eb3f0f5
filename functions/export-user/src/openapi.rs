//! The API's description of `GET /user/export`.

use shared::http::openapi::{Asks, Json, Operation, example};
use shared::http::profile::openapi::example as profile_example;
use shared::http::user::managed_user_example;

use crate::{NEED, Response};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Export the account",
        description: "What is stored of the account: the profile, the API keys, masked, and the newest 1000 \
            sessions. Needs a token of a recent sign-in.",
        asks: Asks::For(NEED),
        answer: Some(Json::of::<Response<'_>>(example!({
            "exported": "2026-11-23T09:00:00.000Z",
            "account": managed_user_example(),
            "expires": "2026-11-30T08:23:40Z",
            "profile": profile_example(),
            "sessions": [{
                "id": "01a000000000000000000000000000ff",
                "created": "2026-11-23T08:23:39.391Z",
                "lastRefreshed": "2026-11-23T08:23:39.391Z",
                "expires": "2026-12-23T08:23:39.391Z",
                "ip": "192.0.2.1",
                "userAgent": "curl/8.5.0",
                "live": true,
            }],
        }))),
        ..Operation::new("exportUser")
    }
}
