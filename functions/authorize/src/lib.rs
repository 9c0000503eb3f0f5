//! A [Lambda authorizer](https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html)
//! for the API Gateways of other stacks: the same check as `GET /user`. The function has no route.
//!
//! An HTTP API gets the simple response to payload 2.0, and every other event an IAM policy.

pub mod event;

use std::sync::Arc;

use shared::app::App;
use shared::auth::{self, AuthError, Need};
use shared::domain::Permission;
use shared::http::request::credentials;

use self::event::{Event, Response};

const NEED: Need = Need::permission(Permission::Read);

/// Fails if it cannot be decided. API Gateway then answers 500.
pub async fn handle(app: Arc<App>, event: Event) -> Result<Response, AuthError> {
    let headers = event.credential_headers();
    let credentials = credentials(event.source(), &headers);
    let caller = match auth::authenticate(&app, credentials, NEED).await {
        Ok(caller) => Some(caller),
        Err(error @ (AuthError::Store(_) | AuthError::Keys(_) | AuthError::Internal(_))) => {
            return Err(error);
        }
        Err(reason) => {
            tracing::info!(%reason, "not authorized");
            None
        }
    };
    Ok(event.answer(caller.as_ref().map(|caller| &caller.account)))
}
