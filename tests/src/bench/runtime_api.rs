//! The Lambda Runtime API, for one function: one event at a time, and when each was handed out
//! and answered.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use shared::ports::{Clock, SystemClock};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use super::Failure;
use super::clock::now;

/// Longer than any function takes.
const PATIENCE: Duration = Duration::from_secs(15);

const DEADLINE_MS: i64 = 10_000;
const ARN: &str = "arn:aws:lambda:local:000000000000:function:bench";

/// A Runtime API that listens.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    address: SocketAddr,
    events: mpsc::Sender<String>,
    outcomes: mpsc::Receiver<Result<Posted, String>>,
    server: JoinHandle<()>,
}

/// What a function posted, and when.
#[derive(Debug)]
pub(super) struct Posted {
    /// The body.
    pub(super) body: Bytes,
    /// When its event was handed out.
    pub(super) handed_out: Instant,
    /// When it had come in whole.
    pub(super) answered: Instant,
}

#[derive(Debug)]
struct Desk {
    events: Mutex<mpsc::Receiver<String>>,
    outcomes: mpsc::Sender<Result<Posted, String>>,
    current: Lock<Option<Current>>,
    last_id: AtomicU64,
}

#[derive(Debug, Clone, Copy)]
struct Current {
    id: u64,
    handed_out: Instant,
}

impl RuntimeApi {
    /// Listens on the loopback interface.
    pub(super) async fn listen() -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let listener = listener.tap_io(|stream| {
            // Nothing is lost if it cannot be set: each answer is one write.
            let _ = stream.set_nodelay(true);
        });
        let (events, handed) = mpsc::channel(1);
        let (posted, outcomes) = mpsc::channel(1);
        let desk = Desk {
            events: Mutex::new(handed),
            outcomes: posted,
            current: Lock::new(None),
            last_id: AtomicU64::new(0),
        };
        let router = router(desk);
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            events,
            outcomes,
            server,
        })
    }

    /// What `AWS_LAMBDA_RUNTIME_API` is to say.
    pub(super) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Hands out no more events.
    pub(super) fn close(&self) {
        self.server.abort();
    }

    /// Hands out an event, and waits for what becomes of it.
    pub(super) async fn invoke(&mut self, event: String) -> Result<Posted, Failure> {
        self.events.send(event).await?;
        match tokio::time::timeout(PATIENCE, self.outcomes.recv()).await {
            Ok(Some(outcome)) => Ok(outcome?),
            Ok(None) => Err("the Runtime API has ended".into()),
            Err(_) => Err("no answer in 15 seconds".into()),
        }
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn router(desk: Desk) -> Router {
    let invocation = "/2018-06-01/runtime/invocation";
    Router::new()
        .route(&format!("{invocation}/next"), get(next))
        .route(&format!("{invocation}/{{id}}/response"), post(response))
        .route(&format!("{invocation}/{{id}}/error"), post(error))
        .route("/2018-06-01/runtime/init/error", post(error))
        .with_state(Arc::new(desk))
}

async fn next(State(desk): State<Arc<Desk>>) -> Response {
    let Some(event) = desk.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let deadline = SystemClock.now().millis() + DEADLINE_MS;
    let id = desk.last_id.fetch_add(1, Ordering::Relaxed) + 1;
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", id.to_string()),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", ARN.to_owned()),
        ("lambda-runtime-trace-id", format!("Root=1-{id:08x}")),
    ];
    let handed_out = now();
    *desk.current() = Some(Current { id, handed_out });
    (headers, event).into_response()
}

async fn response(State(desk): State<Arc<Desk>>, Path(id): Path<u64>, body: Bytes) -> StatusCode {
    let answered = now();
    let current = desk.current().take();
    let outcome = match current {
        Some(current) if current.id == id => Ok(Posted {
            body,
            handed_out: current.handed_out,
            answered,
        }),
        _ => Err(format!(
            "an answer to invocation {id}, which is not under way"
        )),
    };
    desk.close(outcome).await
}

async fn error(State(desk): State<Arc<Desk>>, body: Bytes) -> StatusCode {
    let message = String::from_utf8_lossy(&body);
    desk.close(Err(format!("the function failed: {message}")))
        .await
}

impl Desk {
    fn current(&self) -> std::sync::MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn close(&self, outcome: Result<Posted, String>) -> StatusCode {
        match self.outcomes.send(outcome).await {
            Ok(()) => StatusCode::ACCEPTED,
            Err(_) => StatusCode::GONE,
        }
    }
}
