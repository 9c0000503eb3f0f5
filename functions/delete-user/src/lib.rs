//! `DELETE /user`: deletes the caller's account. Its email and username are free at once.

pub mod openapi;

use std::sync::Arc;

use serde::Deserialize;
use shared::app::App;
use shared::auth::{self, Need};
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, Reply, Request};
use utoipa::ToSchema;

const NEED: Need = Need::TOKEN_ALONE.unverified();

#[derive(Deserialize, ToSchema)]
struct Body {
    /// The current one.
    #[schema(format = Password)]
    password: String,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let caller = request::caller(&app, &request, NEED).await?;
    let body: Body = body.read()?;
    let proof = request::proof(&app, &request, body.password);
    auth::delete_own_account(&app, &caller, proof).await?;
    Reply::ok(&Empty {})
}
