//! A receiver of webhooks on this machine.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::wire::lock;

/// The key of Standard Webhooks' test vector, as `tests/vectors/webhook-key` has it.
pub const KEY: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A running receiver. It stops when its tokio runtime does.
#[derive(Debug, Clone)]
pub struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<Received>>,
}

#[derive(Debug, Default)]
struct Received {
    key: &'static str,
    webhooks: Vec<Webhook>,
    replies: VecDeque<Reply>,
    has_come: Arc<Notify>,
}

/// A webhook whose signature is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: String,
    /// In seconds.
    pub timestamp: i64,
    pub body: Value,
}

/// How the receiver treats a webhook.
#[derive(Debug, Clone, Copy)]
pub enum Reply {
    Status(u16),
    /// A redirect with this status, to the receiver itself.
    Redirect(u16),
    /// No response.
    Never,
    /// Status 204 once another webhook has come.
    AfterAnother,
}

impl Receiver {
    /// Listens on a free port. Webhooks must be signed with this key, which is in base64.
    pub async fn start(key: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let received = Received {
            key,
            ..Received::default()
        };
        let state = Arc::new(Mutex::new(received));
        let router = Router::new().fallback(take).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/hook?tenant=1", self.address)
    }

    /// Decides how the next webhook is treated that has no reply yet. Without one the status is 204.
    pub fn reply_next(&self, reply: Reply) {
        lock(&self.state).replies.push_back(reply);
    }

    /// Removes and returns what was received, oldest first.
    #[must_use]
    pub fn take(&self) -> Vec<Webhook> {
        std::mem::take(&mut lock(&self.state).webhooks)
    }
}

async fn take(
    State(state): State<Arc<Mutex<Received>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let key = lock(&state).key;
    let webhook = verified(key, &headers, &body);
    let (reply, has_come) = {
        let mut received = lock(&state);
        received.webhooks.push(webhook);
        let reply = received.replies.pop_front();
        (
            reply.unwrap_or(Reply::Status(204)),
            Arc::clone(&received.has_come),
        )
    };
    if let Reply::AfterAnother = reply {
        has_come.notified().await;
    } else {
        has_come.notify_one();
    }
    let status = |status| StatusCode::from_u16(status).expect("a status");
    match reply {
        Reply::Status(code) => status(code).into_response(),
        Reply::Redirect(code) => (status(code), [(LOCATION, "/elsewhere")]).into_response(),
        Reply::Never => std::future::pending().await,
        Reply::AfterAnother => status(204).into_response(),
    }
}

/// Verifies a webhook as the specification of Standard Webhooks tells receivers to.
fn verified(key: &str, headers: &HeaderMap, body: &[u8]) -> Webhook {
    let header = |name| headers[name].to_str().expect("text").to_owned();
    assert_eq!(header("content-type"), "application/json");
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let key = STANDARD.decode(key).expect("base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    let signature = header("webhook-signature");
    let signature = signature.strip_prefix("v1,").expect("version 1");
    let signature = STANDARD.decode(signature).expect("base64");
    mac.verify_slice(&signature).expect("a right signature");
    Webhook {
        id,
        timestamp: timestamp.parse().expect("seconds"),
        body: serde_json::from_slice(body).expect("JSON"),
    }
}
