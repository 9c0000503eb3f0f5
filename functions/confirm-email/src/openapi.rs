//! The API's description of `POST /user/verify-email/confirm`.

use shared::auth::AuthError;
use shared::domain::RateLimitPolicy;
use shared::http::body::Empty;
use shared::http::openapi::{Json, Operation, example, limited};

use crate::Body;

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Verify the email",
        description: "`isActive` is true from then on. The same code works again while the address is the \
            account's, for 24 hours.",
        body: Some(Json::of::<Body>(
            example!({ "code": "5sKdGjzO0vN8bq3Zc1aYt7xLmPw" }),
        )),
        answer: Some(Json::of::<Empty>(example!({}))),
        refuses: vec![
            AuthError::InvalidCode.into(),
            limited(RateLimitPolicy::CodeIp),
        ],
        ..Operation::new("confirmEmail")
    }
}
