//! The commands of the local server:
//!
//! | command | make target | does |
//! | --- | --- | --- |
//! | none | `make run` | serves the whole API on one port |
//! | `operate FUNCTION NAME=value...` | `make find-account` and others | invokes a function for operators |
//! | `openapi` | `make openapi` | prints the API's description |
//! | `with COMMAND` | `make watch` | runs a command with the local DynamoDB and Secrets Manager |

use std::ffi::OsString;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn;
use local::cors;
use local::gateway::Gateway;
use local::mailbox::CaughtMail;
use local::setup::{Failure, host, port, services, settings_as_in_aws};
use local::template::{Route, Template};
use local::{docs, example, functions, openapi};
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How long open requests may take after a stop signal.
const GRACE: Duration = Duration::from_secs(5);

/// How long a command may take to stop. The SAM CLI needs some seconds for its containers.
const COMMAND_GRACE: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .finish()
        .with(shown_lines())
        .init();
    let mut arguments = std::env::args_os().skip(1);
    let done = match arguments.next() {
        None => run().await,
        Some(name) if name == "operate" => operate(arguments).await,
        Some(name) if name == "openapi" => openapi(),
        Some(name) if name == "with" => with(arguments).await,
        Some(name) => Err(format!("there is no command {}", name.display()).into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Errors, and what becomes of webhooks.
fn shown_lines() -> Targets {
    Targets::new()
        .with_default(LevelFilter::ERROR)
        .with_target("deliver_webhook", LevelFilter::INFO)
        .with_target("shared::runtime::queue", LevelFilter::WARN)
}

async fn run() -> Result<(), Failure> {
    let address = address()?;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let template = Template::checked_in()?;
    let services = services(&template).await?;
    services.adapt_ring()?;
    let app = Arc::new(services.app().await?);
    announce(listener.local_addr()?, &template.routes);
    services.mailbox.announce(print_mail);
    services.work(Arc::clone(&app)).await?;
    let example = example::router(Arc::clone(&app));
    let api = Gateway::new(template.routes, app).into_router();
    let api = api.layer(from_fn(cors::permissive_to_localhost));
    let pages = docs::router()?.merge(services.mailbox.into_router());
    let router = pages.merge(example).merge(api);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let (stop, stopped) = oneshot::channel();
    let server = axum::serve(listener, service).with_graceful_shutdown(async {
        let _ = stopped.await;
    });
    let stopping = async {
        stop_signal().await?;
        let _ = stop.send(());
        tokio::time::sleep(GRACE).await;
        Ok(())
    };
    tokio::select! {
        ended = server.into_future() => Ok(ended?),
        stopped = stopping => stopped,
    }
}

/// Invokes a function for operators on the local database, as an operator would in AWS, and prints its
/// response.
async fn operate(arguments: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let mut arguments = arguments.map(|text| text.into_string().map_err(|_| "not UTF-8"));
    let function = arguments.next().ok_or("operate needs a function")??;
    let mut request = Map::new();
    for argument in arguments {
        let (field, value) = field(&argument?)?;
        request.insert(field.to_owned(), value);
    }
    let services = services(&Template::checked_in()?).await?;
    let app = Arc::new(services.app().await?);
    let done = functions::operate(&function, &app, request.into()).await;
    print(&done.ok_or("no such function")??.to_string());
    Ok(())
}

/// The field of a request that an argument such as `ID=...` stands for.
fn field(argument: &str) -> Result<(&'static str, Value), Failure> {
    let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
    Ok(match name {
        "ID" => ("id", value.into()),
        "EMAIL" => ("email", value.into()),
        "USERNAME" => ("username", value.into()),
        "CREATED_BEFORE" => ("createdBefore", value.into()),
        "SCOPES" => ("scopes", value.split(',').map(str::trim).collect()),
        "KEYS" => ("apiKeys", boolean(name, value)?),
        "FORCE" => ("force", boolean(name, value)?),
        _ => return Err(format!("there is no field {name}").into()),
    })
}

fn boolean(name: &str, value: &str) -> Result<Value, Failure> {
    let value: bool = value
        .parse()
        .map_err(|_| format!("{name} must be true or false"))?;
    Ok(value.into())
}

fn openapi() -> Result<(), Failure> {
    print(&openapi::text()?);
    Ok(())
}

/// Runs a command until it ends, with a function's environment and the services of this process.
async fn with(mut command: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    let program = command.next().ok_or("with needs a command")?;
    let name = program.display();
    let services = services(&Template::checked_in()?).await?;
    services.adapt_ring()?;
    services.mailbox.announce(print_mail);
    services.work(Arc::new(services.app().await?)).await?;
    let mut running = Command::new(&program)
        .args(command)
        .env_remove("JWT_KEYS_FILE")
        .env_remove("CODE_KEY_FILE")
        .env_remove("WEBHOOK_KEY_FILE")
        .envs(settings_as_in_aws(&services).await?)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot run {name}: {error}"))?;
    tokio::select! {
        ended = running.wait() => match ended? {
            status if status.success() => Ok(()),
            status => Err(format!("{name}: {status}").into()),
        },
        stopped = stop_signal() => {
            // The terminal sends the signal to the command too.
            let _ = tokio::time::timeout(COMMAND_GRACE, running.wait()).await;
            stopped
        }
    }
}

/// Waits for SIGTERM or Ctrl-C.
async fn stop_signal() -> Result<(), Failure> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a person reads it")]
fn print(line: &str) {
    println!("{line}");
}

fn print_mail(mail: &CaughtMail) {
    let link = mail.link().unwrap_or_default();
    print(&format!("mail to {}: {}  {link}", mail.to, mail.subject));
}

fn address() -> Result<SocketAddr, Failure> {
    Ok(SocketAddr::new(host("HOST")?, port()?))
}

#[expect(clippy::print_stdout, reason = "a person reads it")]
fn announce(address: SocketAddr, routes: &[Route]) {
    println!("\nLatchkey is ready on http://{address}\n");
    for route in routes {
        println!("  {:4} {}", route.method, route.path);
    }
    println!(
        "\n  Reference: http://{address}/docs\n  Mail:      http://{address}/mail\n  \
         Example:   http://{address}/example/orders, a sample API of another team"
    );
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
