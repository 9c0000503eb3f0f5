//! A whole Latchkey of a test's own: real handlers, the real SDK, the embedded engine in memory.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use local::engine::{self, Database, Engine};
use local::gateway::Gateway;
use local::template::Template;
use serde_json::{Value, json};
use shared::app::App;
use shared::config::Config;
use shared::keys::Keys;
use shared::observe::CountRetries;
use shared::ports::SystemEntropy;
use shared::store::Store;

use crate::clock::TestClock;
use crate::description;
use crate::logs::Secrets;
use crate::wire::{Cost, Wire, cost};

pub use crate::call::{Answer, Call, get, post, post_bytes};

/// The key ring of every test: not a secret, and nowhere else.
pub const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/keys.json");

/// The password of [`TestApp::with_user`]'s account, as in the API's own examples.
pub const PASSWORD: &str = "abc321";

static TEMPLATE: LazyLock<Template> = LazyLock::new(|| Template::checked_in().expect("a template"));

/// One instance: an app, its gateway, and the wire to the tables.
#[derive(Debug)]
pub struct TestApp {
    /// Moves when told, and is shared by all instances over the same tables.
    pub clock: Arc<TestClock>,
    /// This instance's wire to the engine.
    pub wire: Wire,
    /// The app itself, for what no request can do.
    pub app: Arc<App>,
    secrets: Secrets,
    gateway: Gateway,
    engine: Engine,
    client: Client,
}

impl TestApp {
    /// Latchkey with the template's settings and a cheap password hash.
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// Latchkey with some settings changed.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::over_database(Database::memory().expect("a database"), settings).await
    }

    /// The same over a database without tables.
    pub async fn over_database(database: Database, settings: &[(&str, &str)]) -> Self {
        for table in &TEMPLATE.tables {
            engine::create(&database, table).expect("a table");
        }
        let engine = Engine::serve(Ipv4Addr::LOCALHOST.into(), database).await;
        Self::over(
            engine.expect("an engine"),
            Arc::default(),
            settings,
            patience(),
        )
    }

    /// Latchkey with the account abc@example.com, a token of it, and 100 ms of patience with
    /// DynamoDB.
    pub async fn with_impatience() -> (Self, String) {
        let (app, token) = Self::with_user().await;
        let patience = TimeoutConfig::builder().operation_timeout(Duration::from_millis(100));
        let app = Self::over(app.engine.clone(), app.clock.clone(), &[], patience.build());
        (app, token)
    }

    /// Another instance over the same tables: a second function, with a memory of its own.
    #[must_use]
    pub fn another(&self, settings: &[(&str, &str)]) -> Self {
        Self::over(
            self.engine.clone(),
            self.clock.clone(),
            settings,
            patience(),
        )
    }

    fn over(
        engine: Engine,
        clock: Arc<TestClock>,
        settings: &[(&str, &str)],
        patience: TimeoutConfig,
    ) -> Self {
        let mut variables: BTreeMap<String, String> = TEMPLATE.variables.clone();
        let cheap = [
            ("ARGON2_MEMORY_KIB", "8"),
            ("ARGON2_ITERATIONS", "1"),
            ("JWT_KEYS_FILE", KEYS),
        ];
        for (name, value) in engine.variables() {
            variables.insert(name.to_owned(), value);
        }
        for (name, value) in cheap.iter().chain(settings) {
            variables.insert((*name).to_owned(), (*value).to_owned());
        }
        let config =
            Config::from_lookup(|name| variables.get(name).map(Into::into)).expect("settings");
        let wire = Wire::new();
        let shared = config.aws.sdk_config(&config.keys);
        let sdk = config.aws.dynamodb(&shared).interceptor(CountRetries);
        let sdk = sdk.timeout_config(patience);
        let entropy = Arc::new(SystemEntropy);
        let store = Store::new(
            Client::from_conf(sdk.clone().http_client(wire.clone()).build()),
            config.tables.clone(),
            entropy.clone(),
        );
        let keys = Keys::new(&config.keys, || {
            let secrets = config.aws.secrets_manager(&shared);
            let secrets = secrets.http_client(wire.clone());
            aws_sdk_secretsmanager::Client::from_conf(secrets.build())
        });
        let app = App::new(config, store, keys, clock.clone(), entropy).expect("an app");
        let app = Arc::new(app);
        Self {
            gateway: Gateway::new(TEMPLATE.routes.clone(), Arc::clone(&app)),
            client: Client::from_conf(sdk.build()),
            secrets: Secrets::with(&ring_keys()),
            clock,
            wire,
            app,
            engine,
        }
    }

    /// Latchkey with the account abc@example.com, and a token of it.
    pub async fn with_user() -> (Self, String) {
        let app = Self::new().await;
        let token = app.sign_up("abc@example.com").await.token();
        (app, token)
    }

    /// Sends a request. Whatever comes back must be as the API's description says.
    pub async fn call(&self, call: Call) -> Answer {
        let described = description::of(call.request.method().as_str(), call.request.uri().path());
        let request = self.take_note(call.request).await;
        let response = self.gateway.respond(call.peer, request).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        let body = serde_json::from_slice(&body).expect("a JSON body");
        self.secrets.add_body(&body);
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        };
        if let Some(operation) = described {
            description::assert_covers(operation, &answer);
        }
        answer
    }

    /// Takes note of what is secret in a request.
    async fn take_note(&self, request: Request<Body>) -> Request<Body> {
        let (parts, body) = request.into_parts();
        for name in ["authorization", "x-api-key"] {
            for value in parts.headers.get_all(name) {
                let value = String::from_utf8_lossy(value.as_bytes());
                self.secrets.add(value.trim_start_matches("Bearer "));
            }
        }
        let bytes = to_bytes(body, usize::MAX).await.expect("a body");
        if let Ok(body) = serde_json::from_slice(&bytes) {
            self.secrets.add_body(&body);
        }
        Request::from_parts(parts, bytes.into())
    }

    /// Signs up with [`PASSWORD`].
    pub async fn sign_up(&self, email: &str) -> Answer {
        self.sign_up_from("192.0.2.1", email).await
    }

    /// Signs up with [`PASSWORD`] from an address.
    pub async fn sign_up_from(&self, ip: &str, email: &str) -> Answer {
        let body = json!({"email": email, "password": PASSWORD});
        self.call(post("/user", &body).from(ip)).await
    }

    /// Signs in.
    pub async fn sign_in(&self, username: &str, password: &str) -> Answer {
        self.sign_in_from("192.0.2.1", username, password).await
    }

    /// Signs in from an address.
    pub async fn sign_in_from(&self, ip: &str, username: &str, password: &str) -> Answer {
        let body = json!({"username": username, "password": password});
        self.call(post("/user/auth", &body).from(ip)).await
    }

    /// Asks who a token's owner is.
    pub async fn user(&self, token: &str) -> Answer {
        self.call(get("/user").bearer(token)).await
    }

    /// The id of a token's owner.
    pub async fn user_id(&self, token: &str) -> String {
        self.user(token).await.text("/id")
    }

    /// Logs in, for a session.
    pub async fn log_in(&self, username: &str, password: &str) -> Answer {
        let body = json!({"username": username, "password": password});
        self.call(post("/v1/auth/login", &body)).await
    }

    /// Ends a token.
    pub async fn log_out(&self, token: &str) -> Answer {
        let call = post("/v1/auth/logout", &json!({}));
        self.call(call.bearer(token)).await
    }

    /// Asks for the profile of a token's owner.
    pub async fn profile(&self, token: &str) -> Answer {
        self.call(get("/v1/auth/user").bearer(token)).await
    }

    /// Posts a user object.
    pub async fn update_profile(&self, token: &str, user: Value) -> Answer {
        let call = post("/v1/auth/user", &json!({ "user": user }));
        self.call(call.bearer(token)).await
    }

    /// Posts an API key to be made.
    pub async fn create_api_key(&self, token: &str, body: Value) -> Answer {
        self.call(post("/v1/api-keys", &body).bearer(token)).await
    }

    /// Makes an API key with these permissions, and returns it.
    pub async fn api_key(&self, token: &str, permissions: u8) -> String {
        let body = json!({"name": "ci", "permissions": permissions});
        let answer = self.create_api_key(token, body).await;
        answer.text("/apiKey/key")
    }

    /// Lists the API keys of a token's owner.
    pub async fn api_keys(&self, token: &str) -> Vec<Value> {
        let answer = self.call(get("/v1/api-keys").bearer(token)).await;
        answer.body["apiKeys"].as_array().expect("a list").clone()
    }

    /// Revokes an API key.
    pub async fn revoke_api_key(&self, token: &str, id: u64) -> Answer {
        let path = format!("/v1/api-keys/{id}");
        self.call(Call::new("DELETE", &path, Body::empty()).bearer(token))
            .await
    }

    /// Grants scopes as an operator would, in the table.
    pub async fn grant(&self, account_id: &str, scopes: &[&str]) {
        let scopes = scopes
            .iter()
            .map(|scope| AttributeValue::S((*scope).to_owned()));
        self.client
            .update_item()
            .table_name(&self.app.config.tables.users)
            .key("pk", AttributeValue::S(format!("user#{account_id}")))
            .update_expression("SET #scope = :scopes")
            .expression_attribute_names("#scope", "scope")
            .expression_attribute_values(":scopes", AttributeValue::L(scopes.collect()))
            .send()
            .await
            .expect("an update");
    }

    /// Updates an item of the users table as an operator would.
    pub async fn update_user(
        &self,
        key: &str,
        update: &str,
        condition: &str,
        (name, number): (&str, &str),
    ) {
        let request = self.client.update_item();
        let request = request.table_name(&self.app.config.tables.users);
        request
            .key("pk", AttributeValue::S(key.to_owned()))
            .update_expression(update)
            .condition_expression(condition)
            .expression_attribute_values(name, AttributeValue::N(number.to_owned()))
            .send()
            .await
            .expect("an update");
    }

    /// Everything in a table, by key.
    #[expect(clippy::disallowed_methods, reason = "a test looks at everything")]
    pub async fn items(&self, table: &str) -> BTreeMap<String, Item> {
        let output = self.client.scan().table_name(table).send().await;
        let items = output.expect("a scan").items.unwrap_or_default();
        items
            .into_iter()
            .map(|item| (item["pk"].as_s().expect("a key").clone(), item))
            .collect()
    }

    /// Everything in the users table, by key.
    pub async fn users(&self) -> BTreeMap<String, Item> {
        self.items(&self.app.config.tables.users).await
    }

    /// The one stored account.
    pub async fn account_item(&self) -> Item {
        self.only_user_item("user#").await
    }

    /// The one stored profile.
    pub async fn profile_item(&self) -> Item {
        self.only_user_item("profile#").await
    }

    async fn only_user_item(&self, prefix: &str) -> Item {
        let mut items = self.users().await.into_iter();
        let found = items.find(|(key, _)| key.starts_with(prefix));
        found.expect("an item").1
    }

    /// How many accounts there are.
    pub async fn account_count(&self) -> usize {
        let users = self.users().await;
        users.keys().filter(|key| key.starts_with("user#")).count()
    }

    /// Puts an item as it is.
    pub async fn tamper(&self, table: &str, item: Item) {
        let put = self.client.put_item().table_name(table);
        put.set_item(Some(item)).send().await.expect("a put");
    }

    /// Deletes an item.
    pub async fn delete(&self, table: &str, key: &str) {
        let delete = self.client.delete_item().table_name(table);
        let key = AttributeValue::S(key.to_owned());
        delete.key("pk", key).send().await.expect("a delete");
    }

    /// What a request cost: the calls since the last look.
    #[must_use]
    pub fn cost(&self) -> Cost {
        cost(&self.wire.take_calls())
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if !std::thread::panicking()
            && let Some(line) = self.secrets.leaked()
        {
            panic!("a secret is in the log: {line}");
        }
    }
}

/// However slow the machine is, no test fails for it.
fn patience() -> TimeoutConfig {
    const PATIENCE: Duration = Duration::from_mins(1);
    TimeoutConfig::builder()
        .connect_timeout(PATIENCE)
        .operation_attempt_timeout(PATIENCE)
        .operation_timeout(PATIENCE)
        .build()
}

/// The keys of every test's ring.
fn ring_keys() -> Vec<String> {
    let ring: Value = serde_json::from_str(include_str!("../vectors/keys.json")).expect("a ring");
    let keys = ring["keys"].as_array().expect("keys").iter();
    let keys = keys.map(|key| key["key"].as_str().expect("a key").to_owned());
    keys.collect()
}

/// An item as the table holds it.
pub type Item = std::collections::HashMap<String, AttributeValue>;
