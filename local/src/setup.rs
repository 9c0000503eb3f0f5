//! Builds the app for this machine: an embedded DynamoDB, a local signing key, and settings from
//! the environment or else the template.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::DirBuilder;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::DirBuilderExt;

use shared::app::App;
use shared::config::Config;

use crate::engine::Engine;
use crate::keys;
use crate::secrets::Secrets;
use crate::template::Template;

/// An error as one line for people.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The address of DynamoDB and Secrets Manager.
const SERVICES_HOST: &str = "SERVICES_HOST";

/// The directory of the database and the key ring.
const STATE: &str = ".local";

/// The app of `make run` and `make grant`.
pub async fn app(template: &Template) -> Result<App, Failure> {
    let settings = settings(template).await?;
    let app = App::from_config(Config::from_lookup(|name| settings.get(name).cloned())?)?;
    app.keys.current(app.clock.now()).await?;
    Ok(app)
}

/// Starts an embedded DynamoDB, which runs as long as this process, and returns the environment of
/// a function that uses it. Settings and the key ring come from this process's environment; the
/// defaults are the template's settings and a key generated for this machine.
pub async fn settings(template: &Template) -> Result<BTreeMap<String, OsString>, Failure> {
    let state = std::path::absolute(STATE)?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&state)
        .map_err(|error| format!("cannot make {STATE}: {error}"))?;
    let database = text("LATCHKEY_DB")?.unwrap_or_else(|| format!("{STATE}/latchkey.sqlite"));
    let host = host(SERVICES_HOST)?;
    let engine = Engine::start_on(host, &database, &template.tables).await?;
    let mut settings = BTreeMap::new();
    for (name, default) in &template.variables {
        let value = variable(name).unwrap_or_else(|| default.into());
        settings.insert(name.clone(), value);
    }
    let key_ring = if let Some(path) = variable("JWT_KEYS_FILE") {
        path
    } else {
        let path = state.join("jwt-keys.json");
        keys::make_once(&path)
            .map_err(|error| format!("cannot keep a key in {}: {error}", path.display()))?;
        path.into()
    };
    settings.insert("JWT_KEYS_FILE".to_owned(), key_ring);
    let sdk = engine.variables().into_iter();
    settings.extend(sdk.map(|(name, value)| (name.to_owned(), value.into())));
    Ok(settings)
}

/// Like [`settings`], with the key ring in a Secrets Manager that runs as long as this process: the
/// environment of the real binaries.
pub async fn settings_as_in_aws(
    template: &Template,
) -> Result<BTreeMap<String, OsString>, Failure> {
    let mut settings = settings(template).await?;
    let path = settings.remove("JWT_KEYS_FILE").unwrap_or_default();
    let ring = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let secrets = Secrets::start(host(SERVICES_HOST)?, &ring).await?;
    let found = secrets.variables().into_iter();
    settings.extend(found.map(|(name, value)| (name.to_owned(), value.into())));
    Ok(settings)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the local run's own settings, and those it passes on to `Config`"
)]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// A setting of this process.
pub fn text(name: &str) -> Result<Option<String>, Failure> {
    variable(name)
        .map(OsString::into_string)
        .transpose()
        .map_err(|_| format!("{name} must be UTF-8").into())
}

/// A setting with an address to listen on; by default the loopback interface.
pub fn host(name: &str) -> Result<IpAddr, Failure> {
    let Some(host) = text(name)? else {
        return Ok(Ipv4Addr::LOCALHOST.into());
    };
    host.parse()
        .map_err(|_| format!("{name} must be an address to listen on, such as 127.0.0.1").into())
}
