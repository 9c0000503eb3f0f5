//! What stands in for DynamoDB: three tables in memory, behind the SDK's own connector.
//!
//! It keeps conditions and all-or-nothing as DynamoDB does, and goes wrong as it is told: the plan
//! of an execution says of each call, in the order they are made, how it ends.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use crate::expression::{Item, Write};
use crate::plan::Step;

/// Items by table and key.
pub(crate) type Tables = BTreeMap<(String, String), Item>;

/// An engine. Clones are the same engine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Engine(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    tables: Tables,
    plan: VecDeque<Step>,
    /// What [`Step::Raw`] answers.
    raw: Vec<u8>,
}

/// The longest expression DynamoDB takes, in bytes.
const MAX_EXPRESSION: usize = 4096;

/// A status and a body.
type Answer = (u16, Vec<u8>);

impl Engine {
    /// An engine with these items, that goes wrong by this plan.
    pub(crate) fn new(tables: Tables, plan: &[Step], raw: &[u8]) -> Self {
        Self(Arc::new(Mutex::new(State {
            tables,
            plan: plan.iter().copied().collect(),
            raw: raw.to_vec(),
        })))
    }

    /// Puts an item as it is.
    pub(crate) fn put(&self, table: &str, pk: &str, item: Item) {
        let key = (table.to_owned(), pk.to_owned());
        self.lock().tables.insert(key, item);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let body = request.body().bytes().unwrap_or_default();
        let body: Value = serde_json::from_slice(body).expect("a request in JSON");
        let mut state = self.lock();
        let step = state.plan.pop_front().unwrap_or(Step::Good);
        let answer = match step {
            Step::Cut => return Err(ConnectorError::io("the wire was cut".into())),
            Step::Raw => (200, state.raw.clone()),
            Step::NotJson => (200, b"<html>".to_vec()),
            Step::Fault => (
                500,
                json!({"__type": "InternalServerError"}).to_string().into(),
            ),
            Step::Throttled => refusal("ThrottlingException"),
            Step::Invalid => refusal("ValidationException"),
            Step::Conflict if operation == "TransactWriteItems" => {
                let reasons = [
                    json!({"Code": "TransactionConflict"}),
                    json!({"Code": "None"}),
                ];
                cancelled(&reasons)
            }
            Step::Conflict => refusal("TransactionConflictException"),
            Step::Unread if operation == "BatchGetItem" => {
                let unread = json!({"Responses": {}, "UnprocessedKeys": body["RequestItems"]});
                (200, unread.to_string().into())
            }
            _ => {
                let (status, mut answer) = state.execute(operation, &body);
                step.spoil(&mut answer);
                (status, answer.to_string().into())
            }
        };
        Ok(response(answer))
    }
}

impl State {
    fn execute(&mut self, operation: &str, body: &Value) -> (u16, Value) {
        match operation {
            "GetItem" => match self.tables.get(&key(body)) {
                Some(item) => (200, json!({ "Item": item })),
                None => (200, json!({})),
            },
            "BatchGetItem" => (200, self.batch_get(&body["RequestItems"])),
            "DeleteItem" => {
                self.tables.remove(&key(body));
                (200, json!({}))
            }
            "PutItem" | "UpdateItem" => match self.write(operation, body) {
                Ok(item) => (200, json!({ "Attributes": item })),
                Err(item) => {
                    let kind = "ConditionalCheckFailedException";
                    (400, json!({"__type": kind, "message": "", "Item": item}))
                }
            },
            "TransactWriteItems" => self.transact(&body["TransactItems"]),
            _ => panic!("{operation} is not known here"),
        }
    }

    fn batch_get(&self, requests: &Value) -> Value {
        let mut responses = Item::new();
        for (table, request) in requests.as_object().into_iter().flatten() {
            let keys = request["Keys"].as_array().into_iter().flatten();
            let items = keys.filter_map(|key| {
                let pk = key["pk"]["S"].as_str()?.to_owned();
                self.tables.get(&(table.clone(), pk))
            });
            responses.insert(table.clone(), items.cloned().collect());
        }
        json!({"Responses": responses, "UnprocessedKeys": {}})
    }

    /// Writes one item, and returns it; or, where its condition fails, returns what is there.
    fn write(&mut self, member: &str, write: &Value) -> Result<Item, Option<Item>> {
        for name in ["UpdateExpression", "ConditionExpression"] {
            let length = write[name].as_str().map_or(0, str::len);
            assert!(length <= MAX_EXPRESSION, "{name} of {length} bytes");
        }
        let seen = self.tables.get(&key(write)).cloned();
        let mut item = seen.clone().unwrap_or_default();
        if !Write(write).holds(&item) {
            return Err(seen);
        }
        if member.starts_with("Put") {
            item = write["Item"].as_object().cloned().unwrap_or_default();
        } else {
            let (_, pk) = key(write);
            item.insert("pk".to_owned(), json!({ "S": pk }));
            Write(write).apply(&mut item);
        }
        self.tables.insert(key(write), item.clone());
        Ok(item)
    }

    fn transact(&mut self, writes: &Value) -> (u16, Value) {
        let before = self.tables.clone();
        let writes = writes.as_array().into_iter().flatten();
        let members = writes.filter_map(|write| write.as_object()?.iter().next());
        let reasons: Vec<Value> = members
            .map(|(member, write)| match self.write(member, write) {
                Ok(_) => json!({"Code": "None"}),
                Err(None) => json!({"Code": "ConditionalCheckFailed"}),
                Err(Some(item)) => json!({"Code": "ConditionalCheckFailed", "Item": item}),
            })
            .collect();
        if reasons.iter().all(|reason| reason["Code"] == "None") {
            return (200, json!({}));
        }
        self.tables = before;
        (400, cancellation(&reasons))
    }
}

/// The table and the key of a request for one item.
fn key(request: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().expect("a key").to_owned();
    let pk = if request["Item"].is_object() {
        &request["Item"]["pk"]
    } else {
        &request["Key"]["pk"]
    };
    (text(&request["TableName"]), text(&pk["S"]))
}

fn refusal(kind: &str) -> Answer {
    (
        400,
        json!({"__type": kind, "message": ""}).to_string().into(),
    )
}

fn cancelled(reasons: &[Value]) -> Answer {
    (400, cancellation(reasons).to_string().into())
}

fn cancellation(reasons: &[Value]) -> Value {
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    json!({"__type": kind, "CancellationReasons": reasons})
}

fn response((status, body): Answer) -> HttpResponse {
    let status = status.try_into().expect("a status");
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    let headers = response.headers_mut();
    headers.insert("content-type", "application/x-amz-json-1.0");
    response
}

impl HttpClient for Engine {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Engine {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.answer(&request))
    }
}
