//! Requests as API Gateway passes them on: any headers and body for an existing route, each over
//! the same few accounts. For every request:
//!
//! - nothing panics, caught or not;
//! - the response has a status, headers, code and fields that the OpenAPI document lists for the
//!   route, and the status is neither 500 nor 503;
//! - no password, token, code or API key is sent back, unless the request sent it in a field for other things;
//! - no password, token, code or API key of these accounts is logged;
//! - only requests with a valid secret succeed, where one is needed.
//!
//! An input looks like a request, so that a random mutation often changes one thing:
//!
//! ```text
//! update-profile
//! :ip 192.0.2.7
//! authorization: Bearer TOKEN
//!
//! {"user": {"firstName": "Ada"}}
//! ```
//!
//! Lines that start with a colon are directives: `:ip` sets the caller's address, `:id` each variable
//! segment of the path, `:query` the query, and `:strict` selects the instance with strict settings. Words
//! such as `TOKEN` are replaced: see [`World`].

#![no_main]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a violated property must abort the run"
)]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Uri};
use libfuzzer_sys::fuzz_target;
use local::engine::Database;
use local::template::{Route, Template};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tests::app::{MAIL, TestApp};
use tests::call::{Answer, Call, post};
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
static TEMPLATE: LazyLock<Template> = LazyLock::new(|| Template::checked_in().expect("a template"));
static WORLD: LazyLock<World> = LazyLock::new(|| RUNTIME.block_on(World::new()));

const PASSWORD: &str = "Tr0ub4dor-and-3-staples";

/// What is sent in these fields of a body is never sent back.
const SECRET_FIELDS: [&str; 5] = [
    "code",
    "newPassword",
    "oldPassword",
    "password",
    "refreshToken",
];

/// The functions whose requests may succeed without a secret.
const PUBLIC: [&str; 4] = [
    "create-user",
    "forgot-password",
    "revoke-token",
    "well-known",
];

/// Settings with mail, and without rate limits.
const OPEN: [(&str, &str); 9] = [
    MAIL[0],
    MAIL[1],
    ("MAIL_RATE_LIMIT_ADDRESS", "1000000000"),
    ("MAIL_RATE_LIMIT_IP", "1000000000"),
    ("PROFILE_RATE_LIMIT", "1000000000"),
    ("SIGNIN_RATE_LIMIT_ACCOUNT", "1000000000"),
    ("SIGNIN_RATE_LIMIT_IP", "1000000000"),
    ("USER_SIGNUP_RATE_LIMIT_EMAIL", "1000000000"),
    ("USER_SIGNUP_RATE_LIMIT_IP", "1000000000"),
];

/// Settings that refuse most requests.
const STRICT: [(&str, &str); 5] = [
    ("API_USER_CREATE_SCOPE", "admin"),
    ("PASSWORD_REJECT_COMMON", "true"),
    ("SIGNIN_RATE_LIMIT_IP", "0"),
    ("TRUSTED_PROXY_HOPS", "1"),
    ("TRUSTED_PROXY_CIDRS", "192.0.2.0/24"),
];

/// Two instances over the same tables, which are restored before each request. They hold `ada`
/// (abc@example.com), with a profile, codes and API keys, and the administrator `root`.
struct World {
    open: TestApp,
    strict: TestApp,
    database: Database,
    /// The file with the initial content of the tables.
    snapshot: PathBuf,
    /// The word for each secret in inputs, the secret, and whether it is valid.
    secrets: Vec<(&'static str, String, bool)>,
    /// What `USERID` stands for.
    user_id: String,
}

impl World {
    async fn new() -> Self {
        for route in &TEMPLATE.routes {
            let seeds = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/seeds/request"));
            let has_seed = seeds.join(&route.function).exists();
            assert!(has_seed, "no seed for {}", route.function);
        }
        let database = Database::memory().expect("a database");
        let open = TestApp::over_database(database.clone(), &OPEN).await;
        let sign_up = async |name: &str, email: &str| {
            let body = json!({"username": name, "email": email, "password": PASSWORD});
            open.call(post("/user", &body)).await
        };
        let user = sign_up("ada", "abc@example.com").await;
        let expired = user.token();
        open.clock.advance(Duration::from_hours(24 * 31));
        open.deliver().await;
        let token = open.sign_in("ada", PASSWORD).await.token();
        let ended = open.sign_in("ada", PASSWORD).await.token();
        open.log_out(&ended).await;
        let settings = json!([{"category": "ui", "name": "theme", "value": "dark"},
                              {"category": "limits", "name": "rows", "value": "7", "type": "int"}]);
        let profile = json!({"firstName": "Ada", "settings": settings});
        open.update_profile(&token, profile).await;
        let mut keys = Vec::new();
        for permissions in [15, 1, 15] {
            keys.push(open.api_key(&token, permissions).await);
        }
        open.revoke_api_key(&token, 3).await;
        let body = json!({"username": "ada", "password": PASSWORD, "refresh": true});
        let log_in = open.call(post("/v1/auth/login", &body)).await;
        open.forget_password("abc@example.com").await;
        let reset_code = open.mailed_code().await;
        open.ask_to_verify(&token).await;
        let verify_code = open.mailed_code().await;
        let root = sign_up("root", "root@example.com").await;
        open.grant(&root.text("/user/id"), &["admin", "introspect"])
            .await;
        // Replaced in this order, so longer words must precede `TOKEN`.
        let secrets = vec![
            ("ADMINTOKEN", root.token(), true),
            ("EXPIREDTOKEN", expired, false),
            ("REVOKEDTOKEN", ended, false),
            ("REFRESHTOKEN", log_in.text("/refreshToken"), true),
            ("TOKEN", token, true),
            ("PASSWORD", PASSWORD.to_owned(), true),
            ("ADMINKEY", open.api_key(&root.token(), 1).await, true),
            ("APIKEY", keys[0].clone(), true),
            ("READKEY", keys[1].clone(), true),
            ("DEADKEY", keys[2].clone(), false),
            ("RESETCODE", reset_code, true),
            ("VERIFYCODE", verify_code, true),
        ];
        let snapshot = std::env::temp_dir().join(format!("fuzz-{}.db", std::process::id()));
        // Of an earlier process with this id.
        let _ = std::fs::remove_file(&snapshot);
        let path = snapshot.to_str().expect("a path");
        database.vacuum_into(path).expect("a snapshot");
        Self {
            strict: open.another(&STRICT),
            open,
            database,
            snapshot,
            secrets,
            user_id: user.text("/user/id"),
        }
    }

    fn restore(&self) {
        let path = self.snapshot.to_str().expect("a path");
        self.database.restore_from(path).expect("the snapshot");
    }

    /// Replaces each word in `text` with what it stands for.
    fn with_words_replaced(&self, text: &str) -> String {
        let text = text.replace("USERID", &self.user_id);
        let secrets = self.secrets.iter();
        secrets.fold(text, |text, (word, secret, _)| text.replace(word, secret))
    }
}

fuzz_target!(|input: &[u8]| {
    if let Some(request) = Request::parse(input) {
        RUNTIME.block_on(request.run());
    }
});

struct Request {
    route: &'static Route,
    ip: String,
    id: String,
    query: String,
    is_strict: bool,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn parse(input: &[u8]) -> Option<Self> {
        let (function, mut rest) = line_of(input);
        let mut routes = TEMPLATE.routes.iter();
        let mut request = Self {
            route: routes.find(|route| route.function.as_bytes() == function)?,
            ip: "192.0.2.1".to_owned(),
            id: "1".to_owned(),
            query: String::new(),
            is_strict: false,
            headers: Vec::new(),
            body: Vec::new(),
        };
        while !rest.is_empty() {
            let (line, after) = line_of(rest);
            rest = after;
            if line.is_empty() {
                break;
            }
            request.read(&String::from_utf8_lossy(line))?;
        }
        request.body = match std::str::from_utf8(rest) {
            Ok(text) => WORLD.with_words_replaced(text).into_bytes(),
            Err(_) => rest.to_owned(),
        };
        Some(request)
    }

    fn read(&mut self, line: &str) -> Option<()> {
        match line.split_once(' ').unwrap_or((line, "")) {
            (":ip", ip) => self.ip = ip.parse::<std::net::IpAddr>().ok()?.to_string(),
            (":id", id) => {
                let id = WORLD.with_words_replaced(id);
                self.id = utf8_percent_encode(&id, NON_ALPHANUMERIC).to_string();
            }
            (":query", query) => {
                let uri: Uri = format!("/?{query}").parse().ok()?;
                self.query = uri.query()?.to_owned();
            }
            (":strict", _) => self.is_strict = true,
            _ => {
                let (name, value) = line.split_once(':')?;
                let value = WORLD.with_words_replaced(value.trim());
                // API Gateway rejects invalid headers.
                HeaderName::from_bytes(name.as_bytes()).ok()?;
                HeaderValue::from_bytes(value.as_bytes()).ok()?;
                self.headers.push((name.to_owned(), value));
            }
        }
        Some(())
    }

    async fn run(self) {
        WORLD.restore();
        let app = if self.is_strict {
            &WORLD.strict
        } else {
            &WORLD.open
        };
        let path = self.route.path.replace("{id}", &self.id);
        let path = path.replace("{ticket}", &self.id);
        let uri = format!("{path}?{}", self.query);
        if uri.parse::<Uri>().is_err() {
            // Over 65,534 bytes. API Gateway refuses a request that long.
            return;
        }
        let call = Call::new(&self.route.method, &uri, self.body.clone().into());
        let headers = self.headers.iter();
        let call = headers.fold(call.from(&self.ip), |call, (name, value)| {
            call.header(name, value)
        });

        let answer = app.call(call).await;
        let logged = app.forget().concat();

        assert!(answer.status < 500, "{answer:?}");
        self.assert_keeps_secrets(&answer);
        for (name, secret, _) in &WORLD.secrets {
            assert!(!logged.contains(secret), "{name}: {logged}");
        }
        let is_public = PUBLIC.contains(&self.route.function.as_str());
        assert!(
            answer.status != 200 || is_public || self.has_valid_secret(),
            "succeeded without a secret: {answer:?}"
        );
    }

    fn assert_keeps_secrets(&self, answer: &Answer) {
        let text = format!("{:?} {}", answer.headers, answer.body);
        let mut sent: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        if let Some(fields) = sent.as_object_mut() {
            for name in SECRET_FIELDS {
                fields.remove(name);
            }
        }
        let sent = sent.to_string();
        for (name, secret, _) in &WORLD.secrets {
            let is_echo = answer.status == 200 && sent.contains(secret);
            assert!(is_echo || !text.contains(secret), "{name}: {answer:?}");
        }
    }

    fn has_valid_secret(&self) -> bool {
        let mut sent = self.body.clone();
        let values = self.headers.iter().flat_map(|(_, value)| value.bytes());
        sent.extend(values);
        let sent = String::from_utf8_lossy(&sent);
        let mut secrets = WORLD.secrets.iter();
        secrets.any(|(_, secret, is_valid)| *is_valid && sent.contains(secret))
    }
}

/// The first line, and what follows it.
fn line_of(input: &[u8]) -> (&[u8], &[u8]) {
    match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[]),
    }
}
