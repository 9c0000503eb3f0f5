//! The API's description of `POST /user/forgot-password/reset`.

use shared::auth::AuthError;
use shared::domain::RateLimitPolicy;
use shared::http::body::Empty;
use shared::http::openapi::{Json, Operation, example, limited};

use crate::Body;

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Reset the password",
        description: "The newest code that was mailed works once, for an hour; a refused password leaves \
            it usable. All sessions and API keys end. The email counts as verified. Of racing requests \
            exactly one gets 200.",
        body: Some(Json::of::<Body>(example!({
            "code": "5sKdGjzO0vN8bq3Zc1aYt7xLmPw",
            "password": "abc321",
        }))),
        answer: Some(Json::of::<Empty>(example!({}))),
        refuses: vec![
            AuthError::InvalidCode.into(),
            limited(RateLimitPolicy::CodeIp),
        ],
        ..Operation::new("resetForgottenPassword")
    }
}
