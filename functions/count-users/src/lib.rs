//! `GET /users/count`: counts accounts, for administrators.

pub mod openapi;

use std::sync::Arc;

use serde::Serialize;
use shared::app::App;
use shared::auth::{self, Need};
use shared::http::account_filter::account_filter;
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};
use utoipa::ToSchema;

const NEED: Need = Need::ADMIN_TO_READ;

#[derive(Serialize, ToSchema)]
struct Response {
    count: u64,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    request::caller(&app, &request, NEED).await?;
    body.read::<Empty>()?;
    let filter = account_filter(&request)?;
    let count = auth::count_accounts(&app, &filter).await?;
    Reply::ok(&Response { count })
}
