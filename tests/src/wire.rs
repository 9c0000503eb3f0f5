//! The wire between the SDK and the engine.
//!
//! Every request the real SDK sends is counted, with the capacity the engine says it consumed,
//! and a test can cut the wire before or after a request was executed.

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

/// One request as it went over the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The operation, such as `GetItem`.
    pub operation: String,
    /// Read units consumed.
    pub read_units: f64,
    /// Write units consumed.
    pub write_units: f64,
    /// What it took to be allowed.
    pub uses: BTreeSet<Use>,
    started: u64,
    ended: u64,
}

/// A summary of calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// How many calls there were one after another, at least: the longest chain of calls each of
    /// which began after the one before had ended.
    pub round_trips: usize,
    /// Read units, summed.
    pub read_units: f64,
    /// Write units, summed.
    pub write_units: f64,
}

type Rule = Box<dyn FnMut(&str, &Value) -> Option<Fault> + Send>;

#[derive(Default)]
struct State {
    silenced: Notify,
    ticks: AtomicU64,
    calls: Mutex<Vec<Call>>,
    rule: Mutex<Option<Rule>>,
}

/// A wire that is counted and can be cut. Clones are the same wire.
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
    /// A wire over plain HTTP.
    #[must_use]
    pub fn new() -> Self {
        Self {
            inner: aws_smithy_http_client::Builder::new().build_http(),
            state: Arc::default(),
        }
    }

    /// From now on asks `rule` about every request: operation and body.
    pub fn on_request(&self, rule: impl FnMut(&str, &Value) -> Option<Fault> + Send + 'static) {
        *lock(&self.state.rule) = Some(Box::new(rule));
    }

    /// Lets the next requests of this operation, so many of them, suffer the fault.
    pub fn fail_next(&self, operation: &'static str, times: usize, fault: Fault) {
        let mut left = times;
        self.on_request(move |name, _| {
            (name == operation && left > 0).then(|| {
                left -= 1;
                fault.clone()
            })
        });
    }

    /// The wire works again.
    pub fn heal(&self) {
        *lock(&self.state.rule) = None;
    }

    /// Forgets the calls there were, and returns them.
    #[must_use]
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *lock(&self.state.calls))
    }

    /// Ends when a request suffers one of the silences, after it was executed or was not.
    pub async fn silenced(&self) {
        self.state.silenced.notified().await;
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
        let body = ask_for_capacity(&operation, &mut request);
        let uses = uses::of(&operation, &body);
        let started = self.tick();
        let fault = lock(&self.state.rule)
            .as_mut()
            .and_then(|rule| rule(&operation, &body));
        match &fault {
            Some(Fault::Answer(status, body)) => return Ok(answer(*status, body)),
            Some(Fault::SilenceBefore) => return self.fall_silent().await,
            Some(Fault::Break) => return Err(broken()),
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
            Some(Fault::Answer(..) | Fault::SilenceBefore | Fault::Break) | None => {}
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
        SharedHttpConnector::new(Tapped {
            inner: self.inner.http_connector(settings, components),
            wire: self.clone(),
        })
    }
}

#[derive(Debug)]
struct Tapped {
    inner: SharedHttpConnector,
    wire: Wire,
}

impl HttpConnector for Tapped {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.wire.clone().carry(self.inner.clone(), request))
    }
}

/// What these calls cost together.
#[must_use]
pub fn cost(calls: &[Call]) -> Cost {
    let mut by_start: Vec<&Call> = calls.iter().collect();
    by_start.sort_by_key(|call| call.started);
    // The longest chain that ends with a call of each end tick.
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

fn ask_for_capacity(operation: &str, request: &mut HttpRequest) -> Value {
    let bytes = request.body().bytes().unwrap_or_default();
    let mut body: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let has_capacity = operation.ends_with("Item") || operation.ends_with("Items");
    if let (true, Value::Object(fields)) = (has_capacity, &mut body) {
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
    if operation.contains("Get") {
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

/// A mutex's content, whatever became of who held it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
