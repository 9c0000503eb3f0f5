//! Starts the functions: each function's `main` calls one of `serve`, `serve_without_keys`,
//! `serve_operator` and `serve_worker`.

pub mod queue;

use std::future::ready;
use std::process::ExitCode;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lambda_http::Request;
pub use lambda_runtime::Error;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use tracing_subscriber::util::SubscriberInitExt;

use crate::app::App;
use crate::config::Config;
use crate::http::event::{self, ApiGatewayV2httpRequest, Handle};
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
    serve_endpoint(boxed(handle), true)
}

/// Like [`serve`], for an endpoint that neither signs nor verifies a token.
pub fn serve_without_keys<H, F>(handle: H) -> ExitCode
where
    H: Fn(Arc<App>, Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Reply, HttpError>> + Send + 'static,
{
    serve_endpoint(boxed(handle), false)
}

fn boxed<H, F>(handle: H) -> Arc<Handle>
where
    H: Fn(Arc<App>, Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Reply, HttpError>> + Send + 'static,
{
    Arc::new(move |app, request| Box::pin(handle(app, request)))
}

fn serve_endpoint(handle: Arc<Handle>, needs_keys: bool) -> ExitCode {
    run(move |app| async move {
        // The function does not start without the keys that it needs.
        if needs_keys {
            app.keys.current(app.clock.now()).boxed().await?;
        }
        let answer = move |invocation: LambdaEvent<Box<ApiGatewayV2httpRequest>>| {
            let (app, handle) = (Arc::clone(&app), Arc::clone(&handle));
            let answered = async move {
                Ok::<_, Diagnostic>(event::answer(&app, invocation.payload, &*handle).await)
            };
            // Boxed, because the runtime moves the event and the future some twenty times.
            answered.boxed()
        };
        lambda_runtime::run(service_fn(answer)).boxed().await
    })
}

/// Serves a function that operators invoke, with JSON input and output and without a route. A
/// refusal is logged and returned as the invocation's error. Of malformed input only the position of
/// the error is logged, because the error's text can contain a value.
pub fn serve_operator<H, F, I, O, E>(handle: H) -> ExitCode
where
    H: Fn(Arc<App>, I) -> F + Send + Sync + 'static,
    F: Future<Output = Result<O, E>> + Send + 'static,
    I: DeserializeOwned + Send + 'static,
    O: Serialize + Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    let handle = Arc::new(handle);
    serve_json(Box::new(|app| {
        let invoke: Invoke = Box::new(move |input| {
            let (app, handle) = (Arc::clone(&app), Arc::clone(&handle));
            let invoked = async move {
                let output = handle(app, from_json(&input)?).await.map_err(refused)?;
                to_json(&output)
            };
            invoked.boxed()
        });
        ready(Ok(invoke)).boxed()
    }))
}

fn refused(refusal: impl std::error::Error + 'static) -> Diagnostic {
    tracing::error!(error = causes(&refusal), "refused");
    diagnostic("Refused", &refusal)
}

fn diagnostic(error_type: &str, error: &impl std::error::Error) -> Diagnostic {
    Diagnostic {
        error_type: error_type.to_owned(),
        error_message: error.to_string(),
    }
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
    serve_json(Box::new(|app| {
        let started = async {
            let worker = Arc::new(W::start(app).await?);
            let invoke: Invoke = Box::new(move |event| {
                let worker = Arc::clone(&worker);
                async move { to_json(&worker.work(from_json(&event)?).await) }.boxed()
            });
            Ok(invoke)
        };
        started.boxed()
    }))
}

type Start = Box<dyn FnOnce(Arc<App>) -> BoxFuture<'static, Result<Invoke, Error>> + Send>;
type Invoke = Box<dyn Fn(Box<RawValue>) -> Invoked + Send + Sync>;
type Invoked = BoxFuture<'static, Result<Box<RawValue>, Diagnostic>>;

/// Serves a function with JSON input and output. Takes trait objects for the same reason as [`Handle`].
fn serve_json(start: Start) -> ExitCode {
    run(|app| async {
        let invoke = start(app).await?;
        let answer = move |invocation: LambdaEvent<Box<RawValue>>| invoke(invocation.payload);
        lambda_runtime::run(service_fn(answer)).boxed().await
    })
}

fn from_json<T: DeserializeOwned>(input: &RawValue) -> Result<T, Diagnostic> {
    serde_json::from_str(input.get()).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        tracing::error!(line, column, "malformed input");
        diagnostic("MalformedInput", &error)
    })
}

fn to_json(output: &impl Serialize) -> Result<Box<RawValue>, Diagnostic> {
    to_raw_value(output).map_err(|error| {
        tracing::error!(error = causes(&error), "unserializable output");
        diagnostic("UnserializableOutput", &error)
    })
}

/// Runs a function until Lambda ends the process. Returns a failure if it cannot start.
///
/// Callers box what they await: otherwise rustc cannot prove that their future is `Send`
/// (<https://github.com/rust-lang/rust/issues/96865>).
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
