//! The API's description of `POST /user/forgot-password`.

use shared::http::body::Empty;
use shared::http::openapi::{Json, Operation, example};

use crate::Body;

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Ask for a code to reset the password",
        description: "Mails a code, which works for an hour and once, to the address as the account has \
            it. The response is the same whether or not an account has the email. Mails beyond 5 an hour \
            for an address, or 20 an hour from a source, are not sent; the response is the same.",
        body: Some(Json::of::<Body>(example!({ "email": "abc@example.com" }))),
        answer: Some(Json::of::<Empty>(example!({}))),
        ..Operation::new("forgotPassword")
    }
}
