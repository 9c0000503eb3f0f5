//! Everything a request needs, built once per cold start.

use std::sync::Arc;

use crate::auth::{AuthError, InternalError, Refusals};
use crate::config::Config;
use crate::crypto::ids::random_id;
use crate::crypto::{HashError, Hasher, IdGenerator, Token, Tokens};
use crate::domain::{Account, Lifetime, Timestamp};
use crate::ports::{Clock, Entropy, EntropyError};
use crate::store::Store;

/// Everything a request needs.
#[derive(Debug)]
pub struct App {
    /// What the operator decided.
    pub config: Config,
    /// The tables.
    pub store: Store,
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
}

impl App {
    /// An app over these parts.
    pub fn new(
        config: Config,
        store: Store,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StartError> {
        Ok(Self {
            hasher: Hasher::new(config.hash_params.clone())?,
            tokens: Tokens::new(
                Arc::clone(&config.keys),
                config.issuer.clone(),
                config.audience.clone(),
            ),
            ids: IdGenerator::new(entropy.as_ref())?,
            refusals: Refusals::default(),
            config,
            store,
            clock,
            entropy,
        })
    }

    /// A token for `account` that lives for `lifetime`.
    pub(crate) fn issue_token(
        &self,
        account: &Account,
        lifetime: Lifetime,
        now: Timestamp,
    ) -> Result<Token, AuthError> {
        let token_id = random_id(self.entropy.as_ref())?;
        self.tokens
            .issue(account, token_id, lifetime, now)
            .map_err(|_| InternalError::Signing.into())
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
