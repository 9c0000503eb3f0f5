//! Requests as API Gateway lets them through: any headers and any body for a route that there is.
//! See [`crate::exchange`] for what must hold.
//!
//! An input is written like a request, so that whoever changes it at random often changes one
//! thing:
//!
//! ```text
//! update-profile
//! :plan ..x
//! authorization: Bearer TOKEN
//!
//! {"user": {"firstName": "Ada"}}
//! ```
//!
//! A line with a colon in front is for the execution: `:plan` says how DynamoDB goes wrong, `:raw`
//! what it then says, `:ip` who asks, `:id` stands in the path, and `:strict` is for what an
//! operator may set.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::exchange::{Exchange, Route, route_of};
use crate::world::{NOW, Settings, with_secrets};

/// Runs one input.
pub fn run(input: &[u8]) {
    let _ = answered(input);
}

/// The function that was invoked, and its status.
#[must_use]
pub fn answered(input: &[u8]) -> Option<(&'static str, u16)> {
    let request = Request::parse(input);
    let event = request.event().to_string();
    let exchange = Exchange {
        route: request.route,
        event: &event,
        plan: request.plan.as_bytes(),
        raw: &request.raw,
        settings: request.settings,
    };
    let answer = exchange.run_as_described()?;
    Some((request.route.0, answer.status))
}

struct Request<'i> {
    route: Route,
    plan: Cow<'i, str>,
    raw: Cow<'i, str>,
    ip: Cow<'i, str>,
    id: Cow<'i, str>,
    settings: Settings,
    headers: Map<String, Value>,
    body: &'i [u8],
}

impl<'i> Request<'i> {
    fn parse(input: &'i [u8]) -> Self {
        let (function, mut rest) = line_of(input);
        let mut request = Self {
            route: route_of(function),
            plan: "".into(),
            raw: "".into(),
            ip: "192.0.2.1".into(),
            id: "1".into(),
            settings: Settings::Default,
            headers: Map::new(),
            body: &[],
        };
        while !rest.is_empty() {
            let (line, after) = line_of(rest);
            rest = after;
            if line.is_empty() {
                break;
            }
            request.read(&String::from_utf8_lossy(line));
        }
        request.body = rest;
        request
    }

    fn read(&mut self, line: &str) {
        if let Some(setting) = line.strip_prefix(':') {
            let (name, value) = setting.split_once(' ').unwrap_or((setting, ""));
            let value = Cow::Owned(value.to_owned());
            match name {
                "plan" => self.plan = value,
                "raw" => self.raw = value,
                "ip" => self.ip = value,
                "id" => self.id = value,
                "strict" => self.settings = Settings::Strict,
                _ => {}
            }
        } else if let Some((name, value)) = line.split_once(':') {
            // As API Gateway does: only what is a name, in lower case, and what is sent twice joined.
            let is_of_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
            if name.is_empty() || !name.chars().all(is_of_token) {
                return;
            }
            let value = with_secrets(value.trim());
            let name = name.to_ascii_lowercase();
            let joined = match self.headers.get(&name).and_then(Value::as_str) {
                Some(first) => format!("{first},{value}"),
                None => value,
            };
            self.headers.insert(name, joined.into());
        }
    }

    fn event(&self) -> Value {
        let (_, method, path, _) = self.route;
        let (body, is_base64) = match std::str::from_utf8(self.body) {
            Ok("") => (Value::Null, false),
            Ok(text) => (with_secrets(text).into(), false),
            Err(_) => (STANDARD.encode(self.body).into(), true),
        };
        let raw_path = path.replace("{id}", &self.id);
        json!({
            "version": "2.0",
            "routeKey": format!("{method} {path}"),
            "rawPath": raw_path,
            "rawQueryString": "",
            "headers": self.headers,
            "pathParameters": {"id": self.id},
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "abc123",
                "http": {
                    "method": method,
                    "path": raw_path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": self.ip,
                    "userAgent": "",
                },
                "requestId": "fuzz",
                "routeKey": format!("{method} {path}"),
                "stage": "$default",
                "timeEpoch": NOW.millis(),
            },
            "body": body,
            "isBase64Encoded": is_base64,
        })
    }
}

/// The first line, and what follows it.
fn line_of(input: &[u8]) -> (&[u8], &[u8]) {
    match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[]),
    }
}
