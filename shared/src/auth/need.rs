//! What a route requires of its caller.

use std::time::Duration;

use super::error::{AuthError, Denial};
use crate::crypto::Claims;
use crate::domain::{Account, EmailVerification, Permission, Scope, Timestamp};
use crate::store::StoredApiKey;

/// What a route requires in addition to authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// If the caller uses an API key, it must have this permission.
    Permission(Permission),
    /// The caller must not use an API key, not even together with a token.
    TokenAlone,
    /// Like [`Need::TokenAlone`], and the account needs no verified email.
    TokenAloneUnverified,
    /// Like [`Need::TokenAlone`], and the password was proved within `REAUTH_MAX_AGE`.
    RecentSignIn,
    /// The scope `admin`. An API key must have the permission Read.
    AdminToRead,
    /// The scope `admin`, and what [`Need::RecentSignIn`] requires.
    AdminToChange,
    /// The scope `introspect`. An API key must have the permission Read.
    Introspect,
    AnyCredentials,
    /// Like [`Need::AnyCredentials`], and the account needs no verified email.
    AnyCredentialsUnverified,
}

impl Need {
    /// Where `EMAIL_VERIFICATION` requires it, the email must be verified, except for the unverified needs.
    pub(super) fn check_verification(
        self,
        account: &Account,
        verification: EmailVerification,
    ) -> Result<(), AuthError> {
        match self {
            Self::TokenAloneUnverified | Self::AnyCredentialsUnverified => Ok(()),
            _ if account.lacks_verification(verification) => Err(AuthError::EmailNotVerified),
            _ => Ok(()),
        }
    }

    pub(super) fn check_api_key(self, key: Option<&StoredApiKey>) -> Result<(), AuthError> {
        let Some(key) = key else {
            return Ok(());
        };
        let permission = match self {
            Self::AnyCredentials | Self::AnyCredentialsUnverified => return Ok(()),
            Self::TokenAlone
            | Self::TokenAloneUnverified
            | Self::RecentSignIn
            | Self::AdminToChange => return Err(AuthError::TokenAlone),
            Self::Permission(permission) => permission,
            Self::AdminToRead | Self::Introspect => Permission::Read,
        };
        let has_it = key.permissions.include(permission);
        has_it.then_some(()).ok_or(AuthError::InsufficientScope)
    }

    pub(super) fn check_scope(self, account: &Account) -> Result<(), AuthError> {
        let has_it = match self {
            Self::AdminToRead | Self::AdminToChange => account.is_administrator(),
            Self::Introspect => account.scopes.has_any(&[Scope::introspect()]),
            Self::Permission(_)
            | Self::TokenAlone
            | Self::TokenAloneUnverified
            | Self::RecentSignIn
            | Self::AnyCredentials
            | Self::AnyCredentialsUnverified => true,
        };
        has_it.then_some(()).ok_or(AuthError::InsufficientScope)
    }

    /// Fails if the route needs a recent sign-in, and this one was too long ago (RFC 9470).
    pub(super) fn check_age(
        self,
        token: Option<&Claims>,
        max_age: Duration,
        now: Timestamp,
    ) -> Result<(), AuthError> {
        let is_recent = token.is_some_and(|token| now <= token.authenticated_at.plus(max_age));
        match self {
            Self::RecentSignIn | Self::AdminToChange if !is_recent => {
                Err(Denial::SignInNotRecent(max_age).into())
            }
            _ => Ok(()),
        }
    }
}
