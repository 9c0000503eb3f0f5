//! `POST /v1/api-keys`: creates an API key for the caller, and returns the full key only here.

pub mod openapi;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::app::App;
use shared::auth::{self, AuthError, Need, NewApiKey};
use shared::domain::{ApiKeyDescription, ApiKeyName, Permissions, Timestamp};
use shared::http::api_key::ApiKeyObject;
use shared::http::problem::Problem;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, InField, Reply, Request};
use utoipa::ToSchema;

const NEED: Need = Need::RECENT_SIGN_IN;

/// The field in which the vendor's client sends the body's fields.
const WRAPPER: &str = "apiKey";

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Body {
    /// 1 to 128 bytes of UTF-8.
    #[schema(min_length = 1, max_length = 128)]
    name: String,
    /// Up to 256 bytes of UTF-8.
    #[schema(max_length = 256)]
    description: Option<String>,
    /// A bit mask: Read 1, Write 2, Delete 4, Create 8.
    // An `Option`, so that an invalid name or description is reported before missing permissions.
    #[schema(value_type = i64, required = true, minimum = 0, maximum = 15)]
    permissions: Option<i64>,
    /// Must be in the future. Without it the key never expires, unless the operator set a maximum
    /// lifetime: no key outlives that, and the response has the date that applies.
    #[schema(format = DateTime)]
    expire_date: Option<String>,
    /// The caller's account id, or absent. An account can create keys only for itself.
    owner_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    api_key: ApiKeyObject<'a>,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let (caller, profile) = request::caller_with_profile(&app, &request, NEED).await?;
    let body: Body = body.read_unwrapped(WRAPPER)?;
    let owner = &caller.account.id;
    if body
        .owner_id
        .as_deref()
        .is_some_and(|id| id != owner.as_str())
    {
        return Err(AuthError::InsufficientScope.into());
    }
    let new = parse(body, app.clock.now())?;
    let created = auth::create_api_key(&app, &caller, profile, new).await?;
    Reply::success(&Response {
        api_key: ApiKeyObject::whole(&created.key, owner, created.plain.expose()),
    })
}

fn parse(body: Body, now: Timestamp) -> Result<NewApiKey, HttpError> {
    let name = ApiKeyName::parse(body.name).in_field("name")?;
    let description = body
        .description
        .map(ApiKeyDescription::parse)
        .transpose()
        .in_field("description")?;
    let permissions = body.permissions.ok_or(HttpError::missing("permissions"))?;
    let permissions = Permissions::from_mask(permissions)
        .ok_or(Problem::NotPermissions)
        .in_field("permissions")?;
    let date = |text: String| Timestamp::parse_rfc3339(&text).ok_or(Problem::NotADate);
    let expires_at = body.expire_date.map(date).transpose();
    let expires_at = expires_at.in_field("expireDate")?;
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
