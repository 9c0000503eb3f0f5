//! The API's description of `GET /user`.

use shared::http::openapi::{Asks, Json, Operation, example};

use crate::{NEED, Response};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Read the account",
        description: "The caller's account as stored now. An API key needs the permission Read.",
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
