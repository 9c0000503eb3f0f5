//! Where an execution happens: an app of its own, over tables that hold the same few accounts.
//!
//! | account | has |
//! | --- | --- |
//! | `abc@example.com`, username `ada` | a profile with two settings, one of them read-only; API keys |
//! | `root@example.com` | the scope `admin` |
//!
//! What is secret is written in an input by a name, and is nowhere else: [`SECRETS`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use aws_sdk_dynamodb::Client;
use serde_json::{Value, json};
use shared::app::App;
use shared::config::Config;
use shared::crypto::{Hasher, PlainApiKey};
use shared::domain::HashParams;
use shared::domain::{Password, Timestamp};
use shared::keys::Keys;
use shared::ports::{Clock, Entropy, EntropyError};
use shared::store::Store;
use tokio::runtime::{Builder, Runtime};

use crate::engine::{Engine, Tables};
use crate::expression::Item;
use crate::token::sign;

/// When everything here happens.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

pub(crate) const USERS: &str = "users";
pub(crate) const SESSIONS: &str = "sessions";
pub(crate) const RATE_LIMITS: &str = "rate-limits";

/// The account with everything.
pub(crate) const ADA: &str = "65a5c1d00123456789abcdef";
/// The administrator.
const ROOT: &str = "65a5c1d00123456789abcd00";

const PASSWORD: &str = "Tr0ub4dor-and-3-staples";
const KEY: &str = "api_0123456789abcdefghijKLMN";
const KEY_TO_READ: &str = "api_0123456789abcdefghijREAD";
const KEY_REVOKED: &str = "api_0123456789abcdefghijDEAD";

/// What is secret, and the name an input has for it; and whether it lets anybody in.
pub(crate) static SECRETS: LazyLock<Vec<(&str, String, bool)>> = LazyLock::new(|| {
    vec![
        ("ADMINTOKEN", token(ROOT, "two", 1, 60), true),
        ("EXPIREDTOKEN", token(ADA, "one", 1, 0), false),
        ("OLDTOKEN", token(ADA, "one", 0, 60), false),
        ("REVOKEDTOKEN", token(ADA, "dead", 1, 60), false),
        ("TOKEN", token(ADA, "one", 1, 60), true),
        ("PASSWORD", PASSWORD.to_owned(), true),
        ("READKEY", KEY_TO_READ.to_owned(), true),
        ("DEADKEY", KEY_REVOKED.to_owned(), false),
        ("APIKEY", KEY.to_owned(), true),
    ]
});

/// `text` with each secret in place of its name.
pub(crate) fn with_secrets(text: &str) -> String {
    SECRETS
        .iter()
        .fold(text.to_owned(), |text, (name, secret, _)| {
            text.replace(name, secret)
        })
}

fn token(account: &str, id: &str, generation: u64, lifetime: i64) -> String {
    let now = NOW.secs();
    let claims = json!({
        "id": account, "sub": account, "scope": ["user"], "jti": id, "gen": generation,
        "iss": "latchkey", "aud": "latchkey", "iat": now, "nbf": now, "exp": now + lifetime,
    });
    sign(
        r#"{"alg":"HS256","typ":"JWT","kid":"test"}"#,
        &claims.to_string(),
    )
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let hasher = Hasher::new(HashParams::new(8, 1, 1).expect("a cost")).expect("a hasher");
    let password = Arc::new(Password::new(PASSWORD.to_owned()));
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let hash = runtime.block_on(hasher.hash(password, &Dice::default()));
    let hash = hash.expect("a hash");
    let claim = |account: &str| {
        json!({
            "v": {"N": "1"},
            "account_id": {"S": account},
            "password_hash": {"S": hash.as_phc()},
            "password_version": {"N": "1"},
        })
    };
    let mut tables = Tables::new();
    let mut put = |table: &str, pk: String, item: Value| {
        let mut item = fields(item);
        item.insert("pk".to_owned(), json!({ "S": pk }));
        tables.insert((table.to_owned(), pk), item);
    };
    put(
        USERS,
        format!("user#{ADA}"),
        account("ada", "abc@example.com", &["user"]),
    );
    put(
        USERS,
        format!("user#{ROOT}"),
        account("root", "root@example.com", &["user", "admin"]),
    );
    for (name, holder) in [
        ("email#abc@example.com", ADA),
        ("username#ada", ADA),
        ("email#root@example.com", ROOT),
        ("username#root", ROOT),
    ] {
        put(USERS, name.to_owned(), claim(holder));
    }
    put(USERS, format!("profile#{ADA}"), profile());
    for (key, mask, revoked) in [
        (KEY, 15, None),
        (KEY_TO_READ, 1, None),
        (KEY_REVOKED, 15, Some(1)),
    ] {
        let mut item = json!({
            "v": {"N": "1"},
            "account_id": {"S": ADA},
            "permissions": {"N": mask.to_string()},
        });
        if let Some(at) = revoked {
            item["revoked_at"] = json!({ "N": at.to_string() });
        }
        put(USERS, format!("apikey#{}", digest(key)), item);
    }
    put(
        SESSIONS,
        "revoked#dead".to_owned(),
        json!({"v": {"N": "1"}, "expires_at": {"N": "1800003660"}, "revocation": {"S": "it"}}),
    );
    tables
});

fn account(username: &str, email: &str, scopes: &[&str]) -> Value {
    let scopes: Vec<Value> = scopes.iter().map(|scope| json!({ "S": scope })).collect();
    json!({
        "v": {"N": "1"},
        "username": {"S": username},
        "username_canonical": {"S": username},
        "email": {"S": email},
        "email_canonical": {"S": email},
        "is_active": {"BOOL": false},
        "plan": {"S": "free"},
        "scope": {"L": scopes},
        "password_version": {"N": "1"},
        "generation": {"N": "1"},
        "created_at": {"N": "1799999999000"},
    })
}

/// The profile that is there before an execution.
pub(crate) fn profile() -> Value {
    let setting = |category: &str, value: &str, kind: &str, read_only: bool| {
        json!({"M": {
            "category": {"S": category},
            "name": {"S": "theme"},
            "value": {"S": value},
            "type": {"S": kind},
            "read_only": {"BOOL": read_only},
        }})
    };
    json!({
        "v": {"N": "1"},
        "firstName": {"S": "Ada"},
        "birthDate": {"S": "1815-12-10T00:00:00Z"},
        "s1": setting("ui", "dark", "string", false),
        "s2": setting("limits", "7", "int", true),
        "last_setting": {"N": "2"},
        "setting_count": {"N": "2"},
        "last_api_key": {"N": "1"},
        "api_key_1": {"M": {
            "name": {"S": "backup"},
            "permissions": {"N": "15"},
            "start": {"S": "api_0123"},
            "digest": {"S": digest(KEY)},
            "created_at": {"N": "1799999999000"},
        }},
    })
}

fn digest(key: &str) -> String {
    let key = PlainApiKey::parse(key).expect("a key");
    key.digest().as_hex().to_owned()
}

/// The members of an object.
pub(crate) fn fields(object: Value) -> Item {
    match object {
        Value::Object(fields) => fields,
        _ => Item::new(),
    }
}

/// The tables before an execution.
pub(crate) fn tables() -> Tables {
    TABLES.clone()
}

/// What an operator may have set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settings {
    /// Nothing.
    Default,
    /// All that keeps people out: sign-up by administrators alone, no common passwords, low
    /// limits, a trusted proxy.
    Strict,
}

fn config(settings: Settings) -> Config {
    let strict = [
        ("API_USER_CREATE_SCOPE", "admin"),
        ("PASSWORD_REJECT_COMMON", "true"),
        ("SIGNIN_RATE_LIMIT_IP", "0"),
        ("TRUSTED_PROXY_HOPS", "1"),
        ("TRUSTED_PROXY_CIDRS", "192.0.2.0/24"),
    ];
    let always = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        // Nothing listens there, and nothing is sent.
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1"),
        ("TABLE_USERS", USERS),
        ("TABLE_SESSIONS", SESSIONS),
        ("TABLE_RATE_LIMITS", RATE_LIMITS),
        ("JWT_KEYS_FILE", crate::KEYS),
        ("ARGON2_MEMORY_KIB", "8"),
        ("ARGON2_ITERATIONS", "1"),
        ("ARGON2_PARALLELISM", "1"),
    ];
    let strict = strict.iter().filter(|_| settings == Settings::Strict);
    let variables: Vec<_> = always.iter().chain(strict).collect();
    let config = Config::from_lookup(|wanted| {
        let found = variables.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| (*value).into())
    });
    config.expect("settings")
}

/// A store over an engine.
pub(crate) fn store(engine: &Engine) -> Store {
    over(&config(Settings::Default), engine)
}

fn over(config: &Config, engine: &Engine) -> Store {
    let sdk = config.aws.sdk_config(&config.keys);
    let dynamodb = config.aws.dynamodb(&sdk).http_client(engine.clone());
    Store::new(
        Client::from_conf(dynamodb.build()),
        config.tables.clone(),
        Arc::new(Dice::default()),
    )
}

/// An app over an engine.
pub(crate) fn app(settings: Settings, engine: &Engine) -> Arc<App> {
    let config = config(settings);
    let store = over(&config, engine);
    let keys = Keys::new(&config.keys, || unreachable!("the ring is in a file"));
    let app = App::new(
        config,
        store,
        keys,
        Arc::new(Still),
        Arc::new(Dice::default()),
    );
    Arc::new(app.expect("an app"))
}

/// Runs a future to its end, in which nothing takes time: whatever waits is woken at once.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: Runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// A clock that stands still.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// Dice that fall the same way each time: an execution can be repeated.
#[derive(Debug, Default)]
pub(crate) struct Dice(AtomicU64);

impl Entropy for Dice {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for byte in bytes {
            let drawn = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
            *byte = (drawn ^ (drawn >> 29)).to_le_bytes()[5];
        }
        Ok(())
    }
}
