//! `serve`: what every function's `main` calls.

use std::process::ExitCode;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use lambda_http::Request;
use lambda_runtime::{Error, LambdaEvent, service_fn};

use crate::app::{App, StartError};
use crate::config::Config;
use crate::http::event::{self, Event};
use crate::http::{HttpError, Reply};
use crate::ports::{SystemClock, SystemEntropy};
use crate::store::{Store, client_config};

/// Serves one endpoint behind the Lambda Runtime API until Lambda ends the process.
///
/// One request at a time, as Lambda sends them, on one thread; password hashing has its own. A
/// function whose settings are missing or malformed does not start, and says which.
pub fn serve<H, F>(handle: H) -> ExitCode
where
    H: Fn(Arc<App>, Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Reply, HttpError>> + Send + 'static,
{
    log_to_stdout();
    log_panics_without_their_message();
    match try_serve(handle) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "not serving");
            ExitCode::FAILURE
        }
    }
}

fn try_serve<H, F>(handle: H) -> Result<(), Error>
where
    H: Fn(Arc<App>, Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Reply, HttpError>> + Send + 'static,
{
    let (app, handle) = (Arc::new(start()?), Arc::new(handle));
    let answer = move |invocation: LambdaEvent<Event>| {
        let (app, handle) = (Arc::clone(&app), Arc::clone(&handle));
        async move { Ok::<_, Error>(event::answer(&app, invocation.payload, &*handle).await) }
    };
    // In a task of its own the loop is woken for its own sake alone, not for that of every
    // connection's task.
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async { tokio::spawn(lambda_runtime::run(service_fn(answer))).await? })
}

fn start() -> Result<App, StartError> {
    let config = Config::from_env()?;
    let entropy = Arc::new(SystemEntropy);
    let client = Client::from_conf(client_config(&config.aws).build());
    let store = Store::new(client, config.tables.clone(), entropy.clone());
    App::new(config, store, Arc::new(SystemClock), entropy)
}

/// A panic's message may quote what it choked on: where it happened is enough to find it.
fn log_panics_without_their_message() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, "panicked");
    }));
}

/// One JSON object a line, as CloudWatch takes them.
fn log_to_stdout() {
    tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::INFO)
        .with_target(false)
        .with_current_span(false)
        .init();
}
