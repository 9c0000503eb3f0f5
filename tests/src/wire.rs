//! The connection from the SDK to the engine.
//!
//! It records every call of the real SDK with the capacity that the engine consumed, and injects
//! faults before or after a call is executed.

mod fault;
mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Add;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::Value;
use tokio::sync::Notify;

pub use fault::Fault;
pub use uses::Use;

/// A recorded call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The operation, such as `GetItem`.
    pub operation: String,
    pub read_units: f64,
    pub write_units: f64,
    /// The permissions that it needs.
    pub uses: BTreeSet<Use>,
    started: u64,
    ended: u64,
}

/// The cost of several calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// The length of the longest chain of calls in which each started after the previous one ended.
    pub round_trips: usize,
    pub read_units: f64,
    pub write_units: f64,
}

type Rule = Box<dyn FnMut(&str, &Value) -> Option<Fault> + Send>;

#[derive(Default)]
struct State {
    silenced: Notify,
    held: Notify,
    ticks: AtomicU64,
    calls: Mutex<Vec<Call>>,
    rule: Mutex<Option<Rule>>,
}

/// An HTTP client that records calls and injects faults. Clones share their state.
#[derive(Clone)]
pub struct Wire {
    inner: SharedHttpClient,
    state: Arc<State>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Wire {
    #[must_use]
    pub fn new() -> Self {
        Self {
            inner: aws_smithy_http_client::Builder::new().build_http(),
            state: Arc::default(),
        }
    }

    /// Passes the operation and body of every later request to `rule`, which decides on the fault.
    pub fn on_request(&self, rule: impl FnMut(&str, &Value) -> Option<Fault> + Send + 'static) {
        *lock(&self.state.rule) = Some(Box::new(rule));
    }

    /// Injects the fault into the next `times` requests of this operation, and only those.
    pub fn fail_next(&self, operation: &'static str, times: usize, fault: Fault) {
        let mut left = times;
        self.on_request(move |name, _| {
            (name == operation && left > 0).then(|| {
                left -= 1;
                fault.clone()
            })
        });
    }

    /// Stops injecting faults.
    pub fn heal(&self) {
        *lock(&self.state.rule) = None;
    }

    /// Removes and returns the recorded calls.
    #[must_use]
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *lock(&self.state.calls))
    }

    /// Waits for a request with the fault `SilenceBefore` or `SilenceAfter`.
    pub async fn silenced(&self) {
        self.state.silenced.notified().await;
    }

    /// Waits for a request with the fault `Hold`.
    pub async fn held(&self) {
        self.state.held.notified().await;
    }

    async fn fall_silent(&self) -> Result<HttpResponse, ConnectorError> {
        self.state.silenced.notify_one();
        std::future::pending().await
    }

    fn tick(&self) -> u64 {
        self.state.ticks.fetch_add(1, Ordering::SeqCst)
    }

    async fn carry(
        self,
        inner: SharedHttpConnector,
        mut request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        let operation = request
            .headers()
            .get("x-amz-target")
            .and_then(|target| target.rsplit('.').next())
            .unwrap_or_default()
            .to_owned();
        let body = request_capacity(&operation, &mut request);
        let uses = uses::of(&operation, &body);
        let started = self.tick();
        let fault = lock(&self.state.rule)
            .as_mut()
            .and_then(|rule| rule(&operation, &body));
        match &fault {
            Some(Fault::Answer(status, body)) => return Ok(answer(*status, body)),
            Some(Fault::SilenceBefore) => return self.fall_silent().await,
            Some(Fault::Break) => return Err(broken()),
            Some(Fault::Hold(released)) => {
                self.state.held.notify_one();
                let permit = released.acquire().await;
                permit
                    .map_err(|error| ConnectorError::io(error.into()))?
                    .forget();
            }
            Some(Fault::LoseAnswer | Fault::SilenceAfter | Fault::Truncate | Fault::Change(_))
            | None => {}
        }
        let mut response = inner.call(request).await?;
        let answer = std::mem::replace(response.body_mut(), SdkBody::empty());
        let mut answer = ByteStream::new(answer)
            .collect()
            .await
            .map_err(|error| ConnectorError::io(error.into()))?
            .into_bytes();
        let mut value: Value = serde_json::from_slice(&answer).unwrap_or_default();
        let (read_units, write_units) = consumed(&operation, &value);
        let ended = self.tick();
        lock(&self.state.calls).push(Call {
            operation,
            read_units,
            write_units,
            uses,
            started,
            ended,
        });
        match fault {
            Some(Fault::LoseAnswer) => return Err(broken()),
            Some(Fault::SilenceAfter) => return self.fall_silent().await,
            Some(Fault::Truncate) => answer.truncate(answer.len() / 2),
            Some(Fault::Change(change)) => {
                change(&mut value);
                return Ok(self::answer(response.status().as_u16(), &value));
            }
            Some(Fault::Answer(..) | Fault::SilenceBefore | Fault::Break | Fault::Hold(_))
            | None => {}
        }
        *response.body_mut() = SdkBody::from(answer);
        Ok(response)
    }
}

impl Default for Wire {
    fn default() -> Self {
        Self::new()
    }
}

impl HttpClient for Wire {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            inner: self.inner.http_connector(settings, components),
            wire: self.clone(),
        })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    wire: Wire,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.wire.clone().carry(self.inner.clone(), request))
    }
}

/// Sums the cost of calls.
#[must_use]
pub fn cost(calls: &[Call]) -> Cost {
    let mut by_start: Vec<&Call> = calls.iter().collect();
    by_start.sort_by_key(|call| call.started);
    // By end tick of a call: the length of the longest chain that ends with it.
    let mut chains: BTreeMap<u64, usize> = BTreeMap::new();
    for call in by_start {
        let before = chains
            .range(..call.started)
            .map(|(_, length)| *length)
            .max();
        chains.insert(call.ended, before.unwrap_or(0) + 1);
    }
    Cost {
        round_trips: chains.values().copied().max().unwrap_or(0),
        read_units: calls.iter().map(|call| call.read_units).fold(0.0, f64::add),
        write_units: calls
            .iter()
            .map(|call| call.write_units)
            .fold(0.0, f64::add),
    }
}

fn request_capacity(operation: &str, request: &mut HttpRequest) -> Value {
    let bytes = request.body().bytes().unwrap_or_default();
    let mut body: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let consumes_capacity =
        operation.ends_with("Item") || operation.ends_with("Items") || operation == "Query";
    if let (true, Value::Object(fields)) = (consumes_capacity, &mut body) {
        fields.insert("ReturnConsumedCapacity".to_owned(), "TOTAL".into());
        let text = body.to_string();
        let length = text.len().to_string();
        request.headers_mut().insert("content-length", length);
        *request.body_mut() = SdkBody::from(text);
    }
    body
}

fn consumed(operation: &str, response: &Value) -> (f64, f64) {
    let units = match &response["ConsumedCapacity"] {
        Value::Array(tables) => tables
            .iter()
            .filter_map(|table| table["CapacityUnits"].as_f64())
            .sum(),
        table => table["CapacityUnits"].as_f64().unwrap_or(0.0),
    };
    if operation.contains("Get") || operation == "Query" {
        (units, 0.0)
    } else {
        (0.0, units)
    }
}

fn answer(status: u16, body: &Value) -> HttpResponse {
    let status = status
        .try_into()
        .unwrap_or(500_u16.try_into().expect("a status"));
    let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
    response
        .headers_mut()
        .insert("content-type", "application/x-amz-json-1.0");
    response
}

fn broken() -> ConnectorError {
    ConnectorError::io("the wire was cut".into())
}

/// Locks a mutex, even if it is poisoned.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
