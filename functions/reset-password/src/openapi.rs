//! The API's description of `POST /user/reset-password`.

use shared::auth::AuthError;
use shared::http::body::Empty;
use shared::http::openapi::{Asks, Json, Operation, example};

use crate::{Body, NEED};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Set an account's password",
        description: "For administrators, with a token of a recent sign-in. All sessions of the account end.",
        body: Some(Json::of::<Body>(example!({
            "email": "abc@example.com",
            "password": "abc321",
        }))),
        asks: Asks::For(NEED),
        answer: Some(Json::of::<Empty>(example!({}))),
        refuses: vec![AuthError::NoUser.into()],
        ..Operation::new("resetPassword")
    }
}
