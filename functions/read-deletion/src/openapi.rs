//! The API's description of `GET /users/{id}/delete-status/{ticket}`.

use shared::auth::AuthError;
use shared::http::openapi::{Asks, Json, Operation, Parameter, example};

use crate::{NEED, Progress};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Read how far a deletion is",
        description: "For administrators. An API key needs the permission Read. A ticket tells of its \
            deletion for a day. `failed` means that not all was deleted within twelve hours, and that an \
            alarm was raised.",
        parameters: vec![
            Parameter::in_path::<String>("id", "The deleted account's id."),
            Parameter::in_path::<String>("ticket", "What `DELETE /users/{id}` returned."),
        ],
        asks: Asks::For(NEED),
        answer: Some(Json::of::<Progress>(example!({
            "status": "completed",
            "stepsDone": 2,
            "stepsTotal": 2,
        }))),
        refuses: vec![AuthError::NoTicket.into()],
        ..Operation::new("readDeletion")
    }
}
