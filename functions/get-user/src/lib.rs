//! `GET /user`: returns the caller's account as stored now.

pub mod openapi;

use std::sync::Arc;

use serde::Serialize;
use shared::app::App;
use shared::auth::Need;
use shared::domain::Permission;
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};
use utoipa::ToSchema;

const NEED: Need = Need::Permission(Permission::Read);

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    id: &'a str,
    username: &'a str,
    is_active: bool,
    email: &'a str,
    scope: Vec<&'a str>,
    plan: &'a str,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let caller = request::caller(&app, &request, NEED).await?;
    body.read::<Empty>()?;
    let account = &caller.account;
    Reply::ok(&Response {
        id: account.id.as_str(),
        username: &account.username,
        is_active: account.is_active,
        email: &account.email,
        scope: account.scopes.iter().collect(),
        plan: &account.plan,
    })
}
