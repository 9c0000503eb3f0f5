//! An edge in front of API Gateway, which sends a secret with each request.

use serde_json::{Value, json};
use tests::app::TestApp;
use tests::logs::capture;

use crate::events::{event, send};

const NEW: &str = "0123456789abcdef0123456789abcdef";
const OLD: &str = "fedcba9876543210fedcba9876543210";

async fn behind_edge() -> TestApp {
    let both = format!("{NEW},{OLD}");
    TestApp::with(&[("ORIGIN_SECRET", &both), ("TRUSTED_PROXY_HOPS", "1")]).await
}

fn with_secret(mut event: Value, secret: &str) -> Value {
    event["headers"]["x-origin-secret"] = json!(secret);
    event
}

#[tokio::test]
async fn a_request_without_the_origin_secret_is_refused_before_anything_is_looked_up() {
    let app = behind_edge().await;
    let (lines, _guard) = capture();
    let wrong = NEW.replace('0', "1");

    for secret in [
        "",
        &wrong,
        &NEW[..31],
        &format!("{NEW},{OLD}"),
        &NEW.to_uppercase(),
    ] {
        for (function, refusal) in [
            (
                "sign-in",
                json!({"statusCode": 403, "error": "Forbidden", "message": "Forbidden"}),
            ),
            (
                "log-in",
                json!({"success": false, "code": 1010, "message": "Forbidden"}),
            ),
            (
                "default-route",
                json!({"statusCode": 403, "error": "Forbidden", "message": "Forbidden"}),
            ),
        ] {
            let without = event(&format!("{function}.json"), "");
            let with = with_secret(without.clone(), secret);

            assert_eq!(send(&app, function, &without).await, (403, refusal.clone()));
            assert_eq!(
                send(&app, function, &with).await,
                (403, refusal),
                "{secret}"
            );
        }
    }
    assert!(app.wire.take_calls().is_empty());
    for line in lines.take() {
        assert_eq!(line["reason"], "NotThroughEdge");
        assert!(!line.to_string().contains(&NEW[..16]), "{line}");
    }
}

#[tokio::test]
async fn the_new_and_the_old_origin_secret_are_accepted() {
    let app = behind_edge().await;
    let sign_up = event("create-user.json", "");
    let (status, _) = send(&app, "create-user", &with_secret(sign_up, NEW)).await;
    assert_eq!(status, 200);

    for secret in [NEW, OLD] {
        let root = with_secret(event("default-route.json", ""), secret);
        assert_eq!(send(&app, "default-route", &root).await.0, 200);
    }
}

#[tokio::test]
async fn behind_an_edge_the_address_that_it_saw_is_the_source() {
    let app = behind_edge().await;
    let mut sign_up = with_secret(event("create-user.json", ""), NEW);
    sign_up["headers"]["x-forwarded-for"] = json!("6.6.6.6, 198.51.100.7, 203.0.113.9");
    sign_up["requestContext"]["http"]["sourceIp"] = json!("203.0.113.9");

    assert_eq!(send(&app, "create-user", &sign_up).await.0, 200);

    let counters = app.items(&app.app.config.tables.rate_limits).await;
    let by_address: Vec<_> = counters
        .keys()
        .filter(|key| key.starts_with("sign-up-ip#"))
        .collect();
    assert_eq!(by_address, ["sign-up-ip#198.51.100.7"]);
}

#[tokio::test]
async fn without_an_edge_the_header_means_nothing() {
    let app = TestApp::new().await;
    let root = event("default-route.json", "");

    assert_eq!(send(&app, "default-route", &root).await.0, 200);
    let root = with_secret(root, "anything");
    assert_eq!(send(&app, "default-route", &root).await.0, 200);
}
