//! The API's description of `DELETE /user`.

use shared::auth::AuthError;
use shared::domain::RateLimitPolicy;
use shared::http::body::Empty;
use shared::http::openapi::{Asks, Json, Operation, example, limited};

use crate::{Body, NEED};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Delete the account",
        description: "Sign-ins, tokens and API keys are refused from then on, and the email and username \
            are free. The password counts as a sign-in under the account's email, with the same limits.",
        body: Some(Json::of::<Body>(example!({ "password": "abc321" }))),
        asks: Asks::For(NEED),
        answer: Some(Json::of::<Empty>(example!({}))),
        refuses: vec![
            AuthError::InvalidCredentials.into(),
            AuthError::LastAdministrator.into(),
            limited(RateLimitPolicy::SignInAccount),
        ],
        ..Operation::new("deleteUser")
    }
}
