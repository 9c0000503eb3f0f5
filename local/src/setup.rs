//! The app on this machine: an embedded DynamoDB, a key of its own, and the template's settings
//! where the environment has none.

use std::ffi::OsString;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use shared::app::App;
use shared::config::Config;
use shared::ports::{SystemClock, SystemEntropy};
use shared::store::{Store, client_config};

use crate::engine::Engine;
use crate::keys;
use crate::template::Template;

/// Why there is no app. One line for a person to read.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Where the database and the key ring are kept.
const STATE: &str = ".local";

/// The app that `make run` serves and `make grant` works on.
pub async fn app(template: &Template) -> Result<App, Failure> {
    let state = Path::new(STATE);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state)
        .map_err(|error| format!("cannot make {STATE}: {error}"))?;
    let database = text("LATCHKEY_DB")?.unwrap_or_else(|| format!("{STATE}/latchkey.sqlite"));
    let engine = Engine::start(&database, &template.tables).await?;
    let key_ring = state.join("jwt-keys.json");
    let has_keys = variable("JWT_KEYS").or(variable("JWT_KEYS_FILE")).is_some();
    if !has_keys {
        keys::make_once(&key_ring)
            .map_err(|error| format!("cannot keep a key in {}: {error}", key_ring.display()))?;
    }
    let sdk = engine.variables();
    let config = Config::from_lookup(|name| {
        if let Some((_, value)) = sdk.iter().find(|(variable, _)| *variable == name) {
            return Some(value.into());
        }
        if name.starts_with("AWS_") {
            return None;
        }
        if name == "JWT_KEYS_FILE" && !has_keys {
            return Some(key_ring.clone().into());
        }
        variable(name).or_else(|| template.variables.get(name).map(Into::into))
    })?;
    let entropy = Arc::new(SystemEntropy);
    let client = Client::from_conf(client_config(&config.aws).build());
    let store = Store::new(client, config.tables.clone(), entropy.clone());
    Ok(App::new(config, store, Arc::new(SystemClock), entropy)?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the local run's own settings, and those it passes on to `Config`"
)]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// A setting of the local run, if it is set.
pub fn text(name: &str) -> Result<Option<String>, Failure> {
    variable(name)
        .map(OsString::into_string)
        .transpose()
        .map_err(|_| format!("{name} must be UTF-8").into())
}
