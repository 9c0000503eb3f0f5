//! `POST /user/change-username`: changes the caller's username. The old one is free at once.

pub mod openapi;

use std::sync::Arc;

use serde::Deserialize;
use shared::app::App;
use shared::auth::{self, Need};
use shared::domain::{Account, Username};
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::user::CurrentUser;
use shared::http::{HttpError, InField, Reply, Request};
use utoipa::ToSchema;

const NEED: Need = Need::TOKEN_ALONE;

#[derive(Deserialize, ToSchema)]
struct Body {
    /// As at sign-up: no spaces, control or compatibility characters; with `@` only the account's
    /// own email.
    #[schema(min_length = 1, max_length = 128)]
    username: String,
    /// The current one.
    #[schema(format = Password)]
    password: String,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let caller = request::caller(&app, &request, NEED).await?;
    let body: Body = body.read()?;
    let username = parse(&body.username, &caller.account)?;
    let proof = request::proof(&app, &request, body.password);
    let account = auth::change_username(&app, &caller, proof, &username).await?;
    Reply::ok(&CurrentUser::of(&account))
}

fn parse(username: &str, account: &Account) -> Result<Username, HttpError> {
    Username::of_account(username, &account.email_canonical).in_field("username")
}
