//! The API's description of `GET /user`.

use shared::http::openapi::{Asks, Json, Operation, example};
use shared::http::user::{CurrentUser, current_user_example};

use crate::NEED;

#[must_use]
pub fn operation() -> Operation {
    let mut example = current_user_example();
    if let Some(fields) = example.as_object_mut() {
        fields.insert("metadata".to_owned(), example!({"team": "blue"}));
    }
    Operation {
        summary: "Read the account",
        description: "The caller's account as stored now. An API key needs the permission Read.",
        asks: Asks::For(NEED),
        answer: Some(Json::of::<CurrentUser<'_>>(example)),
        ..Operation::new("getUser")
    }
}
