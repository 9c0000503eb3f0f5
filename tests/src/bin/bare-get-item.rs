//! A floor of `make bench`: a Lambda function that makes one strongly consistent `GetItem` and
//! nothing else, on the runtime and the SDK client of the real ones.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use shared::store::{Aws, client_config};

fn main() -> Result<(), Error> {
    let client = Client::from_conf(client_config(&aws()?).build());
    let table = variable("TABLE_USERS")?;
    let key = variable("BARE_KEY")?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(lambda_runtime::run(service_fn(
            async |_: LambdaEvent<IgnoredAny>| answer(&client, &table, &key).await,
        )))
}

async fn answer(client: &Client, table: &str, key: &str) -> Result<Value, Error> {
    let output = client
        .get_item()
        .table_name(table)
        .key("pk", AttributeValue::S(key.to_owned()))
        .consistent_read(true)
        .send()
        .await?;
    let item = output.item.ok_or("there is no such item")?;
    Ok(json!({
        "statusCode": 200,
        "headers": {"content-type": "application/json; charset=utf-8"},
        "body": json!({ "attributes": item.len() }).to_string(),
        "isBase64Encoded": false,
    }))
}

fn aws() -> Result<Aws, Error> {
    Ok(Aws {
        region: variable("AWS_REGION")?,
        endpoint_url: variable("AWS_ENDPOINT_URL_DYNAMODB").ok(),
        access_key_id: variable("AWS_ACCESS_KEY_ID")?,
        secret_access_key: variable("AWS_SECRET_ACCESS_KEY")?,
        session_token: variable("AWS_SESSION_TOKEN").ok(),
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "`Config` would ask for settings that this function has no use for"
)]
fn variable(name: &str) -> Result<String, Error> {
    std::env::var(name).map_err(|error| format!("{name}: {error}").into())
}
