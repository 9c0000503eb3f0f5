//! API Gateway events: the samples under `events/`, and unusual events that API Gateway can send.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use local::functions::{DEFAULT_ROUTE, invoke, operate};
use local::keys::fresh_ring;
use local::secrets::Secrets;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use shared::http::event::{ApiGatewayV2httpRequest, answer};
use shared::keys::rotation::key_plan;
use tests::app::{Call, MAIL, PASSWORD, TestApp};
use tests::call::claim_of;

use crate::key_rotation::with_secret;
use crate::layout::names_in;

/// The sample event with this file name, this token, the id of its session, and that of its account.
pub(crate) fn event(name: &str, token: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let text = std::fs::read_to_string(path.join(name)).unwrap();
    let claim = |name| claim_of(token, name).unwrap_or_else(|| "0".to_owned());
    let text = text
        .replace("TOKEN", token)
        .replace("SESSION", &claim("sid"))
        .replace("ACCOUNT", &claim("sub"));
    serde_json::from_str(&text).unwrap()
}

fn parsed(event: &Value) -> Box<ApiGatewayV2httpRequest> {
    serde_json::from_str(&event.to_string()).unwrap()
}

/// The event with the value at this JSON pointer replaced, or added at the top level.
fn with(event: &Value, pointer: &str, value: &Value) -> Value {
    let mut event = event.clone();
    match event.pointer_mut(pointer) {
        Some(old) => *old = value.clone(),
        None => event[&pointer[1..]] = value.clone(),
    }
    event
}

pub(crate) async fn send(app: &TestApp, function: &str, event: &Value) -> (i64, Value) {
    let response = invoke(function, &app.app, parsed(event)).await.unwrap();
    let response = serde_json::to_value(&response).unwrap();
    let body = response["body"].as_str().unwrap();
    (
        response["statusCode"].as_i64().unwrap(),
        serde_json::from_str(body).unwrap(),
    )
}

/// The expected answer to a sample event: an entry of `tests/events.json`, in sending order.
#[derive(Deserialize)]
struct Expectation {
    function: String,
    event: String,
    /// `None` for an operator function, which has no route.
    status: Option<i64>,
    /// Members that the body must contain. A refusal by an operator function is Lambda's
    /// `errorMessage`.
    #[serde(default)]
    body: Map<String, Value>,
}

fn expectations() -> Vec<Expectation> {
    serde_json::from_str(include_str!("../events.json")).unwrap()
}

/// The request of each endpoint that succeeds: the event that has the endpoint's name. An endpoint that
/// takes a code or a ticket has none, nor has the one that would delete the only administrator.
pub(crate) fn good_requests(token: &str) -> Vec<Call> {
    requests(token, |status| status == 200)
}

/// The sample request of each endpoint.
pub(crate) fn sample_requests(token: &str) -> Vec<Call> {
    requests(token, |_| true)
}

fn requests(token: &str, is_wanted: fn(i64) -> bool) -> Vec<Call> {
    let wanted = expectations()
        .into_iter()
        .filter(|one| one.status.is_some_and(is_wanted))
        // Of the function with several routes there is one event for each.
        .filter(|one| one.event == one.function || one.function == "well-known")
        .filter(|one| one.function != DEFAULT_ROUTE);
    wanted
        .map(|one| {
            let event = event(&format!("{}.json", one.event), token);
            let body = event["body"].as_str().unwrap_or_default().to_owned();
            let method = event["requestContext"]["http"]["method"].as_str();
            let part = |name: &str| event[name].as_str().unwrap();
            let path = format!("{}?{}", part("rawPath"), part("rawQueryString"));
            let call = Call::new(method.unwrap(), &path, body.into());
            let headers = event["headers"].as_object().unwrap().iter();
            headers.fold(call, |call, (name, value)| {
                call.header(name, value.as_str().unwrap())
            })
        })
        .collect()
}

#[tokio::test]
async fn every_sample_event_gets_the_expected_answer() {
    let base = TestApp::new().await;
    let ring = fresh_ring(&key_plan(&base.app.config)).unwrap();
    let secrets = Secrets::start(Ipv4Addr::LOCALHOST.into(), &ring).await;
    let app = with_secret(&base, &secrets.unwrap(), &MAIL);
    let mut token = app.sign_up("abc@example.com").await.token();

    for expected in expectations() {
        let event = event(&format!("{}.json", expected.event), &token);
        let (status, body) = if expected.status.is_some() {
            let (status, body) = send(&app, &expected.function, &event).await;
            (Some(status), body)
        } else if expected.function == "deliver" {
            (None, app.deliver_event(event).await)
        } else if expected.function == "deliver-webhook" {
            (None, app.deliver_webhook_event(event).await)
        } else if expected.function == "erase-account" {
            (None, app.erase_event(event).await)
        } else {
            let done = operate(&expected.function, &app.app, event).await.unwrap();
            let refused = |refusal| json!({ "errorMessage": refusal });
            (None, done.unwrap_or_else(refused))
        };

        assert_eq!(status, expected.status, "{}: {body}", expected.event);
        if expected.event == "sign-in" {
            body["token"].as_str().unwrap().clone_into(&mut token);
        }
        for (name, value) in expected.body {
            assert_eq!(body[&name], value, "{}: {body}", expected.event);
        }
    }
}

#[test]
fn every_sample_event_has_an_expected_answer() {
    let expected = expectations()
        .into_iter()
        .map(|one| format!("{}.json", one.event));

    assert_eq!(expected.collect::<BTreeSet<_>>(), names_in("events"));
}

#[tokio::test]
async fn a_base64_body_is_decoded_before_its_size_is_checked() {
    let app = TestApp::new().await;
    let mut event = event("create-user.json", "");
    let body = json!({"email": "abc@example.com", "password": PASSWORD}).to_string();
    event["isBase64Encoded"] = json!(true);

    event["body"] = json!(STANDARD.encode(&body));
    assert_eq!(send(&app, "create-user", &event).await.0, 200);

    event["body"] = json!(STANDARD.encode(vec![b' '; 16 * 1024 + 1]));
    assert_eq!(send(&app, "create-user", &event).await.0, 413);

    event["body"] = json!("not base64!");
    let (status, body) = send(&app, "create-user", &event).await;
    assert_eq!(status, 400);
    assert_eq!(body["message"], "Invalid request");
}

#[tokio::test]
async fn an_invalid_path_query_or_header_does_not_fail_the_invocation() {
    let app = TestApp::new().await;
    let good = event("get-user-no-credentials.json", "");
    let long = format!("/{}", "a".repeat(70_000));

    for (pointer, value) in [
        ("/rawQueryString", json!("a=<>\"{}| \u{0}é")),
        ("/rawPath", json!("/user<>\"{}|\\^` é\u{0}")),
        ("/rawPath", json!("")),
        ("/rawPath", json!(":99999")),
        ("/rawPath", json!(long)),
        ("/headers/host", json!("a b:/\\?#@[")),
        ("/headers/x-forwarded-proto", json!("!!")),
        ("/headers/user-agent", json!("Jürgen's browser ✓")),
        ("/headers/x-forwarded-for", json!("é")),
        ("/requestContext/domainName", json!("a b")),
        ("/requestContext/stage", json!("a b")),
        ("/requestContext/http/sourceIp", json!("nowhere")),
        ("/requestContext/http/sourceIp", json!(null)),
        ("/cookies", json!(["a\u{0}b"])),
    ] {
        let event = with(&good, pointer, &value);
        let (status, body) = send(&app, "get-user", &event).await;

        assert_eq!(status, 401, "{pointer} {value}: {body}");
    }
}

#[tokio::test]
async fn a_decoded_path_that_is_not_a_valid_uri_reaches_its_endpoint() {
    let app = TestApp::new().await;
    let token = app.sign_up("abc@example.com").await.token();
    let mut event = event("revoke-api-key.json", &token);
    for id in ["a b", "<\u{7f}é\u{0}%", "1 "] {
        event["rawPath"] = json!(format!("/v1/api-keys/{id}"));
        event["pathParameters"] = json!({"id": id});
        let (status, body) = send(&app, "revoke-api-key", &event).await;
        assert_eq!(status, 404, "{id:?}: {body}");

        let mut unknown = event.clone();
        unknown["headers"]["authorization"] = json!("Bearer a.b.c");
        assert_eq!(
            send(&app, "revoke-api-key", &unknown).await.0,
            401,
            "{id:?}"
        );
    }
}

#[tokio::test]
async fn the_route_that_matched_decides_the_envelope_whatever_the_path_as_sent() {
    let app = TestApp::new().await;
    for (function, name, paths, is_management) in [
        (
            "log-in",
            "log-in-wrong-password.json",
            [
                "//v1/auth/login",
                "/prod/v1/auth/login",
                "/a/b//v1/auth/login",
                "",
            ],
            true,
        ),
        (
            "get-user",
            "get-user-no-credentials.json",
            ["//user", "/v1/user", "/v1//user", ""],
            false,
        ),
    ] {
        let good = event(name, "");
        let expected = send(&app, function, &good).await;
        assert_eq!(expected.0, 401);
        assert_eq!(expected.1["success"] == false, is_management);
        assert_eq!(expected.1["statusCode"] == 401, !is_management);
        for path in paths {
            let sent = with(&good, "/rawPath", &json!(path));
            let sent = with(&sent, "/requestContext/http/path", &json!(path));

            assert_eq!(send(&app, function, &sent).await, expected, "{path}");
        }
    }
}

#[tokio::test]
async fn a_non_ascii_authorization_header_is_refused() {
    let app = TestApp::new().await;
    let mut event = event("create-user.json", "");
    event["headers"]["authorization"] = json!("Bearer é.b.c");

    let (status, body) = send(&app, "create-user", &event).await;

    assert_eq!(status, 401, "{body}");
}

#[tokio::test]
async fn a_hanging_endpoint_answers_503_before_lambda_times_out() {
    let app = TestApp::new().await;
    let event = parsed(&event("get-user.json", ""));
    tokio::time::pause();
    let started = tokio::time::Instant::now();

    let response = answer(&app.app, event, &|_, _| Box::pin(std::future::pending())).await;

    assert_eq!(response.status_code, 503);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_panic_answers_500_and_does_not_affect_the_next_request() {
    let app = TestApp::new().await;
    let bad = parsed(&event("get-user.json", ""));

    let response = answer(&app.app, bad, &|_, _| Box::pin(async { panic!("s3cret") })).await;

    assert_eq!(response.status_code, 500);
    assert!(!format!("{:?}", response.body).contains("s3cret"));
    assert_eq!(app.sign_up("abc@example.com").await.status, 200);
}
