//! A local API Gateway: turns HTTP requests into events (HTTP API, payload version 2.0), and the
//! functions' responses into HTTP responses.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::aws_lambda_events::encodings;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use shared::app::App;
use shared::domain::Timestamp;
use shared::http::HttpError;
use shared::http::event::reply_to;
use shared::http::request::SMALL_BODY;
use shared::http::route::segments;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::functions;
use crate::template::Route;

/// API Gateway's limit, in bytes.
const MAX_BODY: usize = 10 * 1024 * 1024;
/// API Gateway's limit for the request line and the values of all headers, in bytes.
const MAX_HEADERS: usize = 10_240;

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
        if size_of_headers(&parts) > MAX_HEADERS {
            return too_large_headers();
        }
        let refuse = |error| reply_to(&self.app, parts.uri.path(), error);
        let Ok(body) = to_bytes(body, MAX_BODY).await else {
            return refuse(HttpError::TooLarge(SMALL_BODY));
        };
        let (method, path) = (parts.method.as_str(), decoded(parts.uri.path()));
        let route = route_of(&self.routes, method, &path);
        let event = event(route, peer, &parts, &body, self.app.clock.now());
        let Ok(event) = serde_json::from_str(&event.to_string()) else {
            return refuse(HttpError::Unreadable);
        };
        let function = route.map_or(functions::DEFAULT_ROUTE, |route| &route.function);
        functions::invoke(function, &self.app, event)
            .await
            .unwrap_or_else(|| refuse(HttpError::NotFound))
    }
}

/// The route that API Gateway chooses for a method and a decoded path.
#[must_use]
pub fn route_of<'a>(routes: &'a [Route], method: &str, path: &str) -> Option<&'a Route> {
    let routes = routes.iter();
    let matching = routes.filter(|route| route.method == method && route.matches(path));
    // A path without a variable segment goes first.
    matching.min_by_key(|route| route.path.contains('{'))
}

fn size_of_headers(parts: &Parts) -> usize {
    let line = parts.method.as_str().len() + parts.uri.to_string().len();
    line + parts.headers.values().map(HeaderValue::len).sum::<usize>()
}

/// API Gateway answers this itself, in a form of its own.
fn too_large_headers() -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.as_u16().into();
    let body = json!({"message": "Request Header Fields Too Large"});
    response.body = Some(encodings::Body::Text(body.to_string()));
    response
}

async fn handle(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    gateway.respond(peer, request).await
}

/// API Gateway decodes a path before it looks for the route.
#[must_use]
pub fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The segments of the decoded path where the route has `{name}`.
fn path_parameters(route: &str, path: &str) -> Map<String, Value> {
    segments(route)
        .zip(segments(path))
        .filter_map(|(expected, segment)| {
            let name = expected.strip_prefix('{')?.strip_suffix('}')?;
            Some((name.to_owned(), segment.into()))
        })
        .collect()
}

/// The parameters of the query string, decoded. The values of a repeated one are joined by commas.
fn query_parameters(query: &str) -> Map<String, Value> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(&value.replace('+', " "));
        parameters
            .entry(decoded(&name.replace('+', " ")))
            .and_modify(|values| *values = format!("{values},{value}"))
            .or_insert(value);
    }
    parameters
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect()
}

/// The event that API Gateway would send. `route` is the one that matches, if any.
#[must_use]
pub fn event(
    route: Option<&Route>,
    peer: SocketAddr,
    parts: &Parts,
    body: &[u8],
    now: Timestamp,
) -> Value {
    let route_key = route.map_or_else(
        || "$default".to_owned(),
        |route| format!("{} {}", route.method, route.path),
    );
    let mut headers = headers(&parts.headers, peer);
    let header = |name| headers.get(name).and_then(Value::as_str);
    let host = header("host").unwrap_or_default().to_owned();
    let user_agent = header("user-agent").unwrap_or_default().to_owned();
    let (body, is_base64_encoded) = match std::str::from_utf8(body) {
        Ok(text) if is_text(header("content-type")) => (text.to_owned(), false),
        _ => (STANDARD.encode(body), !body.is_empty()),
    };
    let path = decoded(parts.uri.path());
    let query = parts.uri.query().unwrap_or_default();
    let mut optional = Map::new();
    if let Some(cookies) = headers.remove("cookie") {
        let cookies = cookies.as_str().unwrap_or_default().split("; ").collect();
        optional.insert("cookies".to_owned(), cookies);
    }
    let parameters = route.map(|route| path_parameters(&route.path, &path));
    for (name, values) in [
        ("pathParameters", parameters.unwrap_or_default()),
        ("queryStringParameters", query_parameters(query)),
    ] {
        if !values.is_empty() {
            optional.insert(name.to_owned(), values.into());
        }
    }
    if !body.is_empty() {
        optional.insert("body".to_owned(), body.into());
    }
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
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
            "time": time_of(now),
            "timeEpoch": now.millis(),
        },
        "isBase64Encoded": is_base64_encoded,
    });
    if let Value::Object(event) = &mut event {
        event.extend(optional);
    }
    event
}

/// Whether API Gateway passes on a body of this type as text. Others arrive in base64, and those without a
/// type too.
fn is_text(content_type: Option<&str>) -> bool {
    let essence = content_type.and_then(|text| text.split(';').next());
    let essence = essence.unwrap_or_default().trim().to_ascii_lowercase();
    let others = [
        "application/json",
        "application/javascript",
        "application/xml",
    ];
    essence.starts_with("text/") || others.contains(&&*essence)
}

/// Such as `15/Jan/2027:08:00:00 +0000`.
fn time_of(now: Timestamp) -> String {
    let format =
        format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
    OffsetDateTime::from_unix_timestamp(now.secs())
        .ok()
        .and_then(|time| time.format(format).ok())
        .unwrap_or_default()
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
    use serde::Deserialize;

    use super::*;
    use crate::template::Template;

    /// A request and members of its event, by their JSON pointers.
    #[derive(Deserialize)]
    struct Vector {
        name: String,
        /// Method, target, headers and body.
        request: (String, String, Vec<(String, String)>, String),
        event: Map<String, Value>,
    }

    #[test]
    fn events_are_those_that_other_gateways_are_compared_with() {
        let routes = Template::checked_in().unwrap().routes;
        let vectors = include_str!("../../tests/vectors/gateway.json");
        let vectors: Vec<Vector> = serde_json::from_str(vectors).unwrap();
        for vector in vectors {
            let (method, target, headers, body) = vector.request;
            let mut request = Request::builder().method(&*method).uri(target);
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let route = route_of(&routes, &method, &decoded(parts.uri.path()));
            let peer = "192.0.2.1:99".parse().unwrap();
            let now = Timestamp::from_secs(1_800_000_000);

            let event = event(route, peer, &parts, body.as_bytes(), now);

            for (pointer, expected) in vector.event {
                let found = event.pointer(&pointer).unwrap_or(&Value::Null);
                assert_eq!(found, &expected, "{}: {pointer}", vector.name);
            }
        }
    }

    #[test]
    fn the_peer_is_appended_to_the_addresses_that_forwarded_a_request() {
        let mut received = HeaderMap::new();
        received.append("x-forwarded-for", "192.0.2.1".parse().unwrap());

        let headers = headers(&received, "[::ffff:10.0.0.1]:99".parse().unwrap());

        assert_eq!(headers["x-forwarded-for"], "192.0.2.1, 10.0.0.1");
    }
}
