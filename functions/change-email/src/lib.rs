//! `POST /user/change-email`: mails a code to a new address, which gives the caller's account that email.
//!
//! Whether another account has the address changes neither the response nor the work.

pub mod openapi;

use std::sync::Arc;

use serde::Deserialize;
use shared::app::App;
use shared::auth::{self, Need};
use shared::domain::Email;
use shared::http::body::Empty;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::{HttpError, InField, Reply, Request};
use utoipa::ToSchema;

const NEED: Need = Need::TOKEN_ALONE;

#[derive(Deserialize, ToSchema)]
struct Body {
    /// As at sign-up.
    #[schema(format = "idn-email", max_length = 254)]
    email: String,
    /// The current one.
    #[schema(format = Password)]
    password: String,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let caller = request::caller(&app, &request, NEED).await?;
    let body: Body = body.read()?;
    let email = Email::parse(&body.email).in_field("email")?;
    let proof = request::proof(&app, &request, body.password);
    auth::ask_to_change_email(&app, &caller, proof, &email).await?;
    Reply::ok(&Empty {})
}
