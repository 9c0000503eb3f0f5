//! `POST /user/change-password`: changes the caller's password.

pub mod openapi;

use std::sync::Arc;

use serde::Deserialize;
use shared::app::App;
use shared::auth::{self, AuthError, Need, WithApiKeys};
use shared::domain::Password;
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};
use utoipa::ToSchema;

const NEED: Need = Need::TOKEN_ALONE;

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[schema(format = Password)]
    old_password: String,
    /// Any Unicode, from `PASSWORD_MIN_LENGTH` (6) characters to 1024 bytes, used exactly as sent.
    #[schema(format = Password, min_length = 6, max_length = 1024)]
    new_password: String,
    /// Whether the API keys end too. False if absent.
    revoke_api_keys: Option<bool>,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let caller = request::caller(&app, &request, NEED).await?;
    let body: Body = body.read()?;
    let proof = request::proof(&app, &request, body.old_password);
    let new = Password::new(body.new_password);
    let with_api_keys = WithApiKeys::asked(body.revoke_api_keys.unwrap_or_default());
    auth::change_password(&app, &caller, proof, new, with_api_keys)
        .await
        .map_err(|error| match error {
            AuthError::InvalidPassword(invalid) => HttpError::field("newPassword", invalid),
            error => error.into(),
        })?;
    Reply::ok(&Empty {})
}
