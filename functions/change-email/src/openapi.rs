//! The API's description of `POST /user/change-email`.

use shared::auth::AuthError;
use shared::domain::RateLimitPolicy;
use shared::http::body::Empty;
use shared::http::openapi::{Asks, Json, Operation, example, limited};

use crate::{Body, NEED};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Ask for another email",
        description: "Mails a code, which works for an hour and once, to the new address, and a notice to \
            the old one. The response is the same whether or not the new address is taken. The password \
            counts as a sign-in under the account's email, with the same limits. Mails beyond 5 an hour for \
            an address, or 20 an hour from a source, are not sent; the response is the same.",
        body: Some(Json::of::<Body>(example!({
            "email": "def@example.com",
            "password": "abc321",
        }))),
        asks: Asks::For(NEED),
        answer: Some(Json::of::<Empty>(example!({}))),
        refuses: vec![
            AuthError::InvalidCredentials.into(),
            limited(RateLimitPolicy::SignInAccount),
        ],
        ..Operation::new("changeEmail")
    }
}
