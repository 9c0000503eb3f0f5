//! The API's description of `POST /user/change-email/confirm`.

use shared::auth::AuthError;
use shared::domain::RateLimitPolicy;
use shared::http::openapi::{Asks, Json, Operation, example, limited, taken};
use shared::http::user::{CurrentUser, current_user_example};

use crate::{Body, NEED};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Confirm another email",
        description: "The code works for the account that asked for it. The email changes and is verified, \
            and with it a username that is the email.",
        body: Some(Json::of::<Body>(
            example!({ "code": "5sKdGjzO0vN8bq3Zc1aYt7xLmPw" }),
        )),
        asks: Asks::For(NEED),
        answer: Some(Json::of::<CurrentUser<'_>>(current_user_example())),
        refuses: vec![
            taken(),
            AuthError::InvalidCode.into(),
            limited(RateLimitPolicy::CodeIp),
        ],
        ..Operation::new("confirmNewEmail")
    }
}
