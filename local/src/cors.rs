//! CORS as in API Gateway with the stack's `CorsOrigins`, but for every origin on this machine.

use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{
    AUTHORIZATION, CONTENT_TYPE, LINK, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tower::{Layer, ServiceExt};
use tower_http::cors::{AllowOrigin, CorsLayer};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Allows pages from `localhost`, on any port, to call the API. Requests without an `Origin` are
/// passed on unchanged.
pub async fn permissive_to_localhost(request: Request, next: Next) -> Response {
    if !request.headers().contains_key(ORIGIN) {
        return next.run(request).await;
    }
    // The layer answers these itself, with 200.
    let is_preflight = request.method() == Method::OPTIONS;
    let answered = layer().layer(next).oneshot(request).await;
    let mut response = answered.unwrap_or_else(|never| match never {});
    if is_preflight {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}

fn layer() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_of_this_machine))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, API_KEY])
        .expose_headers([
            LINK,
            RATE_LIMIT,
            RATE_LIMIT_POLICY,
            RETRY_AFTER,
            WWW_AUTHENTICATE,
        ])
        .max_age(Duration::from_mins(10))
}

fn is_of_this_machine(origin: &HeaderValue, _: &Parts) -> bool {
    let origin = origin.to_str().unwrap_or_default();
    let host = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    let host = host.map(|host| match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => host,
    });
    matches!(host, Some("localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn only_origins_on_this_machine_are_allowed() {
        let (parts, ()) = Request::new(()).into_parts();
        for (origin, may) in [
            ("http://localhost", true),
            ("http://localhost:5173", true),
            ("https://127.0.0.1:8443", true),
            ("http://[::1]:3000", true),
            ("http://localhost.example.com", false),
            ("http://localhost:5173.example.com", false),
            ("http://example.com", false),
            ("http://example.com:80#localhost", false),
            ("file://localhost", false),
            ("null", false),
        ] {
            let origin_header = HeaderValue::from_static(origin);
            assert_eq!(is_of_this_machine(&origin_header, &parts), may, "{origin}");
        }
    }
}
