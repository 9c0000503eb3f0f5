//! Why a use case ends without success.

use super::credentials::Scheme;
use crate::crypto::{HashError, InvalidToken};
use crate::domain::{InvalidSetting, Policy, RateLimitStatus, Timestamp};
use crate::keys::KeysError;
use crate::ports::EntropyError;
use crate::store::StoreError;

/// Why a use case ends without success.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The caller is not who they must be: 401.
    #[error("denied: {0:?}")]
    Denied(Denial),
    /// The caller is known and may not.
    #[error("insufficient scope")]
    InsufficientScope,
    /// The caller used an API key where only a bearer token counts.
    #[error("an API key where a bearer token is asked for")]
    TokenAlone,
    /// There is no token to revoke.
    #[error("no token to revoke")]
    NoToken,
    /// Wrong password, or nobody has the identifier.
    #[error("invalid credentials")]
    InvalidCredentials,
    /// The email or the username belongs to another account.
    #[error("email or username taken")]
    Taken {
        /// Where the attempt, which was admitted, stands against each limit.
        rate_limits: Vec<(Policy, RateLimitStatus)>,
    },
    /// A name that cannot be changed would be.
    #[error("{0:?} cannot be changed")]
    Unchangeable(Name),
    /// A setting is not as settings are.
    #[error("setting refused: {0}")]
    Setting(#[from] InvalidSetting),
    /// The caller has no API key of this number.
    #[error("no such API key")]
    NoApiKey,
    /// The caller has as many live API keys as they may.
    #[error("too many API keys")]
    TooManyApiKeys,
    /// One attempt too many.
    #[error("refused by limit {:?}", .0.policy)]
    Limited(LimitExceeded),
    /// DynamoDB is away, throttled or too slow, or holds what it should not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key ring cannot be had.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A fault of ours.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

/// A limit's answer to one attempt too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitExceeded {
    /// The limit that refused.
    pub policy: Policy,
    /// Where the key stands.
    pub status: RateLimitStatus,
    /// When it refused.
    pub at: Timestamp,
}

/// The names of an account, which are those it was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// The username.
    Username,
    /// The email.
    Email,
}

/// Why a caller is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// Neither a token nor a key.
    NoCredentials,
    /// Credentials of another scheme than Bearer.
    OtherScheme(Scheme),
    /// Not a bearer token of three parts.
    TokenFormat,
    /// Not a token of ours.
    TokenSignature,
    /// A token past its `exp`.
    TokenExpired(Timestamp),
    /// A token before its `nbf`.
    TokenNotActive,
    /// A token that was revoked, or of an older generation, or whose account is gone.
    TokenRevoked,
    /// A key that is not a live key of the caller.
    ApiKey,
}

impl From<InvalidToken> for Denial {
    fn from(invalid: InvalidToken) -> Self {
        match invalid {
            InvalidToken::Format => Self::TokenFormat,
            InvalidToken::Signature | InvalidToken::UnknownKey => Self::TokenSignature,
            InvalidToken::Expired(at) => Self::TokenExpired(at),
            InvalidToken::NotActive => Self::TokenNotActive,
        }
    }
}

impl From<Denial> for AuthError {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

/// A fault of ours, for the log alone.
#[derive(Debug, thiserror::Error)]
pub enum InternalError {
    /// A password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A token could not be signed.
    #[error("a token could not be signed")]
    Signing,
    /// Every id tried was another account's.
    #[error("no free account id")]
    NoFreeId,
}

impl From<HashError> for AuthError {
    fn from(error: HashError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<EntropyError> for AuthError {
    fn from(error: EntropyError) -> Self {
        Self::Internal(error.into())
    }
}
