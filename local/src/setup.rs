//! Builds the app for this machine: an embedded DynamoDB, local keys, a mailbox, and settings from the
//! environment or else the template.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::DirBuilder;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use deliver::{Deliver, pause_secs};
use deliver_webhook::DeliverWebhook;
use erase_account::EraseAccount;
use shared::app::App;
use shared::config::Config;
use shared::domain::SigningAlgorithm;
use shared::keys::rotation::key_plan;
use shared::runtime::Worker;

use crate::engine::Engine;
use crate::keys;
use crate::mailbox::Mailbox;
use crate::secrets::Secrets;
use crate::stream::{GONE_ACCOUNTS, NEW_MAIL, NEW_WEBHOOKS, StreamError, TableStream};
use crate::template::Template;

/// An error as one line for people.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The address of DynamoDB and Secrets Manager.
const SERVICES_HOST: &str = "SERVICES_HOST";

/// The directory of the database and the key ring.
const STATE: &str = ".local";

/// Who sends mail on this machine, and where its links lead.
const MAIL: [(&str, &str); 2] = [
    ("MAIL_FROM", "noreply@latchkey.example"),
    ("APP_URL", "http://localhost:8080"),
];

/// The services that run as long as this process, and the environment of a function that uses them.
pub struct Services {
    pub settings: BTreeMap<String, OsString>,
    pub mailbox: Mailbox,
    own_ring: Option<OwnRing>,
    outbox: TableStream,
    webhooks: TableStream,
    deletions: TableStream,
}

/// A key ring that was made for this machine.
struct OwnRing {
    path: PathBuf,
    /// The issuer of keys that do not name one.
    issuer: OsString,
}

impl Services {
    /// Lets the ring sign as the settings say. A ring that `JWT_KEYS_FILE` names is not changed.
    pub fn adapt_ring(&self) -> Result<(), Failure> {
        let Some(OwnRing { path, issuer }) = &self.own_ring else {
            return Ok(());
        };
        let plan = key_plan(&self.config()?);
        keys::adapt_ring(path, &plan, &issuer.to_string_lossy())
            .map_err(|error| format!("cannot change {}: {error}", path.display()).into())
    }

    /// The app of `make run` and `make grant`.
    pub async fn app(&self) -> Result<App, Failure> {
        let app = App::from_config(self.config()?)?;
        app.keys.current(app.clock.now()).await?;
        Ok(app)
    }

    /// Delivers the mail of the outbox to the mailbox, delivers webhooks, and erases deleted accounts, as long
    /// as this process runs, from where the last process stopped.
    pub async fn work(&self, app: Arc<App>) -> Result<(), Failure> {
        let deliver = Deliver::start(Arc::clone(&app)).await?;
        let deliver_webhook = DeliverWebhook::start(Arc::clone(&app)).await?;
        let retries = app.config.webhooks.retries;
        let erase = EraseAccount::start(app).await?;
        let outbox = self.outbox.clone().pass_on(deliver, pause_secs);
        tokio::spawn(log_end("mail is no longer delivered", outbox));
        let webhooks = self.webhooks.clone();
        let webhooks = webhooks.pass_on(deliver_webhook, move |times| retries.pause_secs(times));
        tokio::spawn(log_end("webhooks are no longer delivered", webhooks));
        let deletions = self.deletions.clone().pass_on(erase, pause_secs);
        tokio::spawn(log_end("deleted accounts are no longer erased", deletions));
        Ok(())
    }

    pub fn config(&self) -> Result<Config, Failure> {
        Ok(Config::from_lookup(|name| {
            self.settings.get(name).cloned()
        })?)
    }
}

async fn log_end(what: &'static str, working: impl Future<Output = StreamError>) {
    let error = working.await;
    tracing::error!(%error, "{what}");
}

/// Starts an embedded DynamoDB and a mailbox. Settings and keys come from this process's environment; the
/// defaults are the template's settings and keys generated for this machine.
pub async fn services(template: &Template) -> Result<Services, Failure> {
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
    for (name, default) in MAIL {
        let setting = settings.entry(name.to_owned()).or_default();
        if setting.is_empty() {
            *setting = default.into();
        }
    }
    let issuer = settings.get("JWT_ISSUER").cloned().unwrap_or_default();
    name_issuer(&mut settings)?;
    let code_key = key_file("CODE_KEY_FILE", &state.join("code-key"), keys::fresh_key)?;
    settings.insert("CODE_KEY_FILE".to_owned(), code_key);
    let webhook_key = key_file(
        "WEBHOOK_KEY_FILE",
        &state.join("webhook-key"),
        keys::fresh_webhook_key,
    )?;
    settings.insert("WEBHOOK_KEY_FILE".to_owned(), webhook_key);
    settings.insert("WEBHOOK_ANY_ADDRESS".to_owned(), "true".into());
    let mailbox = Mailbox::start(host)?;
    let sdk = engine.variables().into_iter().chain(mailbox.variables());
    settings.extend(sdk.map(|(name, value)| (name.to_owned(), value.into())));
    let ring = state.join("jwt-keys.json");
    settings.insert("JWT_KEYS_FILE".to_owned(), ring.clone().into());
    let plan = key_plan(&Config::from_lookup(|name| settings.get(name).cloned())?);
    let key_ring = key_file("JWT_KEYS_FILE", &ring, || keys::fresh_ring(&plan))?;
    let own_ring = (key_ring == ring).then_some(OwnRing { path: ring, issuer });
    settings.insert("JWT_KEYS_FILE".to_owned(), key_ring);
    let stream = |table: &str, filter, suffix: &str| {
        let table = settings.get(table).cloned().unwrap_or_default();
        let position = (database != ":memory:").then(|| format!("{database}.{suffix}").into());
        TableStream::new(
            engine.database(),
            &table.to_string_lossy(),
            filter,
            position,
        )
    };
    let outbox = stream("TABLE_SESSIONS", NEW_MAIL, "mail");
    let webhooks = stream("TABLE_SESSIONS", NEW_WEBHOOKS, "webhooks");
    let deletions = stream("TABLE_USERS", GONE_ACCOUNTS, "deletions");
    Ok(Services {
        settings,
        mailbox,
        own_ring,
        outbox,
        webhooks,
        deletions,
    })
}

/// The file that the variable names, or else one at `path`, which is made once.
fn key_file(
    name: &str,
    path: &Path,
    fresh: impl FnOnce() -> std::io::Result<String>,
) -> Result<OsString, Failure> {
    if let Some(path) = variable(name) {
        return Ok(path);
    }
    let failed = |path: &Path, error| format!("cannot keep a key in {}: {error}", path.display());
    keys::make_once(path, fresh).map_err(|error| failed(path, error))?;
    Ok(path.into())
}

/// Tokens that others verify need an issuer from which they can fetch the key set: this process.
fn name_issuer(settings: &mut BTreeMap<String, OsString>) -> Result<(), Failure> {
    let algorithm = settings.get("JWT_ALGORITHM").and_then(|name| name.to_str());
    let is_asymmetric = algorithm.and_then(SigningAlgorithm::parse);
    if is_asymmetric.is_some_and(SigningAlgorithm::is_asymmetric)
        && variable("JWT_ISSUER").is_none()
    {
        let issuer = format!("http://localhost:{}", port()?);
        settings.insert("JWT_ISSUER".to_owned(), issuer.into());
    }
    Ok(())
}

/// The port of the API.
pub fn port() -> Result<u16, Failure> {
    match text("PORT")? {
        Some(port) => Ok(port.parse().map_err(|_| "PORT must be a port number")?),
        None => Ok(3000),
    }
}

/// The environment of the real binaries: that of `services`, with the keys in a Secrets Manager that runs
/// as long as this process.
pub async fn settings_as_in_aws(
    services: &Services,
) -> Result<BTreeMap<String, OsString>, Failure> {
    let mut settings = services.settings.clone();
    settings.remove("CODE_KEY_FILE");
    settings.remove("WEBHOOK_KEY_FILE");
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
