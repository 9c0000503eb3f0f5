//! A local API Gateway: turns HTTP requests into events (HTTP API, payload version 2.0), and the
//! functions' responses into HTTP responses.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::aws_lambda_events::encodings;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use shared::app::App;
use shared::http::HttpError;
use shared::http::event::reply_to;
use shared::http::request::SMALL_BODY;

use crate::functions;
use crate::template::Route;

/// API Gateway's limit, in bytes.
const MAX_BODY: usize = 10 * 1024 * 1024;

#[derive(Debug)]
pub struct Gateway {
    routes: Vec<Route>,
    app: Arc<App>,
}

impl Gateway {
    #[must_use]
    pub fn new(routes: Vec<Route>, app: Arc<App>) -> Self {
        Self { routes, app }
    }

    pub fn into_router(self) -> Router {
        Router::new().fallback(handle).with_state(Arc::new(self))
    }

    pub async fn respond(&self, peer: SocketAddr, request: Request<Body>) -> Response {
        into_http(self.answer(peer, request).await)
    }

    async fn answer(&self, peer: SocketAddr, request: Request<Body>) -> ApiGatewayV2httpResponse {
        let (parts, body) = request.into_parts();
        let refuse = |error| reply_to(&self.app, parts.uri.path(), error);
        let route = match self.route(parts.method.as_str(), parts.uri.path()) {
            Ok(route) => route,
            Err(error) => return refuse(error),
        };
        let Ok(body) = to_bytes(body, MAX_BODY).await else {
            return refuse(HttpError::TooLarge(SMALL_BODY));
        };
        let event = event(route, peer, &parts, &body, self.app.clock.now().millis());
        let Ok(event) = serde_json::from_str(&event.to_string()) else {
            return refuse(HttpError::Unreadable);
        };
        functions::invoke(&route.function, &self.app, event)
            .await
            .unwrap_or_else(|| refuse(HttpError::NotFound))
    }

    fn route(&self, method: &str, path: &str) -> Result<&Route, HttpError> {
        let of_path: Vec<&Route> = self
            .routes
            .iter()
            .filter(|route| route.matches(path))
            .collect();
        if let Some(route) = of_path.iter().find(|route| route.method == method) {
            return Ok(route);
        }
        if of_path.is_empty() {
            return Err(HttpError::NotFound);
        }
        let methods: Vec<&str> = of_path.iter().map(|route| route.method.as_str()).collect();
        Err(HttpError::MethodNotAllowed(methods.join(", ")))
    }
}

async fn handle(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    gateway.respond(peer, request).await
}

/// The percent-decoded segments of the path where the template has `{name}`.
fn path_parameters(template: &str, path: &str) -> Map<String, Value> {
    let segments = template.split('/').zip(path.split('/'));
    segments
        .filter_map(|(expected, segment)| {
            let name = expected.strip_prefix('{')?.strip_suffix('}')?;
            let decoded = percent_decode_str(segment).decode_utf8_lossy();
            Some((name.to_owned(), decoded.into()))
        })
        .collect()
}

/// The event that API Gateway would send.
#[must_use]
pub fn event(route: &Route, peer: SocketAddr, parts: &Parts, body: &[u8], now_ms: i64) -> Value {
    let route_key = format!("{} {}", route.method, route.path);
    let headers = headers(&parts.headers, peer);
    let host = headers.get("host").cloned().unwrap_or_default();
    let user_agent = headers.get("user-agent").cloned().unwrap_or_default();
    let (body, is_base64_encoded) = match std::str::from_utf8(body) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (STANDARD.encode(body), true),
    };
    let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
    json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": parts.uri.query().unwrap_or_default(),
        "headers": headers,
        "pathParameters": path_parameters(&route.path, parts.uri.path()),
        "requestContext": {
            "accountId": "local",
            "apiId": "local",
            "domainName": host,
            "domainPrefix": "local",
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": peer.ip().to_canonical().to_string(),
                "userAgent": user_agent,
            },
            "requestId": request_id(),
            "routeKey": route_key,
            "stage": "$default",
            "timeEpoch": now_ms,
        },
        "body": if body.is_empty() { Value::Null } else { body.into() },
        "isBase64Encoded": is_base64_encoded,
    })
}

/// A unique id.
fn request_id() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    format!(
        "local-{}-{}",
        std::process::id(),
        LAST.fetch_add(1, Ordering::Relaxed) + 1
    )
}

/// Headers as API Gateway passes them on: names in lower case, repeated ones joined by commas,
/// the peer appended to `X-Forwarded-For`.
fn headers(received: &HeaderMap, peer: SocketAddr) -> Map<String, Value> {
    let mut headers = Map::new();
    for name in received.keys() {
        let values: Vec<String> = received
            .get_all(name)
            .iter()
            .map(|value| value.as_bytes().iter().copied().map(char::from).collect())
            .collect();
        headers.insert(name.to_string(), values.join(",").into());
    }
    let peer = peer.ip().to_canonical();
    let forwarded = match headers.get("x-forwarded-for").and_then(Value::as_str) {
        Some(list) => format!("{list}, {peer}"),
        None => peer.to_string(),
    };
    headers.insert("x-forwarded-for".to_owned(), forwarded.into());
    headers
}

fn into_http(answer: ApiGatewayV2httpResponse) -> Response {
    let body = match answer.body {
        Some(encodings::Body::Text(text)) => Body::from(text),
        Some(encodings::Body::Binary(bytes)) => Body::from(bytes),
        _ => Body::empty(),
    };
    let mut response = Response::new(body);
    let status = u16::try_from(answer.status_code)
        .ok()
        .and_then(|status| StatusCode::from_u16(status).ok());
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = answer.headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_parameters_are_percent_decoded() {
        let parameters = path_parameters("/keys/{id}", "/keys/a%20b");

        assert_eq!(Value::from(parameters), json!({"id": "a b"}));
    }

    #[test]
    fn headers_arrive_as_api_gateway_passes_them_on() {
        let mut received = HeaderMap::new();
        received.append("authorization", "Bearer a".parse().unwrap());
        received.append("authorization", "Bearer b".parse().unwrap());
        received.append("x-forwarded-for", "192.0.2.1".parse().unwrap());

        let headers = headers(&received, "[::ffff:10.0.0.1]:99".parse().unwrap());

        assert_eq!(headers["authorization"], "Bearer a,Bearer b");
        assert_eq!(headers["x-forwarded-for"], "192.0.2.1, 10.0.0.1");
    }
}
