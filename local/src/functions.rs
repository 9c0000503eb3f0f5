//! The registry of functions: endpoints with their routes, handlers and descriptions, and the
//! functions for operators. The API's description, the fuzz targets and the tests of the template
//! and of cargo-lambda's settings read it. The local server takes its routes from the template and
//! finds the handler here by the function's name.
//!
//! A new endpoint needs a line in [`ENDPOINTS`]; docs/architecture.md has the other steps.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;

use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::app::App;
use shared::http::event::{ApiGatewayV2httpRequest, answer};
use shared::http::openapi::Operation;

/// A function with a route.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// The function's name: its folder in `functions/`.
    pub name: &'static str,
    /// The HTTP method, upper case.
    pub method: &'static str,
    /// The path, with `{name}` for a variable segment.
    pub path: &'static str,
    /// Its part of the API's description.
    pub operation: fn() -> Operation,
    answer: for<'a> fn(&'a Arc<App>, Box<ApiGatewayV2httpRequest>) -> Answered<'a>,
}

/// A function with JSON input and output, and without a route.
#[derive(Debug, Clone, Copy)]
pub struct Operator {
    /// The function's name: its folder in `functions/`.
    pub name: &'static str,
    done: for<'a> fn(&'a Arc<App>, Value) -> Done<'a>,
}

type Answered<'a> = Pin<Box<dyn Future<Output = ApiGatewayV2httpResponse> + Send + 'a>>;
type Done<'a> = Pin<Box<dyn Future<Output = Result<Value, String>> + Send + 'a>>;

macro_rules! endpoint {
    ($method:ident $path:literal, $name:literal = $function:ident) => {
        endpoint!($method $path, $name = $function, operation)
    };
    // One of several routes of a function, with the name of its description.
    ($method:ident $path:literal, $name:literal = $function:ident, $operation:ident) => {
        Endpoint {
            name: $name,
            method: stringify!($method),
            path: $path,
            operation: $function::openapi::$operation,
            answer: |app, event| {
                Box::pin(answer(app, event, &|app, request| {
                    Box::pin($function::handle(app, request))
                }))
            },
        }
    };
}

macro_rules! operator {
    ($name:literal = $function:ident) => {
        Operator {
            name: $name,
            done: |app, request| Box::pin(operate_by(app, request, $function::handle)),
        }
    };
}

/// Every endpoint, in the order of the API's description.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint!(POST "/user", "create-user" = create_user),
    endpoint!(POST "/user/auth", "sign-in" = sign_in),
    endpoint!(GET "/user", "get-user" = get_user),
    endpoint!(POST "/user/change-password", "change-password" = change_password),
    endpoint!(POST "/user/change-username", "change-username" = change_username),
    endpoint!(GET "/user/sessions", "list-sessions" = list_sessions),
    endpoint!(DELETE "/user/sessions", "end-own-sessions" = end_own_sessions),
    endpoint!(DELETE "/user/sessions/{id}", "end-session" = end_session),
    endpoint!(GET "/user/export", "export-user" = export_user),
    endpoint!(DELETE "/user", "delete-user" = delete_user),
    endpoint!(POST "/user/reset-password", "reset-password" = reset_password),
    endpoint!(GET "/users", "list-users" = list_users),
    endpoint!(GET "/users/count", "count-users" = count_users),
    endpoint!(GET "/users/{id}", "read-user" = read_user),
    endpoint!(PUT "/users/{id}", "change-user" = change_user),
    endpoint!(DELETE "/users/{id}", "remove-user" = remove_user),
    endpoint!(GET "/users/{id}/delete-status/{ticket}", "read-deletion" = read_deletion),
    endpoint!(POST "/v1/auth/login", "log-in" = log_in),
    endpoint!(POST "/v1/auth/refresh", "refresh-session" = refresh_session),
    endpoint!(POST "/v1/auth/logout", "log-out" = log_out),
    endpoint!(GET "/v1/auth/user", "get-profile" = get_profile),
    endpoint!(POST "/v1/auth/user", "update-profile" = update_profile),
    endpoint!(POST "/v1/api-keys", "create-api-key" = create_api_key),
    endpoint!(GET "/v1/api-keys", "list-api-keys" = list_api_keys),
    endpoint!(DELETE "/v1/api-keys/{id}", "revoke-api-key" = revoke_api_key),
    endpoint!(POST "/user/change-email", "change-email" = change_email),
    endpoint!(POST "/user/change-email/confirm", "confirm-new-email" = confirm_new_email),
    endpoint!(POST "/user/verify-email", "verify-email" = verify_email),
    endpoint!(POST "/user/verify-email/confirm", "confirm-email" = confirm_email),
    endpoint!(POST "/user/forgot-password", "forgot-password" = forgot_password),
    endpoint!(POST "/user/forgot-password/reset", "reset-forgotten-password" = reset_forgotten_password),
    endpoint!(POST "/oauth/introspect", "introspect-token" = introspect_token),
    endpoint!(POST "/oauth/revoke", "revoke-token" = revoke_token),
    endpoint!(GET "/.well-known/jwks.json", "well-known" = well_known, key_set),
    endpoint!(GET "/.well-known/openid-configuration", "well-known" = well_known, openid_configuration),
    endpoint!(GET "/.well-known/oauth-authorization-server", "well-known" = well_known, oauth_authorization_server),
];

/// The function of API Gateway's `$default` route, which answers what no endpoint does.
pub const DEFAULT_ROUTE: &str = "default-route";

/// Every function that AWS invokes by itself.
pub const WORKERS: &[&str] = &["deliver", "deliver-webhook", "erase-account"];

/// Every function for operators.
pub const OPERATORS: &[Operator] = &[
    operator!("find-account" = find_account),
    operator!("grant-scopes" = grant_scopes),
    operator!("end-sessions" = end_sessions),
    operator!("set-password" = set_password),
    operator!("disable-account" = disable_account),
    operator!("enable-account" = enable_account),
    operator!("delete-account" = delete_account),
    operator!("rotate-keys" = rotate_keys),
];

/// The Lambda authorizer for API Gateways of other stacks.
pub const AUTHORIZER: Operator = operator!("authorize" = authorize);

/// Invokes an endpoint or the default route with an event; `None` if there is no such function.
pub async fn invoke(
    function: &str,
    app: &Arc<App>,
    event: Box<ApiGatewayV2httpRequest>,
) -> Option<ApiGatewayV2httpResponse> {
    if function == DEFAULT_ROUTE {
        return Some(
            answer(app, event, &|app, request| {
                Box::pin(default_route::handle(app, request))
            })
            .await,
        );
    }
    let endpoint = ENDPOINTS.iter().find(|one| one.name == function)?;
    Some((endpoint.answer)(app, event).await)
}

/// Invokes the authorizer or a function for operators; `None` if there is no such function.
pub async fn operate(
    function: &str,
    app: &Arc<App>,
    request: Value,
) -> Option<Result<Value, String>> {
    let mut all = OPERATORS.iter().chain([&AUTHORIZER]);
    let operator = all.find(|one| one.name == function)?;
    Some((operator.done)(app, request).await)
}

async fn operate_by<I, O, E, F>(
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
