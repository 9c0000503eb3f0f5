//! The API's description of `GET /users/count`.

use shared::http::account_filter;
use shared::http::openapi::{Asks, Json, Operation, example};

use crate::{NEED, Response};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Count accounts",
        description: "For administrators. An API key needs the permission Read. The count is exact. Where \
            counting takes longer than a request may, the answer is 503.",
        parameters: account_filter::parameters(),
        asks: Asks::For(NEED),
        answer: Some(Json::of::<Response>(example!({ "count": 1 }))),
        ..Operation::new("countUsers")
    }
}
