//! HTTP requests and answers, as a client sees them.

use std::net::SocketAddr;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use local::template::Route;
use serde_json::{Value, json};
use shared::http::request::form_urlencoded;

#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The message of an error, or an empty string.
    #[must_use]
    pub fn message(&self) -> &str {
        let message = self.body.get("message");
        let message = message.or_else(|| self.body.get("error_description"));
        message.and_then(Value::as_str).unwrap_or_default()
    }

    /// The token in the body. Panics without one.
    #[must_use]
    pub fn token(&self) -> String {
        self.text("/token")
    }

    /// The string at a JSON pointer into the body. Panics without one.
    #[must_use]
    pub fn text(&self, pointer: &str) -> String {
        let text = self.body.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("no {pointer}: {self:?}"))
            .to_owned()
    }

    /// Panics unless the answer is this error, in the envelope of the Appmixer family.
    #[track_caller]
    pub fn assert_refused(&self, status: u16, error: &str, message: &str) {
        let body = json!({"statusCode": status, "error": error, "message": message});
        assert_eq!((self.status, &self.body), (status, &body), "{self:?}");
    }

    /// A header, if it appears exactly once.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }
}

#[derive(Debug)]
pub struct Call {
    pub request: Request<Body>,
    /// The source address.
    pub peer: SocketAddr,
}

/// A `POST` of a JSON body.
#[must_use]
pub fn post(path: &str, body: &Value) -> Call {
    post_bytes(path, body.to_string())
}

/// A `POST` of any bytes, declared to be JSON.
#[must_use]
pub fn post_bytes(path: &str, body: impl Into<Body>) -> Call {
    Call::new("POST", path, body.into()).header("content-type", "application/json")
}

/// A `POST` of a form.
#[must_use]
pub fn post_form(path: &str, fields: &[(&str, &str)]) -> Call {
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let content_type = "application/x-www-form-urlencoded";
    Call::new("POST", path, form.into()).header("content-type", content_type)
}

#[must_use]
pub fn get(path: &str) -> Call {
    Call::new("GET", path, Body::empty())
}

impl Call {
    /// A request from 192.0.2.1.
    #[must_use]
    pub fn new(method: &str, path: &str, body: Body) -> Self {
        let request = Request::builder().method(method).uri(path).body(body);
        Self {
            request: request.expect("a request"),
            peer: SocketAddr::from(([192, 0, 2, 1], 40000)),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header value");
        self.request.headers_mut().append(name, value);
        self
    }

    /// Removes a header.
    #[must_use]
    pub fn without(mut self, name: &'static str) -> Self {
        self.request.headers_mut().remove(name);
        self
    }

    /// Adds `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header(header::AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// Adds `x-api-key`.
    #[must_use]
    pub fn api_key(self, key: &str) -> Self {
        self.header("x-api-key", key)
    }

    #[must_use]
    pub fn is_for(&self, route: &Route) -> bool {
        self.request.method() == route.method.as_str() && route.matches(self.request.uri().path())
    }

    /// Sets the source address.
    #[must_use]
    pub fn from(mut self, ip: &str) -> Self {
        self.peer = SocketAddr::new(ip.parse().expect("an address"), 40000);
        self
    }
}

/// A claim of a token; `None` if the text is no token.
#[must_use]
pub fn claim_of(token: &str, name: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    Some(claims[name].as_str()?.to_owned())
}
