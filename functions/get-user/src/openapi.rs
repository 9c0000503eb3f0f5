//! The API's description of `GET /user`.

use shared::http::openapi::{Asks, Json, Operation};
use shared::http::user::{CurrentUser, current_user_example};

use crate::NEED;

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Read the account",
        description: "The caller's account as stored now. An API key needs the permission Read.",
        asks: Asks::For(NEED),
        answer: Some(Json::of::<CurrentUser<'_>>(current_user_example())),
        ..Operation::new("getUser")
    }
}
