//! Starts the functions: each function's `main` calls one of `serve`, `serve_without_keys`,
//! `serve_operator` and `serve_worker`.

pub mod queue;

use std::process::ExitCode;
use std::sync::Arc;

use lambda_http::Request;
pub use lambda_runtime::Error;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing_subscriber::util::SubscriberInitExt;

use crate::app::App;
use crate::config::Config;
use crate::http::event::{self, ApiGatewayV2httpRequest};
use crate::http::{HttpError, Reply};
use crate::observe::{self, causes};

/// Serves one endpoint through the Lambda Runtime API until Lambda ends the process.
///
/// Lambda sends one request at a time. One thread handles requests; another one hashes passwords. If
/// a setting is missing or malformed, the function logs its name and does not start.
pub fn serve<H, F>(handle: H) -> ExitCode
where
    H: Fn(Arc<App>, Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Reply, HttpError>> + Send + 'static,
{
    run(|app| async {
        // Without keys it does not start.
        app.keys.current(app.clock.now()).await?;
        answer_requests(app, handle).await
    })
}

/// Like [`serve`], for an endpoint that neither signs nor verifies a token.
pub fn serve_without_keys<H, F>(handle: H) -> ExitCode
where
    H: Fn(Arc<App>, Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Reply, HttpError>> + Send + 'static,
{
    run(|app| answer_requests(app, handle))
}

async fn answer_requests<H, F>(app: Arc<App>, handle: H) -> Result<(), Error>
where
    H: Fn(Arc<App>, Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Reply, HttpError>> + Send + 'static,
{
    let handle = Arc::new(handle);
    let answer = move |invocation: LambdaEvent<Box<ApiGatewayV2httpRequest>>| {
        let (app, handle) = (Arc::clone(&app), Arc::clone(&handle));
        // Boxed, because the runtime moves the event and the future some twenty times.
        Box::pin(async move {
            Ok::<_, Diagnostic>(event::answer(&app, invocation.payload, &*handle).await)
        })
    };
    lambda_runtime::run(service_fn(answer)).await
}

/// Serves a function that operators invoke, with JSON input and output and without a route. A
/// refusal is logged and returned as the invocation's error.
pub fn serve_operator<H, F, I, O, E>(handle: H) -> ExitCode
where
    H: Fn(Arc<App>, I) -> F + Send + Sync + 'static,
    F: Future<Output = Result<O, E>> + Send + 'static,
    I: DeserializeOwned + Send + 'static,
    O: Serialize + Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    run(|app| {
        let answer = move |invocation: LambdaEvent<I>| {
            let answered = handle(Arc::clone(&app), invocation.payload);
            Box::pin(async move {
                answered.await.map_err(|refusal| {
                    tracing::error!(error = causes(&refusal), "refused");
                    Diagnostic {
                        error_type: "Refused".to_owned(),
                        error_message: refusal.to_string(),
                    }
                })
            })
        };
        lambda_runtime::run(service_fn(answer))
    })
}

/// A function that AWS invokes by itself, such as for the messages of a queue.
pub trait Worker: Sized + Send + Sync + 'static {
    type Event: DeserializeOwned + Send + 'static;
    type Response: Serialize + Send + 'static;

    /// Prepares what all invocations share. The function does not start if this fails.
    fn start(app: Arc<App>) -> impl Future<Output = Result<Self, Error>> + Send;

    /// Failures are part of the response.
    fn work(&self, event: Self::Event) -> impl Future<Output = Self::Response> + Send;
}

/// Serves a worker.
#[must_use]
pub fn serve_worker<W: Worker>() -> ExitCode {
    run(|app| async {
        let worker = Arc::new(W::start(app).await?);
        let answer = move |invocation: LambdaEvent<W::Event>| {
            let worker = Arc::clone(&worker);
            Box::pin(async move { Ok::<_, Diagnostic>(worker.work(invocation.payload).await) })
        };
        lambda_runtime::run(service_fn(answer)).await
    })
}

/// Runs a function until Lambda ends the process. Returns a failure if it cannot start.
fn run<F>(function: impl FnOnce(Arc<App>) -> F) -> ExitCode
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    observe::subscriber(std::io::stdout).init();
    log_panics_without_their_message();
    match try_run(function) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = causes(&*error), "not serving");
            ExitCode::FAILURE
        }
    }
}

/// Spawns the function as a separate task, so that wake-ups of connection tasks do not poll it.
fn try_run<F>(function: impl FnOnce(Arc<App>) -> F) -> Result<(), Error>
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let app = Arc::new(App::from_config(Config::from_env()?)?);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async { tokio::spawn(function(app)).await? })
}

/// A panic's message may contain a secret. Its location is enough to find the cause.
fn log_panics_without_their_message() {
    std::panic::set_hook(Box::new(|panic| {
        observe::panicked(panic.location());
    }));
}
