//! An SES that catches mail, and as much of SQS as the function `deliver` calls, for this machine and
//! the tests. `/mail` and `/mail.json` show what was caught.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Value, json};
use shared::ports::{Clock, SystemClock};

/// How many mails are kept.
const KEPT: usize = 500;

/// A mail that was sent, with the names of `/mail.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaughtMail {
    pub to: String,
    pub from: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// RFC 3339.
    pub at: String,
}

impl CaughtMail {
    /// The first link in the text.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        let mut words = self.text.split_whitespace();
        words.find(|word| word.starts_with("http://") || word.starts_with("https://"))
    }

    /// The code at the end of the link.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        let (_, code) = self.link()?.rsplit_once('=')?;
        Some(code.to_owned())
    }
}

/// An answer of SES other than success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The status and the error's code. Its message has the recipient's address.
    Answer(u16, &'static str),
    /// The mail is accepted, and the answer is lost.
    LoseAnswer,
}

/// A running mailbox. It stops when its tokio runtime does.
#[derive(Clone)]
pub struct Mailbox {
    address: SocketAddr,
    state: Arc<Mutex<Caught>>,
}

#[derive(Default)]
struct Caught {
    /// Newest first.
    mails: VecDeque<CaughtMail>,
    faults: VecDeque<Fault>,
    pauses: Vec<(String, i64)>,
    on_mail: Option<fn(&CaughtMail)>,
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mailbox({})", self.address)
    }
}

impl Mailbox {
    /// Listens on a free port.
    pub fn start(host: IpAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((host, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let state = Arc::<Mutex<Caught>>::default();
        let services = Router::new()
            .route("/v2/email/outbound-emails", post(send_email))
            .route("/", post(change_visibility))
            .with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, services).await });
        Ok(Self { address, state })
    }

    /// Environment variables that point `deliver` and `deliver-webhook` here.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, String); 4] {
        let url = format!("http://{}", self.address);
        [
            ("AWS_ENDPOINT_URL_SESV2", url.clone()),
            ("AWS_ENDPOINT_URL_SQS", url.clone()),
            ("MAIL_QUEUE_URL", format!("{url}/queue")),
            ("WEBHOOK_QUEUE_URL", format!("{url}/webhook-queue")),
        ]
    }

    /// Calls `on_mail` with each mail that is caught from now on.
    pub fn announce(&self, on_mail: fn(&CaughtMail)) {
        lock(&self.state).on_mail = Some(on_mail);
    }

    /// Newest first.
    #[must_use]
    pub fn mails(&self) -> Vec<CaughtMail> {
        lock(&self.state).mails.iter().cloned().collect()
    }

    /// Injects the fault into the next `times` mails.
    pub fn fail_next(&self, times: usize, fault: &Fault) {
        let faults = std::iter::repeat_n(fault.clone(), times);
        lock(&self.state).faults.extend(faults);
    }

    /// Removes and returns the pauses that were set: receipt handles, and seconds.
    #[must_use]
    pub fn take_pauses(&self) -> Vec<(String, i64)> {
        std::mem::take(&mut lock(&self.state).pauses)
    }

    /// `/mail` and `/mail.json`.
    pub fn into_router(self) -> Router {
        Router::new()
            .route("/mail", get(page))
            .route("/mail.json", get(list))
            .with_state(self.state)
    }
}

async fn send_email(State(state): State<Arc<Mutex<Caught>>>, body: String) -> Response {
    let request: Value = serde_json::from_str(&body).unwrap_or_default();
    let text = |pointer: &str| {
        let text = request.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let mail = CaughtMail {
        to: text("/Destination/ToAddresses/0"),
        from: text("/FromEmailAddress"),
        subject: text("/Content/Simple/Subject/Data"),
        text: text("/Content/Simple/Body/Text/Data"),
        html: text("/Content/Simple/Body/Html/Data"),
        at: SystemClock.now().to_rfc3339().unwrap_or_default(),
    };
    let mut state = lock(&state);
    let fault = state.faults.pop_front();
    if let Some(Fault::Answer(status, code)) = fault {
        let message = format!("No mail to {}", mail.to);
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = Json(json!({ "message": message }));
        return (status, [("x-amzn-errortype", code)], body).into_response();
    }
    if let Some(on_mail) = state.on_mail {
        on_mail(&mail);
    }
    state.mails.push_front(mail);
    state.mails.truncate(KEPT);
    match fault {
        Some(_) => StatusCode::GATEWAY_TIMEOUT.into_response(),
        None => Json(json!({"MessageId": "local"})).into_response(),
    }
}

async fn change_visibility(
    State(state): State<Arc<Mutex<Caught>>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let target = headers.get("x-amz-target");
    if target.is_none_or(|target| target != "AmazonSQS.ChangeMessageVisibility") {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let request: Value = serde_json::from_str(&body).unwrap_or_default();
    let receipt = request.get("ReceiptHandle").and_then(Value::as_str);
    let seconds = request.get("VisibilityTimeout").and_then(Value::as_i64);
    let pause = (
        receipt.unwrap_or_default().to_owned(),
        seconds.unwrap_or_default(),
    );
    lock(&state).pauses.push(pause);
    Json(json!({})).into_response()
}

async fn list(State(state): State<Arc<Mutex<Caught>>>) -> Response {
    let mails: Vec<_> = lock(&state).mails.iter().cloned().collect();
    ([(CACHE_CONTROL, "no-store")], Json(mails)).into_response()
}

/// Each mail is in a sandboxed frame, which runs no script and loads nothing.
async fn page(State(state): State<Arc<Mutex<Caught>>>) -> Response {
    let mails: String = lock(&state).mails.iter().map(section).collect();
    let mails = if mails.is_empty() {
        "<p>No mail yet.</p>".to_owned()
    } else {
        mails
    };
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'",
        ),
    ];
    (headers, Html(PAGE.replace("MAILS", &mails))).into_response()
}

fn section(mail: &CaughtMail) -> String {
    let [to, from, subject, text, html, at] = [
        &mail.to,
        &mail.from,
        &mail.subject,
        &mail.text,
        &mail.html,
        &mail.at,
    ]
    .map(|text| escaped(text));
    let link = escaped(mail.link().unwrap_or_default());
    format!(
        "<section><h2>{subject}</h2><p class=\"meta\">{at}<br>from {from}<br>to {to}</p>\
         <p><a href=\"{link}\" rel=\"noreferrer\">{link}</a></p>\
         <iframe sandbox srcdoc=\"{html}\" title=\"{subject}\"></iframe>\
         <details><summary>Text</summary><pre>{text}</pre></details></section>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

const PAGE: &str = include_str!("mailbox.html");

fn lock(state: &Mutex<Caught>) -> MutexGuard<'_, Caught> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
