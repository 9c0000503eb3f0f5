//! A complete Latchkey for one test: real handlers, the real SDK, and an in-memory engine.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use deliver::Deliver;
use deliver_webhook::DeliverWebhook;
use deliver_webhook::client::HttpClient;
use erase_account::EraseAccount;
use local::engine::{self, Database, Engine};
use local::functions::operate;
use local::gateway::Gateway;
use local::mailbox::{CaughtMail, Mailbox};
use local::stream::{self, GONE_ACCOUNTS, NEW_MAIL, NEW_WEBHOOKS, TableStream};
use local::template::Template;
use serde_json::{Value, json};
use shared::app::App;
use shared::config::Config;
use shared::crypto::CodeKey;
use shared::http::request::form_urlencoded;
use shared::keys::{Keys, read_code_key, read_webhook_key};
use shared::observe::CountRetries;
use shared::ports::SystemEntropy;
use shared::runtime::Worker;
use shared::store::Store;
use tokio::sync::Semaphore;

use crate::clock::TestClock;
use crate::description;
use crate::logs::Secrets;
use crate::wire::{Cost, Fault, Wire, cost, lock};

pub use crate::call::{Answer, Call, get, post, post_bytes, post_form};

/// The path of the key ring for tests. Its keys are public and used only here.
pub const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/keys.json");

/// The key of codes for tests.
const CODE_KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/code-key");

/// The key that signs webhooks in tests: that of Standard Webhooks' own test vector.
const WEBHOOK_KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/webhook-key");

/// The settings that turn mail on.
pub const MAIL: [(&str, &str); 2] = [
    ("MAIL_FROM", "noreply@latchkey.example"),
    ("APP_URL", "https://app.example.com"),
];

/// The password of test accounts, taken from the examples of the API.
pub const PASSWORD: &str = "abc321";

static TEMPLATE: LazyLock<Template> = LazyLock::new(|| Template::checked_in().expect("a template"));

/// An instance of Latchkey. Panics when dropped if a secret was logged.
#[derive(Debug)]
pub struct TestApp {
    /// Shared by all instances over the same tables.
    pub clock: Arc<TestClock>,
    pub wire: Wire,
    /// For actions that no request can perform.
    pub app: Arc<App>,
    secrets: Secrets,
    gateway: Gateway,
    services: Services,
    client: Client,
}

/// What all instances over the same tables share.
#[derive(Debug, Clone)]
struct Services {
    /// No other tables of this process have it.
    number: u64,
    engine: Engine,
    clock: Arc<TestClock>,
    mailbox: Mailbox,
    outbox: Arc<Mutex<TableStream>>,
    webhooks: Arc<Mutex<TableStream>>,
    gone_accounts: Arc<Mutex<TableStream>>,
}

static NUMBER: AtomicU64 = AtomicU64::new(0);

impl TestApp {
    /// An instance with the template's settings and a cheap password hash.
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// An instance with some settings changed.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::over_database(Database::memory().expect("a database"), settings).await
    }

    /// An instance over a database, in which it creates the tables.
    pub async fn over_database(database: Database, settings: &[(&str, &str)]) -> Self {
        for table in &TEMPLATE.tables {
            engine::create(&database, table).expect("a table");
        }
        let host = Ipv4Addr::LOCALHOST.into();
        let stream = |table: &str, filter| {
            let table = &TEMPLATE.variables[table];
            let stream = TableStream::new(database.clone(), table, filter, None);
            Arc::new(Mutex::new(stream))
        };
        let outbox = stream("TABLE_SESSIONS", NEW_MAIL);
        let webhooks = stream("TABLE_SESSIONS", NEW_WEBHOOKS);
        let gone_accounts = stream("TABLE_USERS", GONE_ACCOUNTS);
        let services = Services {
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            engine: Engine::serve(host, database).await.expect("an engine"),
            clock: Arc::default(),
            mailbox: Mailbox::start(host).expect("a mailbox"),
            outbox,
            webhooks,
            gone_accounts,
        };
        Self::over(services, settings, long_timeouts())
    }

    /// An instance that sends mail.
    pub async fn with_mail() -> Self {
        Self::with(&MAIL).await
    }

    /// Like [`Self::with_user`], with a timeout of 100 ms for DynamoDB.
    pub async fn with_short_timeout() -> (Self, String) {
        let (app, token) = Self::with_user().await;
        let timeout = TimeoutConfig::builder().operation_timeout(Duration::from_millis(100));
        let app = Self::over(app.services.clone(), &[], timeout.build());
        (app, token)
    }

    /// Another instance over the same tables and clock, with separate caches.
    #[must_use]
    pub fn another(&self, settings: &[(&str, &str)]) -> Self {
        Self::over(self.services.clone(), settings, long_timeouts())
    }

    fn over(services: Services, settings: &[(&str, &str)], timeouts: TimeoutConfig) -> Self {
        let (engine, clock) = (&services.engine, services.clock.clone());
        let mut variables: BTreeMap<String, String> = TEMPLATE.variables.clone();
        let cheap = [
            ("ARGON2_MEMORY_KIB", "8"),
            ("ARGON2_ITERATIONS", "1"),
            ("JWT_KEYS_FILE", KEYS),
            ("CODE_KEY_FILE", CODE_KEY),
            ("WEBHOOK_KEY_FILE", WEBHOOK_KEY),
        ];
        let of_services = engine.variables().into_iter();
        for (name, value) in of_services.chain(services.mailbox.variables()) {
            variables.insert(name.to_owned(), value);
        }
        if let Some(mirror) = mirror() {
            // By the access key it finds the engine, and tells tables apart.
            let key = format!("{}x{}", engine.port(), services.number);
            variables.insert("AWS_ACCESS_KEY_ID".to_owned(), key);
            variables.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), mirror);
        }
        for (name, value) in cheap.iter().chain(settings) {
            variables.insert((*name).to_owned(), (*value).to_owned());
        }
        let config =
            Config::from_lookup(|name| variables.get(name).map(Into::into)).expect("settings");
        let wire = Wire::new();
        let shared = config.aws.sdk_config(&config.keys);
        let sdk = config.aws.dynamodb(&shared).interceptor(CountRetries);
        let sdk = sdk.timeout_config(timeouts);
        let entropy = Arc::new(SystemEntropy);
        let store = Store::new(
            Client::from_conf(sdk.clone().http_client(wire.clone()).build()),
            config.tables.clone(),
            clock.clone(),
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
            secrets: Secrets::with(ring_keys()),
            clock,
            wire,
            app,
            services,
        }
    }

    /// An instance with the account abc@example.com, and a token of that account.
    pub async fn with_user() -> (Self, String) {
        let app = Self::new().await;
        let token = app.sign_up("abc@example.com").await.token();
        (app, token)
    }

    /// An instance with the administrator abc@example.com, a token of it, and another administrator.
    pub async fn with_administrator() -> (Self, String) {
        let (app, token) = Self::with_user().await;
        let other = app.sign_up("root@example.com").await.token();
        for token in [&token, &other] {
            let grant = json!({"id": app.user_id(token).await, "scopes": ["admin"]});
            app.operate("grant-scopes", grant).await.expect("a grant");
        }
        (app, token)
    }

    /// Sends a request. Panics if the answer differs from the API's description.
    pub async fn call(&self, call: Call) -> Answer {
        let described = description::of(call.request.method().as_str(), call.request.uri().path());
        let request = self.collect_secrets(call.request).await;
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

    /// Runs `request`, and pauses this instance's first call of `operation` until `meanwhile` is done. Returns the results of
    /// both. If there is no such call, `meanwhile` does not run.
    pub async fn pause_at<A, M>(
        &self,
        operation: &'static str,
        request: impl Future<Output = A>,
        meanwhile: impl Future<Output = M>,
    ) -> (A, Option<M>) {
        let holds = move |name: &str, _: &Value| name == operation;
        self.pause_where(holds, request, meanwhile).await
    }

    /// Like [`pause_at`](Self::pause_at), with the call of this number, from 1.
    pub async fn pause_at_call<A, M>(
        &self,
        number: usize,
        request: impl Future<Output = A>,
        meanwhile: impl Future<Output = M>,
    ) -> (A, Option<M>) {
        let mut calls = 0;
        let holds = move |_: &str, _: &Value| {
            calls += 1;
            calls == number
        };
        self.pause_where(holds, request, meanwhile).await
    }

    /// Like [`pause_at`](Self::pause_at), with the first call whose operation and body `holds` accepts.
    pub async fn pause_where<A, M>(
        &self,
        mut holds: impl FnMut(&str, &Value) -> bool + Send + 'static,
        request: impl Future<Output = A>,
        meanwhile: impl Future<Output = M>,
    ) -> (A, Option<M>) {
        let released = Arc::new(Semaphore::new(0));
        let (gate, mut was_paused) = (Arc::clone(&released), false);
        self.wire.on_request(move |operation, body| {
            let is_first = !was_paused && holds(operation, body);
            was_paused |= is_first;
            is_first.then(|| Fault::Hold(Arc::clone(&gate)))
        });
        let mut request = std::pin::pin!(request);
        tokio::select! {
            answer = &mut request => return (answer, None),
            () = self.wire.held() => {}
        }
        let meanwhile = async {
            let done = meanwhile.await;
            released.add_permits(1);
            done
        };
        let (answer, done) = tokio::join!(request, meanwhile);
        (answer, Some(done))
    }

    /// Invokes a function for operators. The error is the text that the operator sees.
    pub async fn operate(&self, function: &str, request: Value) -> Result<Value, String> {
        let done = operate(function, &self.app, request).await;
        let done = done.expect("a function");
        if let Ok(response) = &done {
            self.secrets.add_body(response);
        }
        done
    }

    /// The keys of the outbox items that were added since the last call, or since a delivery.
    #[must_use]
    pub fn take_outbox(&self) -> Vec<String> {
        let mut outbox = lock(&self.services.outbox);
        outbox.take_new().expect("a stream")
    }

    /// Invokes the function `deliver` with messages of the mail queue: their bodies, and how often each
    /// was received. Returns the places in the list of those to try again.
    pub async fn deliver_messages(&self, messages: &[(&str, u32)]) -> Vec<usize> {
        let response = self.deliver_event(stream::event(messages)).await;
        let failed = response["batchItemFailures"].as_array().expect("a list");
        let number = |one: &Value| {
            let id = one["itemIdentifier"].as_str()?;
            id.strip_prefix("message-")?.parse().ok()
        };
        failed
            .iter()
            .map(|one| number(one).expect("a number"))
            .collect()
    }

    /// Invokes the function `deliver` with this event.
    pub async fn deliver_event(&self, event: Value) -> Value {
        let event = serde_json::from_value(event).expect("an event");
        let response = self.deliver_function().await.work(event).await;
        for mail in self.mails() {
            self.secrets.add(&mail.to);
            if let Some(code) = mail.code() {
                self.secrets.add(&code);
            }
        }
        serde_json::to_value(response).expect("JSON")
    }

    /// Invokes the function `erase-account` for the accounts that are gone since the last call. Returns
    /// their keys, and whether each was erased.
    pub async fn erase(&self) -> Vec<(String, bool)> {
        let keys = lock(&self.services.gone_accounts).take_new();
        let mut erased = Vec::new();
        for key in keys.expect("a stream") {
            let is_erased = self.erase_account(&key).await;
            erased.push((key, is_erased));
        }
        erased
    }

    /// Invokes the function `erase-account` with this key. Returns whether it was erased.
    pub async fn erase_account(&self, key: &str) -> bool {
        let response = self.erase_event(stream::event(&[(key, 1)])).await;
        response["batchItemFailures"] == json!([])
    }

    /// Invokes the function `erase-account` with this event.
    pub async fn erase_event(&self, event: Value) -> Value {
        let erase = EraseAccount::start(Arc::clone(&self.app)).await;
        let event = serde_json::from_value(event).expect("an event");
        let response = erase.expect("a function").work(event).await;
        serde_json::to_value(response).expect("JSON")
    }

    async fn deliver_function(&self) -> Deliver {
        let key = self.code_key().await;
        Deliver::new(Arc::clone(&self.app), Some(key)).expect("templates")
    }

    async fn code_key(&self) -> CodeKey {
        let source = self.app.config.mail.code_key.as_ref();
        let key = read_code_key(source, |_| self.secrets_manager());
        key.await.expect("a key of codes")
    }

    fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        let aws = &self.app.config.aws;
        let sdk = aws.sdk_config(&self.app.config.keys);
        let secrets = aws.secrets_manager(&sdk).http_client(self.wire.clone());
        aws_sdk_secretsmanager::Client::from_conf(secrets.build())
    }

    /// The keys of the webhooks that were added to the outbox since the last call.
    #[must_use]
    pub fn take_webhooks(&self) -> Vec<String> {
        let mut webhooks = lock(&self.services.webhooks);
        webhooks.take_new().expect("a stream")
    }

    /// Invokes the function `deliver-webhook` with one message: an item's key, and how often it was received.
    /// Returns whether it was delivered.
    pub async fn deliver_webhook(&self, key: &str, times: u32) -> bool {
        let response = self
            .deliver_webhook_event(stream::event(&[(key, times)]))
            .await;
        response["batchItemFailures"] == json!([])
    }

    /// Invokes the function `deliver-webhook` with this event.
    pub async fn deliver_webhook_event(&self, event: Value) -> Value {
        self.deliver_webhooks_within(deliver_webhook::TIMEOUT, event)
            .await
    }

    /// Invokes the function `deliver-webhook` with this event, and this time for receivers.
    pub async fn deliver_webhooks_within(&self, timeout: Duration, event: Value) -> Value {
        let source = self.app.config.webhooks.key.as_ref();
        let webhook_key = read_webhook_key(source, |_| self.secrets_manager());
        let webhook_key = webhook_key.await.expect("a key");
        let deliver = DeliverWebhook::new(
            Arc::clone(&self.app),
            self.code_key().await,
            webhook_key,
            HttpClient::new(self.app.config.webhooks.any_address, timeout),
        );
        let event = serde_json::from_value(event).expect("an event");
        serde_json::to_value(deliver.work(event).await).expect("JSON")
    }

    /// Delivers the new mails of the outbox, and returns what was sent, oldest first. Panics if one is to
    /// be tried again.
    pub async fn deliver(&self) -> Vec<CaughtMail> {
        let before = self.mails().len();
        let keys = self.take_outbox();
        let messages: Vec<_> = keys.iter().map(|key| (key.as_str(), 1)).collect();
        let failed = self.deliver_messages(&messages).await;
        assert!(failed.is_empty(), "not delivered: {failed:?}");
        self.mails().split_off(before)
    }

    /// All mails that were sent, oldest first.
    #[must_use]
    pub fn mails(&self) -> Vec<CaughtMail> {
        let mut mails = self.services.mailbox.mails();
        mails.reverse();
        mails
    }

    #[must_use]
    pub fn mailbox(&self) -> &Mailbox {
        &self.services.mailbox
    }

    /// Delivers the new mails, and returns the code in the only one that has one.
    pub async fn mailed_code(&self) -> String {
        let mails = self.deliver().await;
        let codes: Vec<_> = mails.iter().filter_map(CaughtMail::code).collect();
        let [code] = codes.as_slice() else {
            panic!("not one code: {mails:?}");
        };
        code.clone()
    }

    /// Sends `POST /user/verify-email`.
    pub async fn ask_to_verify(&self, token: &str) -> Answer {
        self.call(post("/user/verify-email", &json!({})).bearer(token))
            .await
    }

    /// Sends `POST /user/verify-email/confirm`.
    pub async fn confirm_email(&self, code: &str) -> Answer {
        self.call(post("/user/verify-email/confirm", &json!({ "code": code })))
            .await
    }

    /// Sends `POST /user/change-email` with [`PASSWORD`].
    pub async fn ask_for_email(&self, token: &str, email: &str) -> Answer {
        let body = json!({"email": email, "password": PASSWORD});
        self.call(post("/user/change-email", &body).bearer(token))
            .await
    }

    /// Sends `POST /user/change-email/confirm`.
    pub async fn confirm_new_email(&self, token: &str, code: &str) -> Answer {
        let call = post("/user/change-email/confirm", &json!({ "code": code }));
        self.call(call.bearer(token)).await
    }

    /// Sends `POST /user/forgot-password`.
    pub async fn forget_password(&self, email: &str) -> Answer {
        self.call(post("/user/forgot-password", &json!({ "email": email })))
            .await
    }

    /// Sends `POST /user/forgot-password/reset`.
    pub async fn reset_password(&self, code: &str, password: &str) -> Answer {
        let body = json!({"code": code, "password": password});
        self.call(post("/user/forgot-password/reset", &body)).await
    }

    /// Forgets the secrets and calls so far, so that a process can send requests without end. Returns what this
    /// process has logged since the last time.
    #[must_use]
    pub fn forget(&self) -> Vec<String> {
        drop(self.wire.take_calls());
        self.secrets.forget()
    }

    /// Adds the secrets of a request to those that must not be logged.
    async fn collect_secrets(&self, request: Request<Body>) -> Request<Body> {
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
        } else {
            for (_, secret) in form_urlencoded::parse(&bytes).filter(|(name, _)| name == "token") {
                self.secrets.add(&secret);
            }
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

    pub async fn sign_in(&self, username: &str, password: &str) -> Answer {
        self.sign_in_from("192.0.2.1", username, password).await
    }

    pub async fn sign_in_from(&self, ip: &str, username: &str, password: &str) -> Answer {
        let body = json!({"username": username, "password": password});
        self.call(post("/user/auth", &body).from(ip)).await
    }

    /// Sends `GET /user`.
    pub async fn user(&self, token: &str) -> Answer {
        self.call(get("/user").bearer(token)).await
    }

    /// The id of a token's owner.
    pub async fn user_id(&self, token: &str) -> String {
        self.user(token).await.text("/id")
    }

    /// Logs in to the Management family.
    pub async fn log_in(&self, username: &str, password: &str) -> Answer {
        let body = json!({"username": username, "password": password});
        self.call(post("/v1/auth/login", &body)).await
    }

    /// Revokes a token.
    pub async fn log_out(&self, token: &str) -> Answer {
        let call = post("/v1/auth/logout", &json!({}));
        self.call(call.bearer(token)).await
    }

    /// Sends `GET /v1/auth/user`.
    pub async fn profile(&self, token: &str) -> Answer {
        self.call(get("/v1/auth/user").bearer(token)).await
    }

    /// Sends `POST /v1/auth/user` with this user.
    pub async fn update_profile(&self, token: &str, user: Value) -> Answer {
        let call = post("/v1/auth/user", &json!({ "user": user }));
        self.call(call.bearer(token)).await
    }

    pub async fn create_api_key(&self, token: &str, body: Value) -> Answer {
        self.call(post("/v1/api-keys", &body).bearer(token)).await
    }

    /// Creates an API key with this permission mask, and returns the key.
    pub async fn api_key(&self, token: &str, permissions: u8) -> String {
        let body = json!({"name": "ci", "permissions": permissions});
        let answer = self.create_api_key(token, body).await;
        answer.text("/apiKey/key")
    }

    pub async fn api_keys(&self, token: &str) -> Vec<Value> {
        let answer = self.call(get("/v1/api-keys").bearer(token)).await;
        answer.body["apiKeys"].as_array().expect("a list").clone()
    }

    pub async fn revoke_api_key(&self, token: &str, id: u64) -> Answer {
        let path = format!("/v1/api-keys/{id}");
        self.call(Call::new("DELETE", &path, Body::empty()).bearer(token))
            .await
    }

    /// Replaces the scopes of an account in the table.
    pub async fn grant(&self, account_id: &str, scopes: &[&str]) {
        let scopes = scopes
            .iter()
            .map(|scope| AttributeValue::S((*scope).to_owned()));
        let users = &self.app.config.tables.users;
        self.client
            .update_item()
            .table_name(users)
            .set_key(Some(self.key(users, &account_key(account_id))))
            .update_expression("SET #scope = :scopes")
            .expression_attribute_names("#scope", "scope")
            .expression_attribute_values(":scopes", AttributeValue::L(scopes.collect()))
            .send()
            .await
            .expect("an update");
    }

    /// Updates an item of the users table, with one numeric expression value.
    pub async fn update_user(
        &self,
        key: &str,
        update: &str,
        condition: &str,
        (name, number): (&str, &str),
    ) {
        let users = &self.app.config.tables.users;
        let request = self.client.update_item().table_name(users);
        request
            .set_key(Some(self.key(users, key)))
            .update_expression(update)
            .condition_expression(condition)
            .expression_attribute_values(name, AttributeValue::N(number.to_owned()))
            .send()
            .await
            .expect("an update");
    }

    /// All items of a table, by key: the partition key and, in the users table, `/` and the sort key.
    #[expect(clippy::disallowed_methods, reason = "a test reads whole tables")]
    pub async fn items(&self, table: &str) -> BTreeMap<String, Item> {
        let output = self.client.scan().table_name(table).send().await;
        let items = output.expect("a scan").items.unwrap_or_default();
        items
            .into_iter()
            .map(|item| {
                let part = |name| Some(item.get(name)?.as_s().expect("a key").as_str());
                let parts: Vec<_> = [part("pk"), part("sk")].into_iter().flatten().collect();
                (parts.join("/"), item)
            })
            .collect()
    }

    /// All items of the users table, by key.
    pub async fn users(&self) -> BTreeMap<String, Item> {
        self.items(&self.app.config.tables.users).await
    }

    /// The first stored account.
    pub async fn account_item(&self) -> Item {
        self.first_user_item("user#", "account").await
    }

    /// The first stored item with this sort key that an owner wrote.
    pub async fn own_item(&self, sort_key: &str) -> Item {
        self.first_user_item("own#", sort_key).await
    }

    async fn first_user_item(&self, prefix: &str, sort_key: &str) -> Item {
        let mut items = self.users().await.into_iter();
        let found = items.find(|(key, _)| {
            let (pk, sk) = key.split_once('/').expect("a sort key");
            pk.starts_with(prefix) && sk == sort_key
        });
        found.expect("an item").1
    }

    /// The keys of all stored sessions, oldest first for one account.
    pub async fn session_keys(&self) -> Vec<String> {
        let users = self.users().await.into_keys();
        users.filter(|key| key.starts_with("session#")).collect()
    }

    pub async fn account_count(&self) -> usize {
        let users = self.users().await;
        users.keys().filter(|key| key.starts_with("user#")).count()
    }

    /// Writes an item without a condition.
    pub async fn tamper(&self, table: &str, item: Item) {
        let put = self.client.put_item().table_name(table);
        put.set_item(Some(item)).send().await.expect("a put");
    }

    /// Writes at most 25 items of the users table without conditions.
    pub async fn put_all(&self, items: impl Iterator<Item = Item>) {
        let puts = items.map(|item| {
            let put = PutRequest::builder().set_item(Some(item)).build();
            WriteRequest::builder()
                .put_request(put.expect("an item"))
                .build()
        });
        let users = &self.app.config.tables.users;
        let write = self.client.batch_write_item();
        let write = write.request_items(users, puts.collect()).send().await;
        let left = write.expect("a write").unprocessed_items;
        assert!(left.unwrap_or_default().is_empty());
    }

    pub async fn delete(&self, table: &str, key: &str) {
        let delete = self.client.delete_item().table_name(table);
        let key = self.key(table, key);
        delete.set_key(Some(key)).send().await.expect("a delete");
    }

    /// The key attributes of an item, from its key as [`Self::items`] shows it.
    fn key(&self, table: &str, key: &str) -> Item {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        if table != self.app.config.tables.users {
            return Item::from([("pk".to_owned(), text(key))]);
        }
        let (pk, sk) = key.rsplit_once('/').expect("a sort key");
        Item::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
    }

    /// The cost of the calls since the last time the calls were taken.
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

/// The URL of `tests/dynamodb_local.py`, if that runs the tests.
#[expect(clippy::disallowed_methods, reason = "no setting of Latchkey")]
fn mirror() -> Option<String> {
    std::env::var("DYNAMODB_MIRROR").ok()
}

/// The key of an account's item.
#[must_use]
pub fn account_key(id: &str) -> String {
    format!("user#{id}/account")
}

/// Long enough that no test fails on a slow machine.
fn long_timeouts() -> TimeoutConfig {
    const TIMEOUT: Duration = Duration::from_mins(1);
    TimeoutConfig::builder()
        .connect_timeout(TIMEOUT)
        .operation_attempt_timeout(TIMEOUT)
        .operation_timeout(TIMEOUT)
        .build()
}

/// The keys of the ring in [`KEYS`].
fn ring_keys() -> Vec<String> {
    let ring: Value = serde_json::from_str(include_str!("../vectors/keys.json")).expect("a ring");
    let keys = ring["keys"].as_array().expect("keys").iter();
    let keys = keys.map(|key| &key["key"]).chain([&ring["decoy_key"]]);
    keys.map(|key| key.as_str().expect("a key").to_owned())
        .collect()
}

/// An item as stored.
pub type Item = std::collections::HashMap<String, AttributeValue>;
