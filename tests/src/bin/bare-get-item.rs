//! A floor of `make bench`: a Lambda function that makes one strongly consistent `GetItem` and
//! nothing else, on the runtime and the SDK client of the real ones. With `JWT_KEYS_SECRET` it first
//! makes one `GetSecretValue`, as they do at a cold start.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use shared::aws::{Aws, SdkConfig};
use shared::keys::KeySource;

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
            let answer = async |_: LambdaEvent<IgnoredAny>| answer(&client, &table, &key).await;
            lambda_runtime::run(service_fn(answer)).await
        })
}

async fn read(aws: &Aws, sdk: &SdkConfig, id: &str) -> Result<(), Error> {
    let client = aws_sdk_secretsmanager::Client::from_conf(aws.secrets_manager(sdk).build());
    let output = client.get_secret_value().secret_id(id).send().await?;
    output.secret_string.ok_or("there is no such secret")?;
    Ok(())
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
        dynamodb_url: variable("AWS_ENDPOINT_URL_DYNAMODB").ok(),
        secrets_manager_url: variable("AWS_ENDPOINT_URL_SECRETS_MANAGER").ok(),
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
