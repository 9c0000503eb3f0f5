//! Everything a request needs, built once per cold start.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::Client;

use crate::auth::{AuthError, Denial, InternalError, Refusals};
use crate::config::Config;
use crate::crypto::ids::random_id;
use crate::crypto::{Claims, HashError, Hasher, IdGenerator, InvalidToken, KeyRing, Token, Tokens};
use crate::domain::{Account, Lifetime, Timestamp};
use crate::keys::Keys;
use crate::observe::CountRetries;
use crate::ports::{Clock, Entropy, EntropyError, SystemClock, SystemEntropy};
use crate::store::Store;

/// Everything a request needs.
#[derive(Debug)]
pub struct App {
    /// What the operator decided.
    pub config: Config,
    /// The tables.
    pub store: Store,
    /// The key ring.
    pub keys: Keys,
    /// Issues and verifies bearer tokens.
    pub tokens: Tokens,
    /// Makes and verifies password hashes.
    pub hasher: Hasher,
    /// Makes account ids.
    pub ids: IdGenerator,
    /// The refusals this instance knows of.
    pub refusals: Refusals,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws random bytes.
    pub entropy: Arc<dyn Entropy>,
    has_served: AtomicBool,
}

impl App {
    /// An app as the configuration says, over AWS.
    pub fn from_config(config: Config) -> Result<Self, StartError> {
        let entropy = Arc::new(SystemEntropy);
        let sdk = config.aws.sdk_config(&config.keys);
        let dynamodb = config.aws.dynamodb(&sdk).interceptor(CountRetries);
        let store = Store::new(
            Client::from_conf(dynamodb.build()),
            config.tables.clone(),
            entropy.clone(),
        );
        let keys = Keys::new(&config.keys, || {
            let secrets_manager = config.aws.secrets_manager(&sdk);
            aws_sdk_secretsmanager::Client::from_conf(secrets_manager.build())
        });
        Self::new(config, store, keys, Arc::new(SystemClock), entropy)
    }

    /// An app over these parts.
    pub fn new(
        config: Config,
        store: Store,
        keys: Keys,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StartError> {
        Ok(Self {
            hasher: Hasher::new(config.hash_params.clone())?,
            tokens: Tokens::new(config.issuer.clone(), config.audience.clone()),
            ids: IdGenerator::new(entropy.as_ref())?,
            refusals: Refusals::default(),
            config,
            store,
            keys,
            clock,
            entropy,
            has_served: AtomicBool::new(false),
        })
    }

    /// Whether this is the first request, which waited for a cold start.
    pub(crate) fn is_first_request(&self) -> bool {
        !self.has_served.swap(true, Ordering::Relaxed)
    }

    /// A token for `account` that lives for `lifetime`. The keys are had before anything is
    /// written, so that nothing is where they are not.
    pub(crate) fn issue_token(
        &self,
        keys: &KeyRing,
        account: &Account,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Result<Token, AuthError> {
        let token_id = random_id(self.entropy.as_ref())?;
        self.tokens
            .issue(keys, account, token_id, lifetime, now)
            .map_err(|_| InternalError::Signing.into())
    }

    /// What a token says, if it is a live one of ours as far as that can be known without the
    /// store. One of an unknown key may be of a ring that is newer than this instance's.
    pub async fn verify_token(&self, token: &str, now: Timestamp) -> Result<Claims, AuthError> {
        let keys = self.keys.current(now).await?;
        let mut verified = self.tokens.verify(&keys, token, now);
        if matches!(verified, Err(InvalidToken::UnknownKey))
            && let Some(newer) = self.keys.newer(&keys, now).await?
        {
            verified = self.tokens.verify(&newer, token, now);
        }
        verified.map_err(|invalid| Denial::from(invalid).into())
    }
}

/// Why a function does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A variable is missing or malformed.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// The hasher could not be built.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}
