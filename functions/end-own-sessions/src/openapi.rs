//! The API's description of `DELETE /user/sessions`.

use shared::http::body::Empty;
use shared::http::openapi::{Asks, Json, Operation, Parameter, example};

use crate::NEED;

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "End the sessions",
        description: "Ends all sessions of the account at once, however many there are. API keys stay.",
        parameters: vec![Parameter::choice_in_query(
            "except",
            "`current` keeps the session in use.",
            &["current"],
        )],
        asks: Asks::For(NEED),
        answer: Some(Json::of::<Empty>(example!({}))),
        ..Operation::new("endOwnSessions")
    }
}
