//! API Gateway's events (HTTP API, payload version 2.0): an event in, a response out.
//!
//! Lambda, the local server and the tests all come through [`answer`].

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_http::http::header::HOST;
use lambda_http::request::LambdaRequest;
use lambda_http::{Body, Request};
use serde::de::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::{Family, HttpError, Reply};
use crate::app::App;
use crate::observe::{self, Answered};

/// An event, or what came in place of one.
///
/// Reading one never fails: an event that is none is answered like any other bad request. The
/// conversion to a request would panic on invalid base64 and on an unbuildable URI; both are
/// taken out of its hands here.
pub struct Event(Option<Box<ApiGatewayV2httpRequest>>);

/// How long an endpoint may take: less than the function's own time-out, so that the answer is
/// ours.
const BUDGET: Duration = Duration::from_secs(9);

/// API Gateway lets no longer path through.
const MAX_PATH: usize = 10 * 1024;

/// Answers an event with `handle`, whatever becomes of it.
pub async fn answer<H, F>(app: &Arc<App>, event: Event, handle: H) -> ApiGatewayV2httpResponse
where
    H: FnOnce(Arc<App>, Request) -> F,
    F: Future<Output = Result<Reply, HttpError>> + Send + 'static,
{
    let started = Instant::now();
    let is_first = app.is_first_request();
    let (route, request_id, family) = (event.route(), event.request_id(), event.family());
    let outcome = async {
        match event.into_request() {
            Ok(request) => run(Box::pin(handle(Arc::clone(app), request))).await,
            Err(error) => Err(error),
        }
    };
    let (outcome, notes) = observe::noting(request_id, outcome).await;
    let now = app.clock.now();
    let (reply, (reason, limit, error)) = match outcome {
        Ok(reply) => (reply, (None, None, None)),
        Err(error) => {
            let (code, limit, cause) = error.report(family);
            (error.into_reply(family, now), (Some(code), limit, cause))
        }
    };
    let answered = Answered {
        stack: &app.config.stack,
        at: now,
        route: &route,
        status: reply.status.as_u16(),
        latency: started.elapsed().as_secs_f64() * 1000.0,
        is_first,
        reason,
        limit,
        error,
    };
    observe::answered(&answered, &notes);
    into_response(reply)
}

/// The answer to a request for this path that reaches no function.
#[must_use]
pub fn reply_to(app: &App, path: &str, error: HttpError) -> ApiGatewayV2httpResponse {
    into_response(error.into_reply(Family::of_path(path), app.clock.now()))
}

/// Runs an endpoint within its budget; a panic ends the request and not the process.
///
/// What a panicking endpoint leaves behind is safe to use: the app's own state is behind locks that
/// are never held across a call that could panic, or that ignore it.
async fn run(
    endpoint: Pin<Box<dyn Future<Output = Result<Reply, HttpError>> + Send>>,
) -> Result<Reply, HttpError> {
    let endpoint = AssertUnwindSafe(endpoint).catch_unwind();
    match tokio::time::timeout(BUDGET, endpoint).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(_)) => Err(HttpError::Panicked),
        Err(_) => Err(HttpError::TimedOut),
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event({}, redacted)", self.route())
    }
}

impl Event {
    /// The route API Gateway matched, such as `GET /user`.
    fn route(&self) -> String {
        self.0
            .as_ref()
            .and_then(|event| event.route_key.clone())
            .filter(|route| !route.is_empty())
            .unwrap_or_else(|| "none".to_owned())
    }

    /// The family of the route, whose envelope an error comes in.
    fn family(&self) -> Family {
        let path = self.0.as_ref().and_then(|event| event.raw_path.as_deref());
        Family::of_path(path.unwrap_or_default())
    }

    /// API Gateway's id of the request.
    fn request_id(&self) -> String {
        self.0
            .as_ref()
            .and_then(|event| event.request_context.request_id.clone())
            .unwrap_or_default()
    }

    /// The request, by `lambda_http`'s own conversion.
    ///
    /// The host and the query string are left out: no route looks at them, and both come from
    /// the caller unchecked.
    fn into_request(self) -> Result<Request, HttpError> {
        let mut event = self.0.ok_or(HttpError::Unreadable)?;
        let path = event.raw_path.as_deref().unwrap_or("/");
        if !path.starts_with('/') || path.len() > MAX_PATH {
            return Err(HttpError::Unreadable);
        }
        let body = match event.body.take() {
            Some(text) if event.is_base64_encoded => {
                Body::Binary(STANDARD.decode(text).map_err(|_| HttpError::Unreadable)?)
            }
            Some(text) => Body::Text(text),
            None => Body::Empty,
        };
        event.headers.remove(HOST);
        event.request_context.domain_name = None;
        event.raw_query_string = None;
        let mut request = Request::from(LambdaRequest::ApiGatewayV2(*event));
        *request.body_mut() = body;
        Ok(request)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        let event = serde_json::from_str(json.get()).or_else(|_| {
            let mut event = serde_json::from_str(json.get())?;
            mask_header_values(&mut event);
            serde_json::from_value(event)
        });
        Ok(Self(event.ok().map(Box::new)))
    }
}

/// Puts `?` for what no header value may hold in Rust's `http`, and API Gateway passes on: a
/// name in a user agent is no reason to refuse a request, and what mattered stays malformed.
fn mask_header_values(event: &mut Value) {
    let headers = event.get_mut("headers").and_then(Value::as_object_mut);
    for value in headers.into_iter().flat_map(|headers| headers.values_mut()) {
        if let Value::String(text) = value {
            *text = text.replace(|c: char| c != '\t' && !(' '..='~').contains(&c), "?");
        }
    }
}

fn into_response(reply: Reply) -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = i64::from(reply.status.as_u16());
    response.headers = reply.headers;
    response.body = Some(Body::Text(reply.body));
    response
}
