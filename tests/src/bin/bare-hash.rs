//! A floor of `make bench`: a Lambda function that hashes one password, as ours do, and nothing
//! else. With `BARE_SIGN_IN` it reads one item before and writes one after, which is the least a
//! sign-in is.

#[path = "../bench/bare.rs"]
mod bare;

use std::sync::{Arc, Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;
use serde_json::Value;
use shared::config::KeySource;

use bare::{answer, aws, variable};

fn main() -> Result<(), Error> {
    let blocks = Arc::new(Mutex::new(Vec::new()));
    let account = match variable("BARE_SIGN_IN") {
        Ok(_) => Some(Account::of_variables()?),
        Err(_) => None,
    };
    let answer = async |_: LambdaEvent<IgnoredAny>| {
        let Some(account) = &account else {
            return hash(&blocks).await;
        };
        account.read().await?;
        let answer = hash(&blocks).await?;
        account.write().await?;
        Ok(answer)
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(lambda_runtime::run(service_fn(answer)))
}

/// Hashes a password. The blocks are allocated by the first hash and kept for the next.
async fn hash(blocks: &Arc<Mutex<Vec<Block>>>) -> Result<Value, Error> {
    let blocks = Arc::clone(blocks);
    let hash =
        move || {
            let params = Params::new(19 * 1024, 2, 1, None)?;
            let mut blocks = blocks.lock().unwrap_or_else(PoisonError::into_inner);
            blocks.resize(params.block_count(), Block::new());
            let (password, salt) = (b"correct horse battery", b"salt of 16 bytes");
            let mut output = [0; 32];
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                .hash_password_into_with_memory(password, salt, &mut output, &mut *blocks)?;
            Ok::<_, argon2::Error>(output)
        };
    let output = tokio::task::spawn_blocking(hash).await??;
    Ok(answer("bytes", output.len()))
}

/// The item that is read and written.
struct Account {
    client: Client,
    table: String,
    key: AttributeValue,
}

impl Account {
    fn of_variables() -> Result<Self, Error> {
        let aws = aws()?;
        let sdk = aws.sdk_config(&KeySource::File("unread".into()));
        Ok(Self {
            client: Client::from_conf(aws.dynamodb(&sdk).build()),
            table: variable("TABLE_USERS")?,
            key: AttributeValue::S(variable("BARE_KEY")?),
        })
    }

    async fn read(&self) -> Result<(), Error> {
        let get = self.client.get_item().table_name(&self.table);
        let get = get.key("pk", self.key.clone()).consistent_read(true);
        get.send().await?.item.ok_or("there is no such item")?;
        Ok(())
    }

    async fn write(&self) -> Result<(), Error> {
        let update = self.client.update_item().table_name(&self.table);
        let update = update
            .key("pk", self.key.clone())
            .update_expression("SET last_login = :now")
            .expression_attribute_values(":now", AttributeValue::N("1".to_owned()));
        update.send().await?;
        Ok(())
    }
}
