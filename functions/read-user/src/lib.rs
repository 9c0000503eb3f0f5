//! `GET /users/{id}`: reads any account, for administrators.

pub mod openapi;

use std::sync::Arc;

use shared::app::App;
use shared::auth::{self, AuthError, Need};
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::user::ManagedUser;
use shared::http::{HttpError, Reply, Request};

const NEED: Need = Need::ADMIN_TO_READ;

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    request::caller(&app, &request, NEED).await?;
    body.read::<Empty>()?;
    let id = request::path_text(&request, "id").ok_or(AuthError::NoUser)?;
    let account = auth::read_account(&app, id).await?;
    Reply::ok(&ManagedUser::of(&account))
}
