//! The events API Gateway would send (HTTP API, payload version 2.0).

use serde_json::{Value, json};
use shared::ports::{Clock, SystemClock};

/// The password of everyone who signs up here.
pub(super) const PASSWORD: &str = "correct horse battery";

/// `GET /user`.
pub(super) fn get_user(token: &str) -> String {
    let mut event = event("GET", "/user");
    set(&mut event, "authorization", &format!("Bearer {token}"));
    event.to_string()
}

/// `POST /user`.
pub(super) fn sign_up(email: &str) -> String {
    post("/user", &json!({"email": email, "password": PASSWORD}))
}

/// `POST /user/auth`.
pub(super) fn sign_in(email: &str, password: &str) -> String {
    post("/user/auth", &json!({"email": email, "password": password}))
}

fn post(path: &str, body: &Value) -> String {
    let body = body.to_string();
    let mut event = event("POST", path);
    set(&mut event, "content-type", "application/json");
    set(&mut event, "content-length", &body.len().to_string());
    if let Some(event) = event.as_object_mut() {
        event.insert("body".to_owned(), body.into());
    }
    event.to_string()
}

fn set(event: &mut Value, header: &str, value: &str) {
    let headers = event.get_mut("headers").and_then(Value::as_object_mut);
    if let Some(headers) = headers {
        headers.insert(header.to_owned(), value.into());
    }
}

fn event(method: &str, path: &str) -> Value {
    let route_key = format!("{method} {path}");
    let host = "bench.execute-api.local.amazonaws.com";
    let user_agent = "bench/1";
    json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "host": host,
            "user-agent": user_agent,
            "x-amzn-trace-id": "Root=1-00000000-000000000000000000000000",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "bench",
            "apiId": "bench",
            "domainName": host,
            "domainPrefix": "bench",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": user_agent,
            },
            "requestId": "bench",
            "routeKey": route_key,
            "stage": "$default",
            "timeEpoch": SystemClock.now().millis(),
        },
        "isBase64Encoded": false,
    })
}
