//! Injection: into headers, into lines of log and their metrics, into the tables' keys.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::app::{PASSWORD, TestApp, get, post};
use tests::logs::capture;
use tests::wire::Fault;

use super::{id_of, send, sign_up_as};
use crate::events::event;

/// Stands in everything that is injected here, and nowhere else.
const MARK: &str = "INJECTED";

/// What breaks out of a header, of a line, of a terminal, of JSON; and what makes metrics.
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

/// The mark of what may rightly be logged: all tests share one log, which is searched for what was
/// injected in place of a password or a token.
const LOGGED: &str = "INSERTED";

/// The payloads with that mark.
fn to_be_logged() -> impl Iterator<Item = String> {
    PAYLOADS
        .map(|payload| payload.replace(MARK, LOGGED))
        .into_iter()
}

/// What a line of a request may hold.
const FIELDS: [&str; 21] = [
    "level",
    "message",
    "request_id",
    "stack",
    "route",
    "status",
    "latency",
    "cold_start",
    "account",
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

/// These lines are ours alone: one for a request, of fields and metrics there are, and what counts
/// is counted once.
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
async fn nothing_of_a_body_reaches_a_header_or_a_line_of_log() {
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
        // The embedded DynamoDB logs into the same process.
        lines.retain(|line| line["fields"]["message"] != "error response");
        assert_ours(&lines, requests);
    }
}

#[tokio::test]
async fn nothing_of_a_header_a_path_or_a_query_reaches_an_answer_or_a_line_of_log() {
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
            // API Gateway passes on no header value that holds a control character.
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
async fn a_number_in_a_path_is_a_number() {
    let (app, token) = TestApp::with_user().await;
    app.api_key(&token, 1).await;

    for id in [
        "1%0d%0aINJECTED",
        "%31%00",
        "1;INJECTED",
        "..%2f1",
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

/// API Gateway makes request ids. One that it took from a caller would do no harm either.
#[tokio::test]
async fn a_request_id_is_text_in_its_line_whatever_it_holds() {
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
async fn what_dynamodb_says_of_a_failure_is_text_in_its_line_and_nowhere_else() {
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
async fn a_name_that_looks_like_a_key_of_the_tables_is_a_name() {
    let (app, token) = TestApp::with_user().await;
    let victim = app.user(&token).await.body;
    let id = victim["id"].as_str().unwrap();

    let names = [
        format!("user#{id}"),
        format!("profile#{id}"),
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
