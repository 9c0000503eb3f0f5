//! `GET /user`: returns the caller's account as stored now.

pub mod openapi;

use std::sync::Arc;

use shared::app::App;
use shared::auth::Need;
use shared::domain::Permission;
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::user::CurrentUser;
use shared::http::{HttpError, Reply, Request};

const NEED: Need = Need::permission(Permission::Read);

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let (caller, metadata) = request::caller_with_metadata(&app, &request, NEED).await?;
    body.read::<Empty>()?;
    Reply::ok(&CurrentUser::of(&caller.account).with_metadata(metadata.as_ref()))
}
