//! `DELETE /users/{id}`: deletes any account, for administrators. What else belonged to it is deleted behind
//! the response.

pub mod openapi;

use std::sync::Arc;

use serde::Serialize;
use shared::app::App;
use shared::auth::{self, AuthError, Need};
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};
use utoipa::ToSchema;

const NEED: Need = Need::ADMIN_TO_CHANGE;

#[derive(Serialize, ToSchema)]
struct Removed {
    /// Tells of the progress for a day, by `GET /users/{id}/delete-status/{ticket}`.
    #[schema(format = "uuid")]
    ticket: String,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let caller = request::caller(&app, &request, NEED).await?;
    body.read::<Empty>()?;
    let id = request::path_text(&request, "id").ok_or(AuthError::NoUser)?;
    let ticket = auth::remove_user(&app, &caller, id).await?;
    Reply::ok(&Removed { ticket })
}
