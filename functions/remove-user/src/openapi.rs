//! The API's description of `DELETE /users/{id}`.

use shared::auth::AuthError;
use shared::http::openapi::{Asks, Json, Operation, Parameter, example};

use crate::{NEED, Removed};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Delete an account",
        description: "For administrators. Needs a token of a recent sign-in; API keys are refused. The \
            account's tokens and API keys are dead, and its email and username free, at once. Its profile, keys and \
            sessions are deleted behind the response; the ticket tells how far that is. The owner is told \
            by mail.",
        parameters: vec![Parameter::in_path::<String>("id", "The account's id.")],
        asks: Asks::For(NEED),
        answer: Some(Json::of::<Removed>(example!({
            "ticket": "a3b8f042-1e16-4f0a-a8f0-421e16df0a1b",
        }))),
        refuses: vec![
            AuthError::NoUser.into(),
            AuthError::LastAdministrator.into(),
        ],
        ..Operation::new("removeUser")
    }
}
