//! Everything a request needs, built once per cold start.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::Client;

use crate::config::{Config, KeySource};
use crate::crypto::{CodeKey, HashError, Hasher, IdGenerator, Tokens, WebhookKey};
use crate::keys::{FunctionKeyError, Keys, read_code_key, read_webhook_key};
use crate::memory::{ExceededLimits, RefusedCallers};
use crate::observe::CountRetries;
use crate::ports::{Clock, Entropy, EntropyError, SystemClock, SystemEntropy};
use crate::store::Store;

#[derive(Debug)]
pub struct App {
    pub config: Config,
    pub store: Store,
    pub keys: Keys,
    pub tokens: Tokens,
    pub hasher: Hasher,
    pub ids: IdGenerator,
    /// The limits that this instance knows to be exceeded.
    pub exceeded: ExceededLimits,
    /// The accounts of which this instance has refused a caller.
    pub refused: RefusedCallers,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    has_served: AtomicBool,
}

impl App {
    /// Builds the app with AWS clients as configured.
    pub fn from_config(config: Config) -> Result<Self, StartError> {
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
        let sdk = config.aws.sdk_config(&config.keys);
        let dynamodb = config.aws.dynamodb(&sdk).interceptor(CountRetries);
        let store = Store::new(
            Client::from_conf(dynamodb.build()),
            config.tables.clone(),
            clock.clone(),
            entropy.clone(),
        );
        let keys = Keys::new(&config.keys, || {
            let secrets_manager = config.aws.secrets_manager(&sdk);
            aws_sdk_secretsmanager::Client::from_conf(secrets_manager.build())
        });
        Self::new(config, store, keys, clock, entropy)
    }

    /// Builds the app from the given parts, which tests replace.
    pub fn new(
        config: Config,
        store: Store,
        keys: Keys,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StartError> {
        Ok(Self {
            hasher: Hasher::new(config.hash_params, config.previous_hash_params)?,
            tokens: Tokens::new(config.issuer.clone(), config.audience.clone()),
            ids: IdGenerator::new(entropy.as_ref())?,
            exceeded: ExceededLimits::default(),
            refused: RefusedCallers::default(),
            config,
            store,
            keys,
            clock,
            entropy,
            has_served: AtomicBool::new(false),
        })
    }

    /// Reads the key of the codes in mail and webhooks.
    pub async fn read_code_key(&self) -> Result<CodeKey, FunctionKeyError> {
        let key = self.config.mail.code_key.as_ref();
        read_code_key(key, |source| self.secrets_manager(source)).await
    }

    /// Reads the key that signs webhooks.
    pub async fn read_webhook_key(&self) -> Result<WebhookKey, FunctionKeyError> {
        let key = self.config.webhooks.key.as_ref();
        read_webhook_key(key, |source| self.secrets_manager(source)).await
    }

    /// A client for the secret of one key.
    fn secrets_manager(&self, source: &KeySource) -> aws_sdk_secretsmanager::Client {
        let aws = &self.config.aws;
        let sdk = aws.sdk_config(source);
        aws_sdk_secretsmanager::Client::from_conf(aws.secrets_manager(&sdk).build())
    }

    /// True only for the first request, which waited for the cold start.
    pub(crate) fn is_first_request(&self) -> bool {
        !self.has_served.swap(true, Ordering::Relaxed)
    }
}

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}
