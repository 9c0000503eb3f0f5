//! The API's description of `POST /user/change-username`.

use shared::auth::AuthError;
use shared::domain::RateLimitPolicy;
use shared::http::openapi::{Asks, Json, Operation, example, limited, taken};
use shared::http::user::{CurrentUser, current_user_example};

use crate::{Body, NEED};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Change the username",
        description: "The old name is free at once. The password counts as a sign-in under the account's \
            email, with the same limits. A name that is taken counts as a sign-up from the source.",
        body: Some(Json::of::<Body>(example!({
            "username": "ada",
            "password": "abc321",
        }))),
        asks: Asks::For(NEED),
        answer: Some(Json::of::<CurrentUser<'_>>(current_user_example())),
        refuses: vec![
            taken(),
            AuthError::InvalidCredentials.into(),
            limited(RateLimitPolicy::SignInAccount),
            limited(RateLimitPolicy::SignUpIp),
        ],
        ..Operation::new("changeUsername")
    }
}
