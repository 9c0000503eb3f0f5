//! What the API's description says of `GET /user`.

use shared::http::openapi::{Asks, Json, Operation, example};

use crate::{NEED, Response};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Ask who one is",
        description: "The caller's own account, as it is stored now. A key needs the permission Read.",
        asks: Asks::For(NEED),
        answer: Some(Json::of::<Response<'_>>(example!({
            "id": "6b03f80b55d568306a5d0d6c",
            "username": "abc@example.com",
            "isActive": false,
            "email": "abc@example.com",
            "scope": ["user"],
            "plan": "free",
        }))),
        ..Operation::new("getUser")
    }
}
