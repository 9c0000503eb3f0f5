//! What the reference says of `POST /v1/api-keys`.

use shared::auth::{AuthError, Need};
use shared::http::HttpError;
use shared::http::api_key;
use shared::http::openapi::{Asks, Json, Route, example};
use shared::http::problem::Problem;

use crate::Response;

/// The route, described.
#[must_use]
pub fn route() -> Route {
    Route {
        summary: "Make an API key",
        description: "Shown whole this once. An owner has at most 50 live keys. For bearer tokens only.",
        body: Some(Json::of::<Body>(example!({
            "name": "backup",
            "permissions": 1,
        }))),
        asks: Asks::For(Need::TokenAlone),
        answer: Some(Json::of::<Response<'_>>(example!({
            "apiKey": api_key::example("api_IMvDOCHh8lm1FXfB08hy4b8j"),
        }))),
        refuses: vec![
            HttpError::field("permissions", Problem::NotPermissions),
            AuthError::TooManyApiKeys.into(),
        ],
        ..Route::post("/v1/api-keys", "createApiKey")
    }
}

/// A new API key.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what is read by hand")]
#[schema(rename_all = "camelCase")]
struct Body {
    /// 1 to 128 bytes of UTF-8.
    #[schema(min_length = 1, max_length = 128)]
    name: String,
    /// A mask: Read 1, Write 2, Delete 4, Create 8.
    #[schema(minimum = 0, maximum = 15)]
    permissions: i64,
    /// In the future; without it the key does not expire.
    #[schema(format = DateTime)]
    expire_date: Option<String>,
    /// Up to 256 bytes of UTF-8.
    #[schema(max_length = 256)]
    description: Option<String>,
}
