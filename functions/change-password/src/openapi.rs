//! The API's description of `POST /user/change-password`.

use shared::auth::AuthError;
use shared::domain::RateLimitPolicy;
use shared::http::body::Empty;
use shared::http::openapi::{Asks, Json, Operation, example, limited};

use crate::{Body, NEED};

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Change the password",
        description: "All other sessions end at once; the one in use goes on. The old password counts as \
            a sign-in under the account's email, with the same limits.",
        body: Some(Json::of::<Body>(example!({
            "oldPassword": "abc321",
            "newPassword": "abc322",
            "revokeApiKeys": false,
        }))),
        asks: Asks::For(NEED),
        answer: Some(Json::of::<Empty>(example!({}))),
        refuses: vec![
            AuthError::InvalidCredentials.into(),
            limited(RateLimitPolicy::SignInAccount),
        ],
        ..Operation::new("changePassword")
    }
}
