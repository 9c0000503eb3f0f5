//! The API's reference for `make run`: `/openapi.json`, and `/docs`, where Swagger UI renders it.
//! Every asset is in this binary; none comes from another host.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::routing::get;
use utoipa_swagger_ui::Config;

use crate::openapi;

/// Headers of every page and asset. Swagger UI needs inline styles, and data URLs for its icons.
const SECURITY: [(&str, &str); 4] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
         img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
];

pub fn router() -> Result<Router, serde_json::Error> {
    let document = openapi::text()?;
    let document = move || async move { answer(StatusCode::OK, "application/json", document) };
    let config = Config::from("/openapi.json")
        .validator_url("none")
        .try_it_out_enabled(true);
    Ok(Router::new()
        .route("/openapi.json", get(document))
        .route("/docs", get(async || redirect("/docs/")))
        .route("/docs/", get(index))
        .route("/docs/{*file}", get(asset))
        .with_state(Arc::new(config)))
}

async fn index(State(config): State<Arc<Config<'static>>>) -> Response<Body> {
    file("index.html", config)
}

async fn asset(
    State(config): State<Arc<Config<'static>>>,
    Path(path): Path<String>,
) -> Response<Body> {
    file(&path, config)
}

fn file(path: &str, config: Arc<Config<'static>>) -> Response<Body> {
    match utoipa_swagger_ui::serve(path, config) {
        Ok(Some(file)) => answer(StatusCode::OK, &file.content_type, file.bytes.into_owned()),
        _ => answer(StatusCode::NOT_FOUND, "text/plain", "Not Found"),
    }
}

fn redirect(to: &'static str) -> Response<Body> {
    let mut response = answer(StatusCode::PERMANENT_REDIRECT, "text/plain", to);
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_static(to));
    response
}

fn answer(status: StatusCode, content_type: &str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in SECURITY {
        let name = HeaderName::from_static(name);
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        headers.insert(CONTENT_TYPE, content_type);
    }
    response
}
