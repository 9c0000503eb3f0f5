//! The endpoints, by the name of their function.

use std::sync::Arc;

use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use shared::app::App;
use shared::http::event::{Event, answer};

/// The functions there are: one for each folder in `functions/`.
pub const NAMES: [&str; 3] = ["create-user", "get-user", "sign-in"];

/// Lets a function answer an event; `None` if there is no such function.
pub async fn invoke(
    function: &str,
    app: &Arc<App>,
    event: Event,
) -> Option<ApiGatewayV2httpResponse> {
    Some(match function {
        "create-user" => answer(app, event, create_user::handle).await,
        "get-user" => answer(app, event, get_user::handle).await,
        "sign-in" => answer(app, event, sign_in::handle).await,
        _ => return None,
    })
}
