//! The API's description of `POST /user/verify-email`.

use shared::http::body::Empty;
use shared::http::openapi::{Asks, Json, Operation, example};

use crate::NEED;

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Ask for a code to verify the email",
        description: "Mails a code, which works for 24 hours, unless the email is verified. A new account \
            gets one without asking. Mails beyond 5 an hour for an address, or 20 an hour from a source, \
            are not sent; the response is the same.",
        body: Some(Json::of::<Empty>(example!({}))),
        asks: Asks::For(NEED),
        answer: Some(Json::of::<Empty>(example!({}))),
        ..Operation::new("verifyEmail")
    }
}
