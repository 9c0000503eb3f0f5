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
            "id": "019ab2f6c1d2a3b4c5d6e7f80912a3b4",
            "created": "2026-11-23T08:23:39.391Z",
            "lastRefreshed": "2026-11-23T08:23:39.391Z",
            "ip": "192.0.2.1",
            "userAgent": "curl/8.5.0",
            "current": true,
        }]))),
        ..Operation::new("listSessions")
    }
}
