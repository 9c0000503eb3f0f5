//! Errors of the use cases.

use std::time::Duration;

use super::credentials::Scheme;
use crate::crypto::{HashError, InvalidToken};
use crate::domain::{
    InvalidAccountId, InvalidPassword, InvalidSetting, InvalidUsername, RateLimitPolicy,
    RateLimitStatus, Timestamp,
};
use crate::keys::KeysError;
use crate::ports::EntropyError;
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The caller is not authenticated.
    #[error("denied: {0:?}")]
    Denied(Denial),
    /// The caller is authenticated, but lacks a scope or permission.
    #[error("insufficient scope")]
    InsufficientScope,
    /// The caller used an API key where only a bearer token is accepted.
    #[error("an API key where a bearer token is asked for")]
    TokenAlone,
    #[error("no bearer token")]
    NoToken,
    /// The password is wrong, or changed while it was checked, or no account has the identifier.
    #[error("invalid credentials")]
    InvalidCredentials,
    /// The route requires a verified email, and the account's is not verified.
    #[error("email not verified")]
    EmailNotVerified,
    /// Another account has the email or username.
    #[error("email or username taken")]
    Taken {
        /// The status of each limit that admitted the attempt.
        rate_limits: Vec<(RateLimitPolicy, RateLimitStatus)>,
    },
    #[error("{0:?} cannot be changed")]
    Unchangeable(Name),
    #[error("setting refused: {0}")]
    Setting(#[from] InvalidSetting),
    /// No account has this id or email.
    #[error("no such user")]
    NoUser,
    /// The cursor is not of a page before, or too old.
    #[error("invalid cursor")]
    InvalidCursor,
    #[error("username refused: {0}")]
    InvalidUsername(#[from] InvalidUsername),
    /// The caller has no live session with this id.
    #[error("no such session")]
    NoSession,
    /// The ticket is not of this account's deletion, or too old.
    #[error("no such ticket")]
    NoTicket,
    /// No administrator would be left.
    #[error("The last administrator cannot be removed.")]
    LastAdministrator,
    #[error("password refused: {0}")]
    InvalidPassword(#[from] InvalidPassword),
    /// The caller has no API key with this id.
    #[error("no such API key")]
    NoApiKey,
    /// The caller already has the maximum number of live API keys.
    #[error("too many API keys")]
    TooManyApiKeys,
    /// An API key, where only tokens can be revoked.
    #[error("a token that cannot be revoked here")]
    UnsupportedToken,
    /// The one-time code is unknown, used or expired, or void for another reason.
    #[error("invalid code")]
    InvalidCode,
    #[error("refused by limit {:?}", .0.policy)]
    Limited(LimitExceeded),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Internal(#[from] InternalError),
}

/// A limit that refused an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitExceeded {
    pub policy: RateLimitPolicy,
    pub status: RateLimitStatus,
    /// When the attempt was refused.
    pub at: Timestamp,
}

/// The names of an account, which an update of the profile cannot change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    Username,
    Email,
}

/// Why a caller is not authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// There is neither a token nor an API key.
    NoCredentials,
    /// The scheme is not Bearer.
    OtherScheme(Scheme),
    /// The bearer token does not have three parts.
    TokenFormat,
    /// The token's signature, key or claims are not ours.
    TokenSignature,
    /// The token's `exp`, which has passed.
    TokenExpired(Timestamp),
    /// The token's `nbf` is in the future.
    TokenNotActive,
    /// The token's session has ended, or its account does not exist.
    TokenRevoked,
    /// The refresh token is not current, or its session has ended.
    RefreshToken,
    /// The API key is malformed, not live or not the caller's.
    ApiKey,
    /// The password was proved longer ago than this.
    SignInNotRecent(Duration),
}

impl AuthError {
    /// A name is taken, and no limit counted the attempt.
    #[must_use]
    pub fn taken() -> Self {
        let rate_limits = Vec::new();
        Self::Taken { rate_limits }
    }
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

/// Why an operator's function on an account failed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error(transparent)]
    InvalidId(#[from] InvalidAccountId),
    /// No account has the id or name.
    #[error("there is no such account")]
    UnknownAccount,
    #[error(transparent)]
    Failed(#[from] AuthError),
}

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// An internal error. Its text is logged and not sent to the caller.
#[derive(Debug, thiserror::Error)]
pub enum InternalError {
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    #[error("a token could not be signed")]
    Signing,
    /// Every generated id belonged to another account.
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
