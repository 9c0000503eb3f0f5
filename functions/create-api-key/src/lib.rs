//! `POST /v1/api-keys`: makes an API key of the caller's, and shows it whole this once.

#[cfg(feature = "openapi")]
pub mod openapi;

use std::sync::Arc;

use serde::Serialize;
use shared::app::App;
use shared::auth::{self, Need, NewApiKey};
use shared::domain::{ApiKeyDescription, ApiKeyName, Permissions, Timestamp};
use shared::http::api_key::ApiKeyObject;
use shared::http::object::Object;
use shared::http::problem::Problem;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct Response<'a> {
    api_key: ApiKeyObject<'a>,
}

/// Answers `POST /v1/api-keys`.
pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let (caller, profile) = request::caller_with_profile(&app, &request, Need::TokenAlone).await?;
    let new = parse(body.object()?, app.clock.now())?;
    let created = auth::create_api_key(&app, &caller, profile, new).await?;
    let owner = &caller.account.id;
    Reply::success(&Response {
        api_key: ApiKeyObject::whole(&created.key, owner, created.plain.expose()),
    })
}

fn parse(mut body: Object, now: Timestamp) -> Result<NewApiKey, HttpError> {
    let name = ApiKeyName::parse(body.string("name")?)
        .map_err(|invalid| HttpError::field("name", invalid))?;
    let description = body
        .optional_string("description")?
        .map(ApiKeyDescription::parse)
        .transpose()
        .map_err(|invalid| HttpError::field("description", invalid))?;
    let permissions = Permissions::from_mask(body.integer("permissions")?)
        .ok_or_else(|| HttpError::field("permissions", Problem::NotPermissions))?;
    let expires_at = match body.optional_string("expireDate")? {
        None => None,
        Some(date) => Some(
            Timestamp::parse_rfc3339(&date)
                .ok_or_else(|| HttpError::field("expireDate", Problem::NotADate))?,
        ),
    };
    if expires_at.is_some_and(|expiry| expiry <= now) {
        return Err(HttpError::field("expireDate", Problem::NotInTheFuture));
    }
    Ok(NewApiKey {
        name,
        description,
        permissions,
        expires_at,
    })
}
