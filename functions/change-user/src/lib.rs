//! `PUT /users/{id}`: changes any account, for administrators. What is absent stays.

pub mod openapi;

use std::sync::Arc;

use serde::Deserialize;
use shared::app::App;
use shared::auth::{self, AccountUpdate, AuthError, Need};
use shared::domain::{
    Email, MetadataChange, Password, PasswordPolicy, Scope, Scopes, Username, is_vendor_list,
};
use shared::http::body::{JsonObject, OneOrMoreStrings, Strings};
use shared::http::problem::Problem;
use shared::http::request::{self, JsonBody, SMALL_BODY};
use shared::http::user::ManagedUser;
use shared::http::{HttpError, InField, Reply, Request};
use utoipa::ToSchema;

const NEED: Need = Need::ADMIN_TO_CHANGE;

#[derive(Deserialize, ToSchema)]
struct Body {
    /// The same rules as at sign-up.
    #[schema(min_length = 1, max_length = 128)]
    username: Option<String>,
    /// The same rules as at sign-up. Another address is not verified.
    #[schema(format = "idn-email", max_length = 254)]
    email: Option<String>,
    /// The same rules as at sign-up. A new one ends the account's sessions.
    #[schema(format = Password, min_length = 6, max_length = 1024)]
    password: Option<String>,
    /// Replaces all that the account has: at most 16, each 1 to 64 characters of `A-Z a-z 0-9 . _ : -`.
    scope: Option<Strings>,
    /// At most 16, each 1 to 64 bytes. An empty list removes all.
    vendor: Option<OneOrMoreStrings>,
    /// True ends the account's sessions, and refuses sign-ins and API keys.
    disabled: Option<bool>,
    /// At most 8192 bytes of compact JSON and 32 levels. Replaces what is there; `{}` removes it.
    #[schema(value_type = Option<Object>)]
    metadata: Option<JsonObject>,
}

pub async fn handle(app: Arc<App>, request: Request) -> Result<Reply, HttpError> {
    let body = JsonBody::of(&request, SMALL_BODY)?;
    let caller = request::caller(&app, &request, NEED).await?;
    let update = parse(body.read()?, app.config.passwords)?;
    let id = request::path_text(&request, "id").ok_or(AuthError::NoUser)?;
    let account = auth::read_account(&app, id).await?;
    let account = auth::update_account(&app, &caller, account, update).await?;
    Reply::ok(&ManagedUser::of(&account))
}

/// Checks what does not depend on the account.
fn parse(body: Body, policy: PasswordPolicy) -> Result<AccountUpdate, HttpError> {
    if let Some(username) = body.username.as_deref().filter(|name| !name.contains('@')) {
        Username::of_account(username, "").in_field("username")?;
    }
    let email = body.email.map(|email| Email::parse(&email));
    let email = email.transpose().in_field("email")?;
    let scopes = body.scope.as_ref().map(parse_scopes).transpose()?;
    let vendor = body.vendor.map(|vendor| vendor.0);
    if vendor.as_deref().is_some_and(|list| !is_vendor_list(list)) {
        return Err(HttpError::field("vendor", Problem::NotVendors));
    }
    let password = body.password.map(Password::new);
    if let Some(password) = &password {
        policy.check(password, &[]).in_field("password")?;
    }
    let metadata = body.metadata.map(MetadataChange::to);
    let metadata = metadata.transpose().in_field("metadata")?;
    Ok(AccountUpdate {
        username: body.username,
        email,
        password,
        scopes,
        vendor,
        disabled: body.disabled,
        metadata,
        found_by: None,
    })
}

fn parse_scopes(scopes: &Strings) -> Result<Scopes, HttpError> {
    let parsed: Option<Vec<_>> = scopes.0.iter().map(|scope| Scope::parse(scope)).collect();
    parsed
        .and_then(Scopes::granted)
        .ok_or(Problem::NotScopes)
        .in_field("scope")
}
