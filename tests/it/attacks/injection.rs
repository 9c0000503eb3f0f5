//! Injection into headers, log lines, metrics and table keys.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::app::{PASSWORD, TestApp, get, post};
use tests::logs::capture;
use tests::wire::Fault;

use super::{id_of, send, sign_up_as};
use crate::events::event;

/// Occurs in every injected text and nowhere else.
const MARK: &str = "INJECTED";

/// Texts that try to break out of a header, a line, a terminal or JSON, or to create metrics.
const PAYLOADS: [&str; 9] = [
    "INJECTED\r\nSet-Cookie: INJECTED=1",
    "INJECTED\nINFO forged INJECTED",
    "INJECTED\r\n\r\n<html>INJECTED",
    "INJECTED\u{1b}[2J\u{1b}]0;INJECTED\u{7}",
    "INJECTED\u{2028}\u{2029}\u{85}INJECTED",
    "INJECTED\u{0}\u{8}\u{7f}INJECTED",
    "INJECTED\"},\"_aws\":{\"CloudWatchMetrics\":[{\"Namespace\":\"INJECTED\"}]},\"x\":{\"y\":\"",
    "{\"_aws\":{\"Timestamp\":1,\"CloudWatchMetrics\":[]},\"sign_ins\":999,\"z\":\"INJECTED\"}",
    "INJECTED${jndi:ldap://INJECTED} %n %s {} {{7*7}}",
];

/// Replaces [`MARK`] where the text may be logged: all tests share one log, which the other tests
/// search for [`MARK`].
const LOGGED: &str = "INSERTED";

fn to_be_logged() -> impl Iterator<Item = String> {
    PAYLOADS
        .map(|payload| payload.replace(MARK, LOGGED))
        .into_iter()
}

/// The fields that a request's log line may have.
const FIELDS: [&str; 22] = [
    "level",
    "message",
    "request_id",
    "stack",
    "route",
    "status",
    "latency",
    "cold_start",
    "account",
    "pseudonym",
    "reason",
    "limit",
    "error",
    "panicked_at",
    "sign_ups",
    "sign_ins",
    "failures",
    "refusals",
    "retries",
    "rings_unread",
    "_aws",
    "timestamp",
];

const METRICS: [&str; 7] = [
    "latency",
    "sign_ups",
    "sign_ins",
    "failures",
    "refusals",
    "retries",
    "rings_unread",
];

/// Asserts that there is one line per request, with known fields and metrics only, and that each
/// counter is 1.
fn assert_ours(lines: &[Value], requests: usize) {
    assert_eq!(lines.len(), requests, "{lines:#?}");
    for line in lines {
        for (name, value) in line.as_object().unwrap() {
            assert!(FIELDS.contains(&name.as_str()), "{name}: {line}");
            let is_a_count = METRICS[1..].contains(&name.as_str());
            assert!(!is_a_count || value == 1, "{line}");
        }
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        let mut names = BTreeSet::new();
        for directive in directives {
            assert_eq!(directive["Namespace"], "Latchkey", "{line}");
            let name = directive["Metrics"][0]["Name"].as_str().unwrap();
            assert!(METRICS.contains(&name), "{line}");
            assert!(names.insert(name), "{name} twice: {line}");
        }
    }
}

#[tokio::test]
async fn body_content_never_reaches_headers_or_logs() {
    let (app, token) = TestApp::with_user().await;

    for payload in PAYLOADS {
        let (lines, _guard) = capture();
        let mut requests = 0;
        for call in [
            post("/user", &json!({"email": payload, "password": PASSWORD})),
            post(
                "/user",
                &json!({"email": "a@b.example", "username": payload, "password": payload}),
            ),
            post(
                "/user/auth",
                &json!({"username": payload, "password": payload}),
            ),
            post(
                "/user/auth",
                &json!({"email": payload, "password": payload}),
            ),
            post(
                "/v1/auth/login",
                &json!({"username": payload, "password": payload}),
            ),
            post(
                "/v1/auth/user",
                &json!({"user": {"city": payload, "email": payload}}),
            ),
            post(
                "/v1/auth/user",
                &json!({"user": {payload: payload, "notes": payload}}),
            ),
            post(
                "/v1/auth/user",
                &json!({"user": {"image": payload, "birthDate": payload}}),
            ),
            post("/v1/api-keys", &json!({"name": payload, "permissions": 1})),
            post(
                "/v1/api-keys",
                &json!({"name": "a", "permissions": 1, "expireDate": payload}),
            ),
            post("/user", &json!({payload: {payload: [payload]}})),
        ] {
            let answer = app.call(call.bearer(&token)).await;
            requests += 1;
            let headers = format!("{:?}", answer.headers);
            assert!(!headers.contains(MARK), "{headers}");
            let is_echo = answer.status != 200 && answer.body.to_string().contains(MARK);
            assert!(!is_echo, "{answer:?}");
        }
        let mut lines = lines.take();
        assert!(!format!("{lines:?}").contains(MARK), "{lines:?}");
        // Skip the lines of the embedded DynamoDB, which logs in the same process.
        lines.retain(|line| line["fields"]["message"] != "error response");
        assert_ours(&lines, requests);
    }
}

#[tokio::test]
async fn headers_paths_and_queries_never_reach_responses_or_logs() {
    let app = TestApp::new().await;

    for payload in PAYLOADS {
        let (lines, _guard) = capture();
        let mut requests = 0;
        for name in [
            "user-agent",
            "referer",
            "origin",
            "x-forwarded-for",
            "x-amzn-trace-id",
            "x-request-id",
            "x-correlation-id",
            "traceparent",
            "accept-language",
            "host",
            "content-type",
            "authorization",
            "x-api-key",
        ] {
            // API Gateway rejects header values with control characters.
            if payload.chars().any(|c| c.is_ascii_control()) {
                continue;
            }
            let mut sent = event("get-user.json", "a.b.c");
            sent["headers"][name] = json!(payload);
            let (status, body) = send(&app, "get-user", &sent).await;

            requests += 1;
            assert!((400..500).contains(&status), "{name}: {status}");
            assert!(!body.to_string().contains(MARK), "{name}: {body}");
        }
        for (pointer, value) in [
            ("/rawPath", json!(format!("/user/{payload}"))),
            ("/rawQueryString", json!(payload)),
            ("/requestContext/http/path", json!(payload)),
            ("/requestContext/http/userAgent", json!(payload)),
            ("/requestContext/http/sourceIp", json!(payload)),
            ("/requestContext/domainName", json!(payload)),
        ] {
            let mut sent = event("get-user-no-credentials.json", "");
            *sent.pointer_mut(pointer).unwrap() = value;
            let (status, body) = send(&app, "get-user", &sent).await;

            requests += 1;
            assert!((400..500).contains(&status), "{pointer}: {status}");
            assert!(!body.to_string().contains(MARK), "{pointer}: {body}");
        }
        let lines = lines.take();
        assert_ours(&lines, requests);
        assert!(!format!("{lines:?}").contains(MARK), "{lines:?}");
    }
}

#[tokio::test]
async fn an_api_key_id_in_a_path_must_be_a_plain_number() {
    let (app, token) = TestApp::with_user().await;
    app.api_key(&token, 1).await;

    for id in [
        "1%0d%0aINJECTED",
        "%31%00",
        "1;INJECTED",
        "..%252f1",
        "+1",
        "-1",
        "1e0",
        "%F0%9F%92%A9",
    ] {
        let path = format!("/v1/api-keys/{id}");
        let call = tests::app::Call::new("DELETE", &path, axum::body::Body::empty());
        let answer = app.call(call.bearer(&token)).await;

        assert_eq!(answer.message(), "API key not found", "{id}");
    }
    assert_eq!(app.api_keys(&token).await[0]["revoked"], false);
}

/// API Gateway generates request ids, but one chosen by a caller would do no harm either.
#[tokio::test]
async fn a_request_id_cannot_inject_log_fields() {
    let app = TestApp::new().await;

    for payload in to_be_logged() {
        let (lines, _guard) = capture();
        let mut sent = event("get-user-no-credentials.json", "");
        sent["requestContext"]["requestId"] = json!(payload);
        send(&app, "get-user", &sent).await;

        let lines = lines.take();
        assert_ours(&lines, 1);
        assert_eq!(lines[0]["request_id"], payload);
        assert!(lines[0]["sign_ins"].is_null());
    }
}

#[tokio::test]
async fn a_dynamodb_error_message_cannot_inject_log_fields() {
    let (app, token) = TestApp::with_user().await;

    for payload in to_be_logged() {
        let error = json!({"__type": "ValidationException", "message": payload});
        app.wire
            .fail_next("BatchGetItem", 1, Fault::Answer(400, error));
        let (lines, _guard) = capture();
        let answer = app.call(get("/user").bearer(&token)).await;

        assert_eq!(answer.status, 500);
        assert!(!format!("{answer:?}").contains(LOGGED), "{answer:?}");
        let mut lines = lines.take();
        lines.retain(|line| line["_aws"].is_object());
        assert_ours(&lines, 1);
        assert_eq!(lines[0]["route"], "GET /user");
        assert!(lines[0]["error"].is_string());
        assert!(lines[0]["sign_ins"].is_null());
    }
}

#[tokio::test]
async fn a_username_that_looks_like_a_table_key_is_only_a_username() {
    let (app, token) = TestApp::with_user().await;
    let victim = app.user(&token).await.body;
    let id = victim["id"].as_str().unwrap();

    let names = [
        format!("user#{id}"),
        format!("own#{id}"),
        "email#abc".to_owned(),
        "username#abc".to_owned(),
        "#".to_owned(),
        "pk".to_owned(),
        ":now".to_owned(),
        "attribute_exists(pk)".to_owned(),
        "$gt".to_owned(),
        "'--".to_owned(),
    ];
    let mut signed_up = 0;
    for (n, name) in names.iter().enumerate() {
        let eve = sign_up_as(&app, name, &format!("eve{n}@example.com"), "eve-s-password").await;
        assert_eq!(eve.status, 200, "{name}: {eve:?}");
        signed_up += 1;
        assert_ne!(id_of(&eve), id);
        assert_eq!(
            id_of(&app.sign_in(name, "eve-s-password").await),
            id_of(&eve)
        );
    }

    assert_eq!(app.user(&token).await.body, victim);
    assert_eq!(app.account_count().await, 1 + signed_up);
    let local_part = "user#x'--{}@example.com";
    let eve = app.sign_up(local_part).await;
    assert_eq!(eve.body["user"]["email"], local_part);
}
