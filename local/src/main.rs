//! `make run`: the whole API on this machine, in one process, on one port.

use std::ffi::OsString;
use std::fs::DirBuilder;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use local::engine::Engine;
use local::gateway::Gateway;
use local::keys;
use local::template::{Route, Template};
use shared::app::App;
use shared::config::Config;
use shared::ports::{SystemClock, SystemEntropy};
use shared::store::{Store, client_config};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Where the database and the key ring are kept.
const STATE: &str = ".local";

/// How long requests under way may take once the server is told to stop.
const GRACE: Duration = Duration::from_secs(5);

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::ERROR)
        .init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failure> {
    let address = address()?;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let template = Template::checked_in()?;
    let app = Arc::new(app(&template).await?);
    announce(listener.local_addr()?, &template.routes);
    let router = Gateway::new(template.routes, app).into_router();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut terminated = signal(SignalKind::terminate())?;
    let (stop, stopped) = oneshot::channel();
    let server = axum::serve(listener, service).with_graceful_shutdown(async {
        let _ = stopped.await;
    });
    let stopping = async {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        }
        let _ = stop.send(());
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = server.into_future() => ended?,
        () = stopping => {}
    }
    Ok(())
}

fn address() -> Result<SocketAddr, Failure> {
    let host = match text("HOST")? {
        Some(host) => host
            .parse()
            .map_err(|_| "HOST must be an address to listen on, such as 127.0.0.1")?,
        None => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    let port = match text("PORT")? {
        Some(port) => port.parse().map_err(|_| "PORT must be a port number")?,
        None => 3000,
    };
    Ok(SocketAddr::new(host, port))
}

/// The app over an embedded DynamoDB, with the template's settings where the environment has none.
async fn app(template: &Template) -> Result<App, Failure> {
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

fn text(name: &str) -> Result<Option<String>, Failure> {
    variable(name)
        .map(OsString::into_string)
        .transpose()
        .map_err(|_| format!("{name} must be UTF-8").into())
}

#[expect(clippy::print_stdout, reason = "a person reads it")]
fn announce(address: SocketAddr, routes: &[Route]) {
    println!("Latchkey listens on http://{address}\n");
    for route in routes {
        println!("  {:4} {}", route.method, route.path);
    }
    println!(
        "\nTry it:\n\n  curl -XPOST http://{address}/user -H 'Content-type: application/json' \
         -d '{{\"username\": \"abc@example.com\", \"email\": \"abc@example.com\", \
         \"password\": \"abc321\"}}'\n"
    );
}

#[expect(clippy::print_stderr, reason = "a person reads it")]
fn complain(error: &Failure) {
    eprintln!("latchkey: {error}");
}
