//! A floor of `make bench`: a Lambda function that makes one strongly consistent `GetItem` and
//! nothing else, on the runtime and the SDK client of the real ones. With `JWT_KEYS_SECRET` it first
//! makes one `GetSecretValue`, as they do at a cold start; with `BARE_SESSION` it makes one
//! `BatchGetItem` instead, of the same item and of one there is not in the table of sessions.

#[path = "../bench/bare.rs"]
mod bare;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;
use serde_json::Value;
use shared::aws::{Aws, SdkConfig};
use shared::config::KeySource;

use bare::{answer, aws, variable};

fn main() -> Result<(), Error> {
    let aws = aws()?;
    let keys = match variable("JWT_KEYS_SECRET") {
        Ok(secret) if !secret.is_empty() => KeySource::Secret(secret),
        _ => KeySource::File("unread".into()),
    };
    let sdk = aws.sdk_config(&keys);
    let client = Client::from_conf(aws.dynamodb(&sdk).build());
    let table = variable("TABLE_USERS")?;
    let key = variable("BARE_KEY")?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            if let KeySource::Secret(id) = keys {
                read(&aws, &sdk, &id).await?;
            }
            let Ok(session) = variable("BARE_SESSION") else {
                let answer = async |_: LambdaEvent<IgnoredAny>| get(&client, &table, &key).await;
                return lambda_runtime::run(service_fn(answer)).await;
            };
            let sessions = variable("TABLE_SESSIONS")?;
            let items = [(table, key), (sessions, session)];
            let answer = async |_: LambdaEvent<IgnoredAny>| get_all(&client, &items).await;
            lambda_runtime::run(service_fn(answer)).await
        })
}

async fn read(aws: &Aws, sdk: &SdkConfig, id: &str) -> Result<(), Error> {
    let client = aws_sdk_secretsmanager::Client::from_conf(aws.secrets_manager(sdk).build());
    let output = client.get_secret_value().secret_id(id).send().await?;
    output.secret_string.ok_or("there is no such secret")?;
    Ok(())
}

async fn get(client: &Client, table: &str, key: &str) -> Result<Value, Error> {
    let output = client
        .get_item()
        .table_name(table)
        .key("pk", AttributeValue::S(key.to_owned()))
        .consistent_read(true)
        .send()
        .await?;
    let item = output.item.ok_or("there is no such item")?;
    Ok(answer("attributes", item.len()))
}

async fn get_all(client: &Client, items: &[(String, String)]) -> Result<Value, Error> {
    let mut asked = HashMap::new();
    for (table, key) in items {
        let key = HashMap::from([("pk".to_owned(), AttributeValue::S(key.clone()))]);
        let keys = KeysAndAttributes::builder().keys(key).consistent_read(true);
        asked.insert(table.clone(), keys.build()?);
    }
    let output = client
        .batch_get_item()
        .set_request_items(Some(asked))
        .send()
        .await?;
    let tables = output.responses.unwrap_or_default();
    let read: usize = tables.values().map(Vec::len).sum();
    if read == 0 {
        return Err("there is no such item".into());
    }
    Ok(answer("items", read))
}
