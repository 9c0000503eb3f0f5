//! The endpoints, by the name of their function.

use std::error::Error;
use std::sync::Arc;

use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::app::App;
use shared::http::event::{Event, answer};

/// The functions that routes lead to: one for each folder in `functions/`, but for [`OPERATORS`].
pub const NAMES: [&str; 10] = [
    "create-api-key",
    "create-user",
    "get-profile",
    "get-user",
    "list-api-keys",
    "log-in",
    "log-out",
    "revoke-api-key",
    "sign-in",
    "update-profile",
];

/// The functions that no route leads to.
pub const OPERATORS: [&str; 2] = ["grant-scopes", "rotate-keys"];

/// Lets a function do what an operator asks of it; `None` if there is no such function. What it
/// refuses is said in words.
pub async fn operate(
    function: &str,
    app: &Arc<App>,
    request: Value,
) -> Option<Result<Value, String>> {
    Some(match function {
        "grant-scopes" => ask(app, request, grant_scopes::handle).await,
        "rotate-keys" => ask(app, request, rotate_keys::handle).await,
        _ => return None,
    })
}

async fn ask<I, O, E, F>(
    app: &Arc<App>,
    request: Value,
    handle: impl FnOnce(Arc<App>, I) -> F,
) -> Result<Value, String>
where
    I: DeserializeOwned,
    O: Serialize,
    E: Error,
    F: Future<Output = Result<O, E>>,
{
    let request = serde_json::from_value(request).map_err(|error| error.to_string())?;
    let done = handle(Arc::clone(app), request).await;
    done.map(|done| serde_json::json!(done))
        .map_err(|refusal| refusal.to_string())
}

/// Lets a function answer an event; `None` if there is no such function.
pub async fn invoke(
    function: &str,
    app: &Arc<App>,
    event: Event,
) -> Option<ApiGatewayV2httpResponse> {
    Some(match function {
        "create-api-key" => answer(app, event, create_api_key::handle).await,
        "create-user" => answer(app, event, create_user::handle).await,
        "get-profile" => answer(app, event, get_profile::handle).await,
        "get-user" => answer(app, event, get_user::handle).await,
        "list-api-keys" => answer(app, event, list_api_keys::handle).await,
        "log-in" => answer(app, event, log_in::handle).await,
        "log-out" => answer(app, event, log_out::handle).await,
        "revoke-api-key" => answer(app, event, revoke_api_key::handle).await,
        "sign-in" => answer(app, event, sign_in::handle).await,
        "update-profile" => answer(app, event, update_profile::handle).await,
        _ => return None,
    })
}
