//! Answers API Gateway's events (HTTP API, payload version 2.0).
//!
//! Lambda, the local server and the tests all call [`answer`].

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
pub use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::http::{HeaderMap, HeaderValue};
use lambda_http::{Body, Request};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::request::Origin;
use super::{Family, HttpError, Reply};
use crate::app::App;
use crate::observe::{self, RequestOutcome};

/// How long an endpoint may take: less than the function's timeout in template.yaml, so that a slow
/// request gets our 503 and not API Gateway's.
const BUDGET: Duration = Duration::from_secs(9);

/// An endpoint's `handle`. A trait object, so that what calls it is compiled once, and not for each function.
pub type Handle = dyn Fn(Arc<App>, Request) -> Handling + Send + Sync;

/// What [`Handle`] returns.
pub type Handling = BoxFuture<'static, Result<Reply, HttpError>>;

/// Answers an event with `handle`. Errors, panics and timeouts become error replies.
pub async fn answer(
    app: &Arc<App>,
    event: Box<ApiGatewayV2httpRequest>,
    handle: &Handle,
) -> ApiGatewayV2httpResponse {
    let started = Instant::now();
    let is_first = app.is_first_request();
    let route = event.route_key.clone();
    let family = family(
        route.as_deref().unwrap_or_default(),
        event.raw_path.as_deref().unwrap_or_default(),
    );
    let request_id = event.request_context.request_id.clone().unwrap_or_default();
    let outcome = async {
        let request = request(event)?;
        check_origin(request.headers(), &app.config.proxies.origin_secrets)?;
        run(handle(Arc::clone(app), request)).await
    };
    let (outcome, notes) = observe::noting(request_id, outcome).await;
    let now = app.clock.now();
    let (reply, report) = match outcome {
        Ok(reply) => (reply, None),
        Err(error) => {
            let report = error.report(family);
            (error.into_reply(family, now), Some(report))
        }
    };
    let outcome = RequestOutcome {
        stack: &app.config.stack,
        at: now,
        route: route.as_deref().unwrap_or("none"),
        status: reply.status.as_u16(),
        latency: started.elapsed().as_secs_f64() * 1000.0,
        is_first,
        ring_age: app.keys.age_to_report(now),
        reason: report.as_ref().map(|report| report.reason),
        limit: report.as_ref().and_then(|report| report.limit),
        error: report.and_then(|report| report.error),
    };
    observe::log_request(&outcome, &notes);
    into_response(reply)
}

/// The error reply for a request to this path that no function handled.
#[must_use]
pub fn reply_to(app: &App, path: &str, error: HttpError) -> ApiGatewayV2httpResponse {
    into_response(error.into_reply(Family::of_path(path), app.clock.now()))
}

/// The family of the route that matched, such as `GET /user`. The path as sent can differ from it:
/// `//v1/auth/login` and a path with a prefix reach the same route. A route key without a path,
/// such as `$default`, means that no route matched; then the path decides.
fn family(route_key: &str, raw_path: &str) -> Family {
    let matched = route_key.split_once(' ').map(|(_, path)| path);
    Family::of_path(matched.unwrap_or(raw_path))
}

/// Runs an endpoint within its time budget. A panic ends the request, not the process.
///
/// `AssertUnwindSafe` is sound: the app's state is behind locks that are never held across a call
/// that could panic, or that ignore poisoning.
async fn run(endpoint: Handling) -> Result<Reply, HttpError> {
    let endpoint = AssertUnwindSafe(endpoint).catch_unwind();
    match tokio::time::timeout(BUDGET, endpoint).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(_)) => Err(HttpError::Panicked),
        Err(_) => Err(HttpError::TimedOut),
    }
}

/// Checks that the request has one of the origin secrets, if there are any. Without one it did not come
/// through the edge, which limits the requests of an address.
fn check_origin(headers: &HeaderMap, secrets: &[SecretString]) -> Result<(), HttpError> {
    let sent = headers.get("x-origin-secret").map(HeaderValue::as_bytes);
    let is_sent = |secret: &SecretString| {
        sent.is_some_and(|sent| {
            verify_slices_are_equal(secret.expose_secret().as_bytes(), sent).is_ok()
        })
    };
    if secrets.is_empty() || secrets.iter().any(is_sent) {
        Ok(())
    } else {
        Err(HttpError::NotThroughEdge)
    }
}

/// Builds the request from an event, without a URI: API Gateway passes the query string on
/// unchecked, and callers can send one that is not valid in a URI (decision 5).
fn request(event: Box<ApiGatewayV2httpRequest>) -> Result<Request, HttpError> {
    let event = *event;
    let body = match event.body {
        Some(text) if event.is_base64_encoded => {
            Body::Binary(STANDARD.decode(text).map_err(|_| HttpError::Unreadable)?)
        }
        Some(text) => Body::Text(text),
        None => Body::Empty,
    };
    let http = event.request_context.http;
    let mut request = Request::new(body);
    *request.method_mut() = http.method;
    *request.headers_mut() = event.headers;
    request.extensions_mut().insert(Origin {
        peer: http.source_ip.and_then(|peer| peer.parse().ok()),
        path: event.raw_path.unwrap_or_default(),
        path_parameters: event.path_parameters,
        query: event.raw_query_string.unwrap_or_default(),
    });
    Ok(request)
}

fn into_response(reply: Reply) -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = i64::from(reply.status.as_u16());
    response.headers = reply.headers;
    response.body = Some(Body::Text(reply.body));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_route_that_matched_decides_the_family_and_otherwise_the_path() {
        for (route_key, raw_path, expected) in [
            ("POST /v1/auth/login", "/v1/auth/login", Family::Management),
            ("POST /v1/auth/login", "//v1/auth/login", Family::Management),
            ("POST /v1/auth/login", "", Family::Management),
            ("POST /user/auth", "/v1/user/auth", Family::Appmixer),
            ("$default", "/v1/nowhere", Family::Management),
            ("$default", "//v1/nowhere", Family::Management),
            ("$default", "/nowhere", Family::Appmixer),
            ("", "/v1/nowhere", Family::Management),
        ] {
            assert_eq!(
                family(route_key, raw_path),
                expected,
                "{route_key} {raw_path}"
            );
        }
    }
}
