//! A sample API of another team, to try tokens with: `GET /example/orders` asks the Lambda authorizer, as an API Gateway
//! of another stack does. Exists only in `make run`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, Request, StatusCode};
use axum::routing::get;
use serde_json::{Value, json};
use shared::app::App;

use crate::functions::{AUTHORIZER, operate};
use crate::gateway::event;

pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/example/orders", get(orders))
        .with_state(app)
}

/// Refuses with the responses of API Gateway.
async fn orders(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Answer {
    let (parts, _) = request.into_parts();
    let event = event(None, peer, &parts, &[], app.clock.now());
    let Some(Ok(decision)) = operate(AUTHORIZER.name, &app, event).await else {
        return refused(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let is_authorized = decision.get("isAuthorized") == Some(&Value::Bool(true));
    if !is_authorized {
        return refused(StatusCode::FORBIDDEN);
    }
    let body = json!({"orders": [], "caller": decision.get("context")});
    json_answer(StatusCode::OK, &body)
}

type Answer = (StatusCode, [(HeaderName, &'static str); 1], String);

fn refused(status: StatusCode) -> Answer {
    json_answer(status, &json!({ "message": status.canonical_reason() }))
}

fn json_answer(status: StatusCode, body: &Value) -> Answer {
    let headers = [(CONTENT_TYPE, "application/json")];
    (status, headers, body.to_string())
}
