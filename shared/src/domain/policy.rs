//! What is limited, under which name, and by which limit.

use std::fmt::Display;

use super::Limit;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Sign-ups from an address.
    SignUpIp,
    /// Sign-ups for an email.
    SignUpEmail,
    /// Failed sign-ins from an address.
    SignInIp,
    /// Failed sign-ins for an identifier from an address.
    SignInAccount,
    /// API keys from an address that nobody has.
    ApiKeyIp,
}

impl Policy {
    /// The name operators see, which also starts the keys of its counters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SignUpIp => "sign-up-ip",
            Self::SignUpEmail => "sign-up-email",
            Self::SignInIp => "sign-in-ip",
            Self::SignInAccount => "sign-in-account",
            Self::ApiKeyIp => "api-key-ip",
        }
    }

    /// The key of this policy's counter for `subject`.
    #[must_use]
    pub fn counter(self, subject: impl Display) -> String {
        format!("{}#{subject}", self.name())
    }

    /// Whether an attempt that did not fail is subtracted again.
    #[must_use]
    pub fn counts_failures_only(self) -> bool {
        match self {
            Self::SignUpIp | Self::SignUpEmail | Self::ApiKeyIp => false,
            Self::SignInIp | Self::SignInAccount => true,
        }
    }
}

/// The limits as configured.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// `USER_SIGNUP_RATE_LIMIT_IP` in `USER_SIGNUP_RATE_LIMIT_IP_WINDOW_MS`.
    pub sign_up_ip: Limit,
    /// `USER_SIGNUP_RATE_LIMIT_EMAIL` in `USER_SIGNUP_RATE_LIMIT_EMAIL_WINDOW_MS`.
    pub sign_up_email: Limit,
    /// `SIGNIN_RATE_LIMIT_IP` in `SIGNIN_RATE_LIMIT_WINDOW_MS`.
    pub sign_in_ip: Limit,
    /// `SIGNIN_RATE_LIMIT_ACCOUNT` in `SIGNIN_RATE_LIMIT_WINDOW_MS`.
    pub sign_in_account: Limit,
}

impl Limits {
    /// The limit of a policy.
    #[must_use]
    pub fn of(&self, policy: Policy) -> Limit {
        match policy {
            Policy::SignUpIp => self.sign_up_ip,
            Policy::SignUpEmail => self.sign_up_email,
            // Guessed keys have the limit of failed sign-ins and a counter of their own, so that they
            // lock nobody out.
            Policy::SignInIp | Policy::ApiKeyIp => self.sign_in_ip,
            Policy::SignInAccount => self.sign_in_account,
        }
    }
}
