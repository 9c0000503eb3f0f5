//! The API's description of `POST /v1/auth/logout`.

use shared::auth::AuthError;
use shared::http::body::Empty;
use shared::http::openapi::{Asks, Json, Operation, example};

use crate::NEED;

#[must_use]
pub fn operation() -> Operation {
    Operation {
        summary: "Log out",
        description: "Revokes the token of the request, on every instance and in all families. A second \
            logout with it gets 401. If several race, exactly one gets 200.",
        body: Some(Json::of::<Empty>(example!({}))),
        asks: Asks::For(NEED),
        refuses: vec![AuthError::NoToken.into()],
        ..Operation::new("logOut")
    }
}
