//! A floor of `make bench`: a Lambda function that answers at once. What it takes is what the
//! Runtime API takes.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

fn main() -> Result<(), Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(lambda_runtime::run(service_fn(answer)))
}

async fn answer(_: LambdaEvent<IgnoredAny>) -> Result<Value, Error> {
    Ok(json!({
        "statusCode": 200,
        "headers": {"content-type": "application/json; charset=utf-8"},
        "body": "{}",
        "isBase64Encoded": false,
    }))
}
