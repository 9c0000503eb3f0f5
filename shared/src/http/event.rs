//! API Gateway's events (HTTP API, payload version 2.0): an event in, a response out.
//!
//! Lambda, the local server and the tests all come through [`answer`].

mod incoming;

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::{Body, Request};
use serde::de::{Deserialize, Deserializer};
use tokio::time::Instant;

use self::incoming::Incoming;
use super::request::Origin;
use super::{Family, HttpError, Reply};
use crate::app::App;
use crate::observe::{self, Answered};

/// An event, or what came in place of one, which is answered like any other bad request.
pub struct Event(Incoming);

/// How long an endpoint may take: less than the function's own time-out, so that the answer is
/// ours.
const BUDGET: Duration = Duration::from_secs(9);

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
    let (reply, report) = match outcome {
        Ok(reply) => (reply, None),
        Err(error) => {
            let report = error.report(family);
            (error.into_reply(family, now), Some(report))
        }
    };
    let answered = Answered {
        stack: &app.config.stack,
        at: now,
        route: &route,
        status: reply.status.as_u16(),
        latency: started.elapsed().as_secs_f64() * 1000.0,
        is_first,
        reason: report.as_ref().map(|report| report.reason),
        limit: report.as_ref().and_then(|report| report.limit),
        error: report.and_then(|report| report.error),
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
        let route = self.0.route.as_deref().unwrap_or_default();
        let shown = if route.is_empty() { "none" } else { route };
        shown.to_owned()
    }

    /// The family of the route, whose envelope an error comes in.
    fn family(&self) -> Family {
        Family::of_path(self.0.path.as_deref().unwrap_or_default())
    }

    /// API Gateway's id of the request.
    fn request_id(&self) -> String {
        self.0.context.request_id.clone().unwrap_or_default()
    }

    /// The request, without its path: API Gateway has decoded it, so that it is no URI any more, and
    /// no route looks at it.
    fn into_request(self) -> Result<Request, HttpError> {
        let event = self.0;
        let (true, Some(method)) = (event.is_sound, event.context.http.method) else {
            return Err(HttpError::Unreadable);
        };
        let body = match event.body {
            Some(text) if event.is_base64_encoded => {
                Body::Binary(STANDARD.decode(text).map_err(|_| HttpError::Unreadable)?)
            }
            Some(text) => Body::Text(text),
            None => Body::Empty,
        };
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.headers_mut() = event.headers;
        request.extensions_mut().insert(Origin {
            peer: event
                .context
                .http
                .source_ip
                .and_then(|peer| peer.parse().ok()),
            path_parameters: event.path_parameters,
        });
        Ok(request)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Incoming::deserialize(deserializer).map(Self)
    }
}

fn into_response(reply: Reply) -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = i64::from(reply.status.as_u16());
    response.headers = reply.headers;
    response.body = Some(Body::Text(reply.body));
    response
}
