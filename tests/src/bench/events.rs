//! The events API Gateway would send (HTTP API, payload version 2.0).

use serde_json::{Value, json};
use shared::ports::{Clock, SystemClock};

/// The password of everyone who signs up here.
pub(super) const PASSWORD: &str = "correct horse battery";

/// `GET /user`.
pub(super) fn get_user(token: &str) -> String {
    Event::new("GET", "/user").bearer(token).text()
}

/// `POST /user`.
pub(super) fn sign_up(email: &str) -> String {
    let body = json!({"email": email, "password": PASSWORD});
    Event::new("POST", "/user").body(&body).text()
}

/// `POST /user/auth`.
pub(super) fn sign_in(email: &str, password: &str) -> String {
    let body = json!({"email": email, "password": password});
    Event::new("POST", "/user/auth").body(&body).text()
}

/// An event under construction.
#[derive(Debug, Clone)]
pub(super) struct Event(Value);

impl Event {
    /// An event of a route whose path has nothing that varies.
    pub(super) fn new(method: &str, path: &str) -> Self {
        Self::of_route(&format!("{method} {path}"), method, path)
    }

    /// `DELETE /v1/api-keys/{id}`.
    pub(super) fn revoke(id: u64) -> Self {
        let path = format!("/v1/api-keys/{id}");
        let event = Self::of_route("DELETE /v1/api-keys/{id}", "DELETE", &path);
        event.with("pathParameters", json!({"id": id.to_string()}))
    }

    /// With a token.
    pub(super) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With an API key.
    pub(super) fn api_key(self, key: &str) -> Self {
        self.header("x-api-key", key)
    }

    /// With a body of JSON.
    pub(super) fn body(self, body: &Value) -> Self {
        let body = body.to_string();
        self.header("content-type", "application/json")
            .header("content-length", &body.len().to_string())
            .with("body", body.into())
    }

    /// The event itself.
    pub(super) fn text(&self) -> String {
        self.0.to_string()
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        if let Some(event) = self.0.as_object_mut() {
            event.insert(name.to_owned(), value);
        }
        self
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        let headers = self.0.get_mut("headers").and_then(Value::as_object_mut);
        if let Some(headers) = headers {
            headers.insert(name.to_owned(), value.into());
        }
        self
    }

    fn of_route(route_key: &str, method: &str, path: &str) -> Self {
        let host = "bench.execute-api.local.amazonaws.com";
        let user_agent = "bench/1";
        Self(json!({
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
        }))
    }
}
