//! The API reference that `make run` serves loads nothing from other hosts.

use std::collections::BTreeSet;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use local::{docs, openapi};
use tower::ServiceExt;

async fn get(path: &str) -> (StatusCode, HeaderMap, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = docs::router().unwrap().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let body = String::from_utf8_lossy(&body).into_owned();
    (parts.status, parts.headers, body)
}

/// The text after each mark, up to the next quote or bracket.
fn after<'t>(text: &'t str, mark: &str) -> impl Iterator<Item = &'t str> {
    let rest = text.split(mark).skip(1);
    rest.filter_map(|rest| {
        rest.trim_start_matches(['"', '\''])
            .split(['"', '\'', ')'])
            .next()
    })
}

#[tokio::test]
async fn the_server_serves_the_generated_openapi_document() {
    let (status, headers, body) = get("/openapi.json").await;

    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(body, openapi::text().unwrap());
}

#[tokio::test]
async fn the_reference_page_loads_nothing_from_another_host() {
    let (status, headers, page) = get("/docs/").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "text/html");
    assert!(!page.contains("//cdn") && !page.contains("http"), "{page}");

    let assets: BTreeSet<&str> = after(&page, "src=\"")
        .chain(after(&page, "href=\""))
        .collect();
    assert!(assets.len() >= 4, "{assets:?}");
    for asset in assets {
        let path = format!("/docs/{}", asset.trim_start_matches("./"));
        let (status, headers, body) = get(&path).await;

        assert_eq!(status, StatusCode::OK, "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert!(!body.is_empty(), "{path}");
        if headers["content-type"] == "text/css" {
            let loads = after(&body, "url(").chain(after(&body, "@import"));
            for loaded in loads {
                let is_own = loaded.starts_with("data:") || !loaded.contains("//");
                assert!(is_own, "{path} loads {loaded}");
            }
        }
    }
}

#[tokio::test]
async fn the_content_security_policy_allows_no_other_host() {
    let (_, headers, _) = get("/docs/").await;
    let policy = headers["content-security-policy"].to_str().unwrap();

    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    for directive in policy.split(';') {
        let sources = directive.split_whitespace().skip(1);
        for source in sources {
            let is_own = ["'none'", "'self'", "'unsafe-inline'", "data:"].contains(&source);
            assert!(is_own, "{directive}");
        }
    }
    let (_, _, settings) = get("/docs/swagger-initializer.js").await;
    assert!(
        settings.contains("\"url\": \"/openapi.json\""),
        "{settings}"
    );
    assert!(
        settings.contains("\"validatorUrl\": \"none\""),
        "{settings}"
    );
}

#[tokio::test]
async fn docs_without_a_slash_redirects_and_unknown_paths_are_not_found() {
    let (status, headers, _) = get("/docs").await;
    assert_eq!(status, StatusCode::PERMANENT_REDIRECT);
    assert_eq!(headers["location"], "/docs/");

    for path in [
        "/docs/nothing.js",
        "/docs/../Cargo.toml",
        "/docs/%2e%2e/Cargo.toml",
    ] {
        let (status, ..) = get(path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
}
