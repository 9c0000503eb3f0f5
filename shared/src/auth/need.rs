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
    /// Every other need includes a verified email where `EMAIL_VERIFICATION` requires it.
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

    pub(super) fn check(self, key: Option<&StoredApiKey>) -> Result<(), AuthError> {
        match (self, key) {
            (_, None) | (Self::AnyCredentials | Self::AnyCredentialsUnverified, Some(_)) => Ok(()),
            (
                Self::TokenAlone
                | Self::TokenAloneUnverified
                | Self::RecentSignIn
                | Self::AdminToChange,
                Some(_),
            ) => Err(AuthError::TokenAlone),
            (Self::Permission(needed), Some(key)) if key.permissions.include(needed) => Ok(()),
            (Self::AdminToRead | Self::Introspect, Some(key))
                if key.permissions.include(Permission::Read) =>
            {
                Ok(())
            }
            (Self::Permission(_) | Self::AdminToRead | Self::Introspect, Some(_)) => {
                Err(AuthError::InsufficientScope)
            }
        }
    }

    pub(super) fn check_scope(self, account: &Account) -> Result<(), AuthError> {
        let has_it = match self {
            Self::AdminToRead | Self::AdminToChange => account.is_administrator(),
            Self::Introspect => account.scopes.has_any(&[Scope::introspect()]),
            _ => true,
        };
        has_it.then_some(()).ok_or(AuthError::InsufficientScope)
    }

    /// RFC 9470.
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
