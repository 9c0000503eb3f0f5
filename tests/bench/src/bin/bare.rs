//! The floors of `make bench`: a Lambda function with the runtime and SDK client of the real ones.
//! The variable `BARE` selects its work:
//!
//! | `BARE` | work of an invocation |
//! | --- | --- |
//! | `answer` | nothing |
//! | `read` | one strongly consistent `GetItem` |
//! | `reads` | one `BatchGetItem` of the same item and a missing one |
//! | `hash` | one password hash of the configured cost |
//! | `sign-in` | `GetItem`, a hash and `UpdateItem`: the minimum of a sign-in |
//!
//! With `JWT_KEYS_SECRET` it calls `GetSecretValue` once at start, as the real functions do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use shared::config::{Config, KeySource};

fn main() -> Result<(), Error> {
    let floor = Floor::new()?;
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build()?.block_on(async {
        floor.read_ring().await?;
        let answer = async |_: LambdaEvent<IgnoredAny>| floor.answer().await;
        lambda_runtime::run(service_fn(answer)).await
    })
}

struct Floor {
    config: Config,
    client: Client,
    does: String,
    key: AttributeValue,
    /// Argon2's memory, reused by every hash.
    blocks: Arc<Mutex<Vec<Block>>>,
}

#[expect(clippy::disallowed_methods, reason = "not a setting of the functions")]
fn variable(name: &str) -> Result<String, Error> {
    std::env::var(name).map_err(|error| format!("{name}: {error}").into())
}

impl Floor {
    #[expect(
        clippy::disallowed_methods,
        reason = "reads the settings as the real functions do"
    )]
    fn new() -> Result<Self, Error> {
        let config = Config::from_lookup(|name| std::env::var_os(name))?;
        let sdk = config.aws.sdk_config(&config.keys);
        let client = Client::from_conf(config.aws.dynamodb(&sdk).build());
        Ok(Self {
            config,
            client,
            does: variable("BARE")?,
            key: AttributeValue::S(variable("BARE_KEY")?),
            blocks: Arc::default(),
        })
    }

    async fn read_ring(&self) -> Result<(), Error> {
        let KeySource::Secret(id) = &self.config.keys else {
            return Ok(());
        };
        if ["answer", "hash"].contains(&self.does.as_str()) {
            return Ok(());
        }
        let aws = &self.config.aws;
        let client = aws.secrets_manager(&aws.sdk_config(&self.config.keys));
        let client = aws_sdk_secretsmanager::Client::from_conf(client.build());
        client.get_secret_value().secret_id(id).send().await?;
        Ok(())
    }

    async fn answer(&self) -> Result<Value, Error> {
        match self.does.as_str() {
            "answer" => {}
            "read" => self.read().await?,
            "reads" => self.reads().await?,
            "hash" => self.hash().await?,
            _ => {
                self.read().await?;
                self.hash().await?;
                self.write().await?;
            }
        }
        Ok(json!({
            "statusCode": 200,
            "headers": {"content-type": "application/json; charset=utf-8"},
            "body": "{}",
            "isBase64Encoded": false,
        }))
    }

    /// The key of the signed-up user's account.
    fn account(&self) -> HashMap<String, AttributeValue> {
        let sort_key = AttributeValue::S("account".to_owned());
        [("pk", self.key.clone()), ("sk", sort_key)]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    async fn read(&self) -> Result<(), Error> {
        let get = self.client.get_item().table_name(&self.config.tables.users);
        let get = get.set_key(Some(self.account())).consistent_read(true);
        get.send().await?.item.ok_or("there is no such item")?;
        Ok(())
    }

    async fn reads(&self) -> Result<(), Error> {
        let nothing = [("pk", "session#nothing"), ("sk", "nothing")]
            .map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
        let keys = KeysAndAttributes::builder().consistent_read(true);
        let keys = keys.keys(self.account()).keys(nothing.into()).build()?;
        let asked = HashMap::from([(self.config.tables.users.clone(), keys)]);
        let get = self.client.batch_get_item().set_request_items(Some(asked));
        let tables = get.send().await?.responses.unwrap_or_default();
        let is_empty = tables.values().all(Vec::is_empty);
        if is_empty {
            return Err("there is no such item".into());
        }
        Ok(())
    }

    async fn write(&self) -> Result<(), Error> {
        let update = self.client.update_item();
        let update = update
            .table_name(&self.config.tables.users)
            .set_key(Some(self.account()))
            .update_expression("SET last_login = :now")
            .expression_attribute_values(":now", AttributeValue::N("1".to_owned()));
        update.send().await?;
        Ok(())
    }

    async fn hash(&self) -> Result<(), Error> {
        let blocks = Arc::clone(&self.blocks);
        let cost = self.config.hash_params;
        let hash =
            move || {
                let params = Params::new(cost.memory_kib, cost.iterations, cost.parallelism, None)?;
                let mut blocks = blocks.lock().unwrap_or_else(PoisonError::into_inner);
                blocks.resize(params.block_count(), Block::default());
                let (password, salt) = (b"correct horse battery", b"salt of 16 bytes");
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                    .hash_password_into_with_memory(password, salt, &mut [0; 32], &mut *blocks)
            };
        Ok(tokio::task::spawn_blocking(hash).await??)
    }
}
