//! The API's description of `GET /user/sessions`.

use shared::http::openapi::{Asks, Json, Operation, example};

use crate::{NEED, Session};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "List the sessions",
        description: "The newest 100 live sessions of the account, newest first.",
        asks: Asks::For(NEED),
        answer: Some(Json::of::<Vec<Session<'_>>>(example!([{
            "id": "01a000000000000000000000000000ff",
            "created": "2026-11-23T08:23:39.391Z",
            "lastRefreshed": "2026-11-23T08:23:39.391Z",
            "ip": "192.0.2.1",
            "userAgent": "curl/8.5.0",
            "current": true,
        }]))),
        ..Operation::new("listSessions")
    }
}
