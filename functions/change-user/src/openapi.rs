//! The API's description of `PUT /users/{id}`.

use shared::auth::AuthError;
use shared::http::openapi::{Asks, Json, Operation, Parameter, example};
use shared::http::user::{ManagedUser, managed_user_example};

use crate::{Body, NEED};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Change an account",
        description: "For administrators, with a token of a recent sign-in. What is absent or null stays. \
            All changes of a request are made, or none.",
        parameters: vec![Parameter::in_path::<String>("id", "The account's id.")],
        body: Some(Json::of::<Body>(example!({
            "username": "ada",
            "email": "ada@example.com",
            "password": "abc321",
            "scope": ["user"],
            "vendor": ["acme"],
            "disabled": false,
            "metadata": {"team": "blue"},
        }))),
        asks: Asks::For(NEED),
        answer: Some(Json::of::<ManagedUser<'_>>(managed_user_example())),
        refuses: vec![
            AuthError::NoUser.into(),
            AuthError::taken().into(),
            AuthError::LastAdministrator.into(),
        ],
        ..Operation::new("changeUser")
    }
}
