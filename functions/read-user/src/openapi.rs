//! The API's description of `GET /users/{id}`.

use shared::auth::AuthError;
use shared::http::openapi::{Asks, Json, Operation, Parameter};
use shared::http::user::{ManagedUser, managed_user_example};

use crate::NEED;

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Read an account",
        description: "For administrators. An API key needs the permission Read.",
        parameters: vec![Parameter::in_path::<String>("id", "The account's id.")],
        asks: Asks::For(NEED),
        answer: Some(Json::of::<ManagedUser<'_>>(managed_user_example())),
        refuses: vec![AuthError::NoUser.into()],
        ..Operation::new("readUser")
    }
}
