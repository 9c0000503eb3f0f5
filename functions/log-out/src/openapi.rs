//! What the API's description says of `POST /v1/auth/logout`.

use shared::auth::AuthError;
use shared::http::body::Empty;
use shared::http::openapi::{Asks, Json, Operation, example};

use crate::NEED;

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Log out",
        description: "Ends the token it is called with, on every instance and in both families. A second \
            logout with it is a 401, and of racing ones exactly one is a 200.",
        body: Some(Json::of::<Empty>(example!({}))),
        asks: Asks::For(NEED),
        refuses: vec![AuthError::NoToken.into()],
        ..Operation::new("logOut")
    }
}
