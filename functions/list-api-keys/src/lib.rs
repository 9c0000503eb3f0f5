//! `GET /v1/api-keys`: lists the caller's API keys, masked.

pub mod openapi;

use std::sync::Arc;

use serde::Serialize;
use shared::app::App;
use shared::auth::Need;
use shared::http::api_key::ApiKeyObject;
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};
use utoipa::ToSchema;

const NEED: Need = Need::TOKEN_ALONE;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    api_keys: Vec<ApiKeyObject<'a>>,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let (caller, profile) = request::caller_with_profile(&app, &request, NEED).await?;
    body.read::<Empty>()?;
    let listed = profile.listed_api_keys(app.clock.now()).into_values();
    Reply::success(&Response {
        api_keys: listed
            .map(|key| ApiKeyObject::masked(key, &caller.account.id))
            .collect(),
    })
}
