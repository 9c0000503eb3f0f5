//! The way of a mail on this machine: new outbox items of the sessions table's stream go to the function
//! `deliver`, as the pipe and the queue pass them on in AWS.

use std::path::PathBuf;
use std::time::Duration;

use deliver::Deliver;
use deliver::queue::{QueueEvent, QueueResponse, pause_secs};
use dynoxide::Database;
use serde_json::{Value, json};
use shared::runtime::Worker;

/// How often the stream is read.
const INTERVAL: Duration = Duration::from_millis(200);

/// The stream could not be read, or its position not be kept.
#[derive(Debug, thiserror::Error)]
#[error("the outbox cannot be read: {0}")]
pub struct OutboxError(String);

/// Reads the keys of new outbox items from a table's stream.
#[derive(Clone)]
pub struct Outbox {
    database: Database,
    table: String,
    /// The sequence number of the last record that was read.
    last: Option<String>,
    /// Where that number is kept over a restart.
    kept_in: Option<PathBuf>,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outbox({}, {:?})", self.table, self.last)
    }
}

impl Outbox {
    /// Begins after the item that was delivered last, if its position is kept in the file.
    #[must_use]
    pub fn new(database: Database, table: &str, kept_in: Option<PathBuf>) -> Self {
        let last = kept_in.as_ref();
        let last = last.and_then(|path| std::fs::read_to_string(path).ok());
        Self {
            database,
            table: table.to_owned(),
            last,
            kept_in,
        }
    }

    /// The keys of the items that were added since the last call, oldest first.
    pub fn take_new(&mut self) -> Result<Vec<String>, OutboxError> {
        let (keys, last) = self.read()?;
        self.last = last.or(self.last.take());
        Ok(keys)
    }

    /// Delivers new items as long as this process runs. One that fails is tried again after the pauses of
    /// the mail queue.
    pub async fn deliver_all(mut self, deliver: Deliver) -> OutboxError {
        loop {
            let (keys, last) = match self.read() {
                Ok(read) => read,
                Err(error) => return error,
            };
            for key in keys {
                let mut times = 1;
                while !deliver_one(&deliver, &key, times).await {
                    let secs = u64::try_from(pause_secs(times)).unwrap_or_default();
                    tokio::time::sleep(Duration::from_secs(secs)).await;
                    times += 1;
                }
            }
            if let Some(last) = last {
                if let Some(path) = &self.kept_in
                    && let Err(error) = std::fs::write(path, &last)
                {
                    return OutboxError(error.to_string());
                }
                self.last = Some(last);
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// The keys of new outbox items, and the sequence number of the last record, which may be of another
    /// item.
    fn read(&self) -> Result<(Vec<String>, Option<String>), OutboxError> {
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
        let inserted = records.iter().filter(|record| {
            let event = record.get("eventName");
            event.is_some_and(|event| event == "INSERT")
        });
        let keys = inserted.filter_map(|record| text(record, "/dynamodb/Keys/pk/S"));
        Ok((
            keys.filter(|key| key.starts_with("outbox#")).collect(),
            last,
        ))
    }
}

/// Delivers one item, which was received this many times. Whether that succeeded.
async fn deliver_one(deliver: &Deliver, key: &str, times: u32) -> bool {
    let Ok(event) = serde_json::from_value::<QueueEvent>(event(&[(key, times)])) else {
        return true;
    };
    let QueueResponse {
        batch_item_failures,
    } = deliver.work(event).await;
    batch_item_failures.is_empty()
}

/// The event that Lambda sends for messages of the mail queue: their bodies, and how often each was
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
fn call<I, O, E>(request: Value, run: impl FnOnce(I) -> Result<O, E>) -> Result<Value, OutboxError>
where
    I: serde::de::DeserializeOwned,
    O: serde::Serialize,
    E: std::fmt::Display,
{
    let failed = |reason: String| OutboxError(reason);
    let request = serde_json::from_value(request).map_err(|error| failed(error.to_string()))?;
    let response = run(request).map_err(|error| failed(error.to_string()))?;
    serde_json::to_value(&response).map_err(|error| failed(error.to_string()))
}
