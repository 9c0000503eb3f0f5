//! The API's description of `DELETE /user/sessions/{id}`.

use shared::auth::AuthError;
use shared::http::body::Empty;
use shared::http::openapi::{Asks, Json, Operation, Parameter, example};

use crate::NEED;

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "End a session",
        description: "Its token is refused from the next request on. If several requests race, exactly \
            one gets 200.",
        parameters: vec![Parameter::in_path::<String>(
            "id",
            "The session's id. One that is not the caller's gets 404.",
        )],
        asks: Asks::For(NEED),
        answer: Some(Json::of::<Empty>(example!({}))),
        refuses: vec![AuthError::NoSession.into()],
        ..Operation::new("endSession")
    }
}
