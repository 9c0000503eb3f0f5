//! Somebody with an account, and what they ask of each endpoint.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use serde_json::json;

use super::Failure;
use super::events::{self, Event};
use super::function::Function;
use super::stage::{self, EMAIL, Stage};

/// An endpoint: its function, its route, and the row of what it costs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Endpoint {
    /// The function behind it.
    pub(super) function: &'static str,
    /// Its route.
    pub(super) route: &'static str,
    /// What `tests::costs` calls the request made here.
    pub(super) cost: &'static str,
}

/// Every endpoint.
pub(super) const ENDPOINTS: [Endpoint; 10] = [
    new("create-user", "POST /user", "POST /user"),
    new("get-user", "GET /user", "GET /user"),
    new("sign-in", "POST /user/auth", "POST /user/auth"),
    new("log-in", "POST /v1/auth/login", "POST /v1/auth/login"),
    new("log-out", "POST /v1/auth/logout", "POST /v1/auth/logout"),
    new("get-profile", "GET /v1/auth/user", "GET /v1/auth/user"),
    new(
        "update-profile",
        "POST /v1/auth/user",
        "POST /v1/auth/user, a field",
    ),
    new("create-api-key", "POST /v1/api-keys", "POST /v1/api-keys"),
    new("list-api-keys", "GET /v1/api-keys", "GET /v1/api-keys"),
    new(
        "revoke-api-key",
        "DELETE /v1/api-keys/{id}",
        "DELETE /v1/api-keys/{id}",
    ),
];

const fn new(function: &'static str, route: &'static str, cost: &'static str) -> Endpoint {
    Endpoint {
        function,
        route,
        cost,
    }
}

/// Makes the events of each endpoint, every one of which can be answered with 200: what an event
/// needs, a token to be revoked or a key, is made before, by functions of the caller's own.
#[derive(Debug)]
pub(super) struct Caller {
    /// Whose requests they are, in turns.
    people: Vec<Person>,
    create_user: Function,
    create_key: Function,
}

/// The endpoint of a function.
pub(super) fn endpoint(function: &str) -> Result<Endpoint, Failure> {
    let mut endpoints = ENDPOINTS.into_iter();
    let found = endpoints.find(|endpoint| endpoint.function == function);
    found.ok_or_else(|| format!("no endpoint {function}").into())
}

/// An email, and a token of whose it is.
#[derive(Debug, Clone)]
struct Person {
    email: String,
    token: String,
}

/// Part of what must differ from one event to the next.
static LAST: AtomicU64 = AtomicU64::new(0);

fn next() -> u64 {
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    api_key: Key,
}

#[derive(Deserialize)]
struct Key {
    id: u64,
}

impl Caller {
    /// The user who has signed up on the stage.
    pub(super) async fn of(stage: &Stage) -> Result<Self, Failure> {
        let user = Person {
            email: EMAIL.to_owned(),
            token: stage.token.clone(),
        };
        Self::of_people(stage, vec![user]).await
    }

    /// So many of the `accounts` that were put on the stage, each as far from the next as it can
    /// be.
    pub(super) async fn of_many(stage: &Stage, accounts: u32, many: u32) -> Result<Self, Failure> {
        let mut sign_in = stage.function("sign-in").await?;
        let mut people = Vec::new();
        for number in (0..many).map(|person| person * (accounts / many)) {
            let email = stage::email_of(number);
            let event = events::sign_in(&email, events::PASSWORD);
            let answer = sign_in.invoke(&event, 200).await?;
            let token = stage::token_of(&answer.response.body)?;
            people.push(Person { email, token });
        }
        Self::of_people(stage, people).await
    }

    async fn of_people(stage: &Stage, people: Vec<Person>) -> Result<Self, Failure> {
        Ok(Self {
            people,
            create_user: stage.function("create-user").await?,
            create_key: stage.function("create-api-key").await?,
        })
    }

    /// An event that this endpoint has yet to answer.
    pub(super) async fn event(&mut self, endpoint: Endpoint) -> Result<String, Failure> {
        self.people.rotate_left(1);
        let Person { email, token } = self.people.first().cloned().ok_or("there is nobody")?;
        let credentials = json!({"username": email, "password": events::PASSWORD});
        let (method, path) = endpoint.route.split_once(' ').unwrap_or_default();
        let event = Event::new(method, path);
        Ok(match endpoint.function {
            "create-user" => events::sign_up(&new_email()),
            "sign-in" | "log-in" => event.body(&credentials).text(),
            "log-out" => event.bearer(&self.newcomer().await?).text(),
            "update-profile" => {
                let update = json!({"user": {"city": format!("City {}", next())}});
                event.bearer(&token).body(&update).text()
            }
            "create-api-key" => new_key(&self.newcomer().await?),
            "revoke-api-key" => {
                let newcomer = self.newcomer().await?;
                let made = self.create_key.invoke(&new_key(&newcomer), 200).await?;
                let made: Created = serde_json::from_str(&made.response.body)?;
                Event::revoke(made.api_key.id).bearer(&newcomer).text()
            }
            "get-user" | "get-profile" | "list-api-keys" => event.bearer(&token).text(),
            other => return Err(format!("nobody knows what to ask of {other}").into()),
        })
    }

    /// The token of somebody who has just signed up: whoever made many keys would be slower.
    async fn newcomer(&mut self) -> Result<String, Failure> {
        let sign_up = events::sign_up(&new_email());
        let answer = self.create_user.invoke(&sign_up, 200).await?;
        stage::token_of(&answer.response.body)
    }
}

fn new_email() -> String {
    format!("user{}@example.com", next())
}

fn new_key(token: &str) -> String {
    let key = json!({"name": "ci", "permissions": 1});
    let event = Event::new("POST", "/v1/api-keys");
    event.bearer(token).body(&key).text()
}
