//! The way of mail, webhooks and deletions on this machine: what a table's stream tells of goes to a worker, as a pipe
//! and a queue pass it on in AWS.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dynoxide::Database;
use serde_json::{Value, json};
use shared::runtime::Worker;
use shared::runtime::queue::{QueueEvent, QueueResponse};

/// How often the stream is read.
const INTERVAL: Duration = Duration::from_millis(200);

/// The stream could not be read, or its position could not be saved.
#[derive(Debug, thiserror::Error)]
#[error("the stream cannot be read or its position saved: {0}")]
pub struct StreamError(String);

/// What a pipe passes on of a table's stream: the partition keys of these events.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    event: &'static str,
    /// Of the partition key.
    prefix: &'static str,
    /// The sort key, if the table has one.
    sort_key: Option<&'static str>,
}

/// Mail to send, in the sessions table.
pub const NEW_MAIL: Filter = Filter {
    event: "INSERT",
    prefix: "outbox#",
    sort_key: None,
};

/// Webhooks to send, in the sessions table.
pub const NEW_WEBHOOKS: Filter = Filter {
    event: "INSERT",
    prefix: "webhook#",
    sort_key: None,
};

/// Accounts that are gone, in the users table.
pub const GONE_ACCOUNTS: Filter = Filter {
    event: "REMOVE",
    prefix: "user#",
    sort_key: Some("account"),
};

/// Reads the keys of such events from a table's stream.
#[derive(Clone)]
pub struct TableStream {
    database: Database,
    table: String,
    filter: Filter,
    /// The sequence number of the last record that was read.
    last: Option<String>,
    /// Where that number is kept over a restart.
    kept_in: Option<PathBuf>,
}

impl std::fmt::Debug for TableStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TableStream({}, {:?})", self.table, self.last)
    }
}

impl TableStream {
    /// Begins after the event that was passed on last, if its position is kept in the file.
    #[must_use]
    pub fn new(database: Database, table: &str, filter: Filter, kept_in: Option<PathBuf>) -> Self {
        let last = kept_in.as_ref();
        let last = last.and_then(|path| std::fs::read_to_string(path).ok());
        Self {
            database,
            table: table.to_owned(),
            filter,
            last,
            kept_in,
        }
    }

    /// The keys of the events since the last call, oldest first.
    pub fn take_new(&mut self) -> Result<Vec<String>, StreamError> {
        let (keys, last) = self.read()?;
        self.last = last.or(self.last.take());
        Ok(keys)
    }

    /// Invokes the worker for new events, one after another, as long as this process runs. What fails is tried
    /// again after these pauses, until this process ends, beside later events.
    pub async fn pass_on<W>(
        mut self,
        worker: W,
        pause_secs: impl Fn(u32) -> i32 + Copy + Send + 'static,
    ) -> StreamError
    where
        W: Worker<Event = QueueEvent, Response = QueueResponse>,
    {
        let worker = Arc::new(worker);
        loop {
            let (keys, last) = match self.read() {
                Ok(read) => read,
                Err(error) => return error,
            };
            for key in keys {
                if !pass_on_one(&*worker, &key, 1).await {
                    tokio::spawn(try_again(Arc::clone(&worker), key, pause_secs));
                }
            }
            if let Some(last) = last {
                if let Some(path) = &self.kept_in
                    && let Err(error) = std::fs::write(path, &last)
                {
                    return StreamError(error.to_string());
                }
                self.last = Some(last);
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// The keys of new events, and the sequence number of the last record, which may be of another event.
    fn read(&self) -> Result<(Vec<String>, Option<String>), StreamError> {
        let table = json!({"TableName": self.table});
        let table = call(table, |request| self.database.describe_table(request))?;
        let arn = table.pointer("/Table/LatestStreamArn");
        let stream = json!({ "StreamArn": arn });
        let stream = call(stream, |request| self.database.describe_stream(request))?;
        let shard = stream.pointer("/StreamDescription/Shards/0/ShardId");
        let from = match self.last {
            Some(_) => "AFTER_SEQUENCE_NUMBER",
            None => "TRIM_HORIZON",
        };
        let start = json!({
            "StreamArn": arn,
            "ShardId": shard,
            "ShardIteratorType": from,
            "SequenceNumber": self.last,
        });
        let start = call(start, |request| self.database.get_shard_iterator(request))?;
        let records = json!({"ShardIterator": start.get("ShardIterator")});
        let records = call(records, |request| self.database.get_records(request))?;
        let records = records.get("Records").and_then(Value::as_array);
        let records = records.cloned().unwrap_or_default();
        let text = |record: &Value, pointer| {
            let text = record.pointer(pointer).and_then(Value::as_str);
            text.map(str::to_owned)
        };
        let last = records.last();
        let last = last.and_then(|record| text(record, "/dynamodb/SequenceNumber"));
        let matching = records.iter().filter(|record| {
            let sort_key = text(record, "/dynamodb/Keys/sk/S");
            record
                .get("eventName")
                .is_some_and(|event| event == self.filter.event)
                && sort_key.as_deref() == self.filter.sort_key
        });
        let keys = matching.filter_map(|record| text(record, "/dynamodb/Keys/pk/S"));
        Ok((
            keys.filter(|key| key.starts_with(self.filter.prefix))
                .collect(),
            last,
        ))
    }
}

/// Invokes the worker for one key that failed once, until it succeeds.
async fn try_again<W>(worker: Arc<W>, key: String, pause_secs: impl Fn(u32) -> i32)
where
    W: Worker<Event = QueueEvent, Response = QueueResponse>,
{
    for times in 1.. {
        let secs = u64::try_from(pause_secs(times)).unwrap_or_default();
        tokio::time::sleep(Duration::from_secs(secs)).await;
        if pass_on_one(&*worker, &key, times + 1).await {
            break;
        }
    }
}

/// Invokes the worker for one key, which was received this many times. Whether that succeeded.
async fn pass_on_one<W>(worker: &W, key: &str, times: u32) -> bool
where
    W: Worker<Event = QueueEvent, Response = QueueResponse>,
{
    let Ok(event) = serde_json::from_value::<QueueEvent>(event(&[(key, times)])) else {
        return true;
    };
    let QueueResponse {
        batch_item_failures,
    } = worker.work(event).await;
    batch_item_failures.is_empty()
}

/// The event that Lambda sends for messages of a queue: their bodies, and how often each was
/// received. Message and receipt are named after the place in the list.
#[must_use]
pub fn event(messages: &[(&str, u32)]) -> Value {
    let records: Vec<_> = messages
        .iter()
        .enumerate()
        .map(|(n, (body, times))| {
            json!({
                "messageId": format!("message-{n}"),
                "receiptHandle": format!("receipt-{n}"),
                "body": body,
                "attributes": {"ApproximateReceiveCount": times.to_string()},
                "eventSource": "aws:sqs",
            })
        })
        .collect();
    json!({ "Records": records })
}

/// Calls the database, with requests and responses as in DynamoDB's API.
fn call<I, O, E>(request: Value, run: impl FnOnce(I) -> Result<O, E>) -> Result<Value, StreamError>
where
    I: serde::de::DeserializeOwned,
    O: serde::Serialize,
    E: std::fmt::Display,
{
    let failed = |reason: String| StreamError(reason);
    let request = serde_json::from_value(request).map_err(|error| failed(error.to_string()))?;
    let response = run(request).map_err(|error| failed(error.to_string()))?;
    serde_json::to_value(&response).map_err(|error| failed(error.to_string()))
}
