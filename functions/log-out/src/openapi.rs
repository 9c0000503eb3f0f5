//! What the reference says of `POST /v1/auth/logout`.

use shared::auth::{AuthError, Need};
use shared::http::openapi::{Asks, Json, Route};

/// The route, described.
#[must_use]
pub fn route() -> Route {
    Route {
        summary: "Log out",
        description: "Ends the token it is called with, on every instance and in both families. A second \
            logout with it is a 401, and of racing ones exactly one is a 200.",
        body: Some(Json::empty()),
        asks: Asks::For(Need::Nothing),
        refuses: vec![AuthError::NoToken.into()],
        ..Route::post("/v1/auth/logout", "logOut")
    }
}
