//! The Lambda Runtime API for one function. It delivers one event at a time and records when it was
//! delivered and answered.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use shared::ports::{Clock, SystemClock};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use super::{Failure, now};

/// Longer than any function takes.
const PATIENCE: Duration = Duration::from_secs(15);

const DEADLINE_MS: i64 = 10_000;
const ARN: &str = "arn:aws:lambda:local:000000000000:function:bench";

#[derive(Debug)]
pub(super) struct RuntimeApi {
    pub(super) address: SocketAddr,
    events: mpsc::Sender<String>,
    outcomes: mpsc::Receiver<Result<Posted, String>>,
    server: JoinHandle<()>,
}

/// A response of the function.
#[derive(Debug)]
pub(super) struct Posted {
    pub(super) body: Bytes,
    /// When its event was delivered.
    pub(super) handed_out: Instant,
    /// When it was received completely.
    pub(super) answered: Instant,
}

#[derive(Debug)]
struct Desk {
    events: Mutex<mpsc::Receiver<String>>,
    outcomes: mpsc::Sender<Result<Posted, String>>,
    handed_out: Mutex<Instant>,
}

impl RuntimeApi {
    pub(super) async fn listen() -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let listener = listener.tap_io(|stream| {
            // A failure does no harm: each response is one write.
            let _ = stream.set_nodelay(true);
        });
        let (events, handed) = mpsc::channel(1);
        let (posted, outcomes) = mpsc::channel(1);
        let desk = Desk {
            events: Mutex::new(handed),
            outcomes: posted,
            handed_out: Mutex::new(now()),
        };
        let invocation = "/2018-06-01/runtime/invocation";
        let router = Router::new()
            .route(&format!("{invocation}/next"), get(next))
            .route(&format!("{invocation}/{{id}}/response"), post(response))
            .route(&format!("{invocation}/{{id}}/error"), post(error))
            .route("/2018-06-01/runtime/init/error", post(error))
            .with_state(Arc::new(desk));
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

    /// Stops the server.
    pub(super) fn close(&self) {
        self.server.abort();
    }

    /// Delivers an event and waits for the response.
    pub(super) async fn invoke(&mut self, event: String) -> Result<Posted, Failure> {
        self.events.send(event).await?;
        let outcome = tokio::time::timeout(PATIENCE, self.outcomes.recv()).await;
        let outcome = outcome.map_err(|_| "no answer in 15 seconds")?;
        Ok(outcome.ok_or("the Runtime API has ended")??)
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.close();
    }
}

async fn next(State(desk): State<Arc<Desk>>) -> Response {
    let Some(event) = desk.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let deadline = SystemClock.now().millis() + DEADLINE_MS;
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", "1".to_owned()),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", ARN.to_owned()),
        ("lambda-runtime-trace-id", "Root=1-00000001".to_owned()),
    ];
    *desk.handed_out.lock().await = now();
    (headers, event).into_response()
}

async fn response(State(desk): State<Arc<Desk>>, body: Bytes) -> StatusCode {
    let answered = now();
    let handed_out = *desk.handed_out.lock().await;
    let posted = Posted {
        body,
        handed_out,
        answered,
    };
    close(&desk, Ok(posted)).await
}

async fn error(State(desk): State<Arc<Desk>>, body: Bytes) -> StatusCode {
    let message = String::from_utf8_lossy(&body);
    close(&desk, Err(format!("the function failed: {message}"))).await
}

async fn close(desk: &Desk, outcome: Result<Posted, String>) -> StatusCode {
    match desk.outcomes.send(outcome).await {
        Ok(()) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::GONE,
    }
}
