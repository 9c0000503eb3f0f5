//! Makes a user's requests to each endpoint.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use serde_json::json;
use tests::call::{Call, get, post};

use super::Failure;
use super::function::Function;
use super::stage::{EMAIL, PASSWORD, Stage, sign_up};

/// Makes requests that each succeed once. It first creates what a request needs, such as a token or
/// API key to revoke, with its own functions.
#[derive(Debug)]
pub(super) struct Caller<'s> {
    stage: &'s Stage,
    create_user: Function,
    create_key: Function,
}

/// The last unique number used.
static LAST: AtomicU64 = AtomicU64::new(0);

fn next() -> u64 {
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

impl<'s> Caller<'s> {
    pub(super) async fn of(stage: &'s Stage) -> Result<Self, Failure> {
        Ok(Self {
            stage,
            create_user: stage.function("create-user").await?,
            create_key: stage.function("create-api-key").await?,
        })
    }

    /// A new event for this function; `route` is its method and path.
    pub(super) async fn event(&mut self, function: &str, route: &str) -> Result<String, Failure> {
        let (_, path) = route.split_once(' ').unwrap_or_default();
        let token = &self.stage.token;
        let call = match function {
            "create-user" => sign_up(&new_email()),
            "sign-in" | "log-in" => {
                let credentials = json!({"username": EMAIL, "password": PASSWORD});
                post(path, &credentials)
            }
            "log-out" => post(path, &json!({})).bearer(&self.newcomer().await?),
            "update-profile" => {
                let update = json!({"user": {"city": format!("City {}", next())}});
                post(path, &update).bearer(token)
            }
            "create-api-key" => new_key(&self.newcomer().await?),
            "revoke-api-key" => {
                let newcomer = self.newcomer().await?;
                self.new_key(&newcomer).await?;
                Call::new("DELETE", "/v1/api-keys/1", Body::empty()).bearer(&newcomer)
            }
            _ => get(path).bearer(token),
        };
        self.stage.event(call).await
    }

    /// The token of a new account. An account with many API keys would be slower.
    pub(super) async fn newcomer(&mut self) -> Result<String, Failure> {
        let sign_up = self.stage.event(sign_up(&new_email())).await?;
        let answer = self.create_user.invoke(&sign_up, 200).await?;
        answer.reply.text("/token")
    }

    /// Creates an API key for the owner of this token.
    pub(super) async fn new_key(&mut self, token: &str) -> Result<String, Failure> {
        let event = self.stage.event(new_key(token)).await?;
        let answer = self.create_key.invoke(&event, 200).await?;
        answer.reply.text("/apiKey/key")
    }
}

fn new_email() -> String {
    format!("user{}@example.com", next())
}

fn new_key(token: &str) -> Call {
    post("/v1/api-keys", &json!({"name": "ci", "permissions": 1})).bearer(token)
}
