//! What the reference says of `GET /v1/auth/user`.

use shared::auth::Need;
use shared::domain::Permission;
use shared::http::openapi::{Asks, Route};
use shared::http::profile;

/// The route, described.
#[must_use]
pub fn route() -> Route {
    Route {
        summary: "Read the profile",
        description: "The caller's own account and profile, as they are stored now. A key needs the \
            permission Read.",
        asks: Asks::For(Need::Permission(Permission::Read)),
        answer: Some(profile::openapi::answer()),
        ..Route::get("/v1/auth/user", "getProfile")
    }
}
