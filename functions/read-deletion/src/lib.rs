//! `GET /users/{id}/delete-status/{ticket}`: how far a deletion has come, for administrators.

pub mod openapi;

use std::sync::Arc;

use serde::Serialize;
use shared::app::App;
use shared::auth::{self, AuthError, Need};
use shared::domain::{Deletion, DeletionStatus};
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};
use utoipa::ToSchema;

const NEED: Need = Need::ADMIN_TO_READ;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Progress {
    status: Status,
    steps_done: u64,
    steps_total: u64,
}

/// Appmixer's `cancelled` never occurs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Status {
    InProgress,
    Completed,
    Failed,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    request::caller(&app, &request, NEED).await?;
    body.read::<Empty>()?;
    let id = request::path_text(&request, "id").ok_or(AuthError::NoTicket)?;
    let ticket = request::path_text(&request, "ticket").ok_or(AuthError::NoTicket)?;
    let deletion = auth::read_deletion(&app, id, ticket).await?;
    Reply::ok(&Progress {
        status: match deletion.status(app.clock.now()) {
            DeletionStatus::InProgress => Status::InProgress,
            DeletionStatus::Completed => Status::Completed,
            DeletionStatus::Failed => Status::Failed,
        },
        steps_done: deletion.steps_done,
        steps_total: Deletion::STEPS,
    })
}
