//! What a route requires of its caller.

use std::time::Duration;

use super::error::{AuthError, Denial};
use crate::crypto::Claims;
use crate::domain::{Account, EmailVerification, Permission, Scope, Timestamp};
use crate::store::StoredApiKey;

/// What a route requires in addition to authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    pub api_key: KeyUse,
    /// The scope that the account must have.
    pub scope: Option<NeededScope>,
    /// The password must have been proved within `REAUTH_MAX_AGE`.
    pub recent_sign_in: bool,
    /// The email must be verified where `EMAIL_VERIFICATION` requires it.
    pub verified_email: bool,
}

/// Whether a caller may use an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    Any,
    /// The key must have this permission.
    With(Permission),
    /// Not even together with a token.
    Refused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeededScope {
    Admin,
    Introspect,
}

impl Need {
    pub const ANY_CREDENTIALS: Self = Self {
        api_key: KeyUse::Any,
        scope: None,
        recent_sign_in: false,
        verified_email: true,
    };
    pub const TOKEN_ALONE: Self = Self {
        api_key: KeyUse::Refused,
        ..Self::ANY_CREDENTIALS
    };
    pub const RECENT_SIGN_IN: Self = Self {
        recent_sign_in: true,
        ..Self::TOKEN_ALONE
    };
    pub const ADMIN_TO_READ: Self = Self {
        scope: Some(NeededScope::Admin),
        ..Self::permission(Permission::Read)
    };
    pub const ADMIN_TO_CHANGE: Self = Self {
        scope: Some(NeededScope::Admin),
        ..Self::RECENT_SIGN_IN
    };
    pub const INTROSPECT: Self = Self {
        scope: Some(NeededScope::Introspect),
        ..Self::permission(Permission::Read)
    };

    /// If the caller uses an API key, it must have this permission.
    #[must_use]
    pub const fn permission(permission: Permission) -> Self {
        Self {
            api_key: KeyUse::With(permission),
            ..Self::ANY_CREDENTIALS
        }
    }

    /// The same for an account whose email may be unverified.
    #[must_use]
    pub const fn unverified(self) -> Self {
        Self {
            verified_email: false,
            ..self
        }
    }

    pub(super) fn check_verification(
        self,
        account: &Account,
        verification: EmailVerification,
    ) -> Result<(), AuthError> {
        let is_missing = self.verified_email && account.lacks_verification(verification);
        refuse_if(is_missing, AuthError::EmailNotVerified)
    }

    pub(super) fn check_api_key(self, key: Option<&StoredApiKey>) -> Result<(), AuthError> {
        match (self.api_key, key) {
            (KeyUse::Any, _) | (_, None) => Ok(()),
            (KeyUse::Refused, Some(_)) => Err(AuthError::TokenAlone),
            (KeyUse::With(permission), Some(key)) => refuse_if(
                !key.permissions.include(permission),
                AuthError::InsufficientScope,
            ),
        }
    }

    pub(super) fn check_scope(self, account: &Account) -> Result<(), AuthError> {
        let scope = match self.scope {
            None => return Ok(()),
            Some(NeededScope::Admin) => Scope::admin(),
            Some(NeededScope::Introspect) => Scope::introspect(),
        };
        refuse_if(
            !account.scopes.has_any(&[scope]),
            AuthError::InsufficientScope,
        )
    }

    /// Fails if the route needs a recent sign-in, and this one was too long ago (RFC 9470).
    pub(super) fn check_age(
        self,
        token: Option<&Claims>,
        max_age: Duration,
        now: Timestamp,
    ) -> Result<(), AuthError> {
        let is_recent = token.is_some_and(|token| now <= token.authenticated_at.plus(max_age));
        refuse_if(
            self.recent_sign_in && !is_recent,
            Denial::SignInNotRecent(max_age).into(),
        )
    }
}

fn refuse_if(refused: bool, error: AuthError) -> Result<(), AuthError> {
    if refused { Err(error) } else { Ok(()) }
}
