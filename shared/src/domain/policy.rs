//! Rate-limit policies: their names, counters and limits.

use std::fmt::Display;

use super::Limit;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimitPolicy {
    /// Sign-ups by source address.
    SignUpIp,
    /// Sign-ups by email.
    SignUpEmail,
    /// Failed sign-ins by source address.
    SignInIp,
    /// Failed sign-ins by identifier and source address.
    SignInAccount,
    /// Unknown API keys by source address.
    ApiKeyIp,
}

impl RateLimitPolicy {
    /// The name that operators see, and the prefix of the counter keys.
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

    /// The key of the counter for `subject`.
    #[must_use]
    pub fn counter(self, subject: impl Display) -> String {
        format!("{}#{subject}", self.name())
    }

    /// Whether an attempt that the limit refuses, or that succeeds, is uncounted.
    #[must_use]
    pub fn uncounts(self) -> bool {
        match self {
            Self::SignUpIp | Self::SignUpEmail | Self::ApiKeyIp => false,
            Self::SignInIp | Self::SignInAccount => true,
        }
    }
}

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
    #[must_use]
    pub fn of(&self, policy: RateLimitPolicy) -> Limit {
        match policy {
            RateLimitPolicy::SignUpIp => self.sign_up_ip,
            RateLimitPolicy::SignUpEmail => self.sign_up_email,
            // Unknown keys share the limit of failed sign-ins but not the counter, so that guessing
            // keys does not block sign-ins.
            RateLimitPolicy::SignInIp | RateLimitPolicy::ApiKeyIp => self.sign_in_ip,
            RateLimitPolicy::SignInAccount => self.sign_in_account,
        }
    }
}
