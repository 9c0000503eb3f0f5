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
    /// Failed sign-ins by the /48 network of an IPv6 source address.
    SignInNetwork,
    /// Failed sign-ins by identifier and source address.
    SignInAccount,
    /// Failed sign-ins by identifier and source address, in the window of the total.
    SignInDay,
    /// Failed sign-ins by identifier, over all sources that are not familiar.
    SignInTotal,
    /// Unknown API keys by source address.
    ApiKeyIp,
    /// Unknown API keys by the /48 network of an IPv6 source address.
    ApiKeyNetwork,
    /// Profile updates by account.
    ProfileUpdate,
    /// Mails asked for, by address and purpose.
    MailAddress,
    /// Mails asked for, by source address.
    MailIp,
    /// Invalid one-time codes by source address.
    CodeIp,
    /// Invalid one-time codes by the /48 network of an IPv6 source address.
    CodeNetwork,
}

impl RateLimitPolicy {
    /// The name that operators see, and the prefix of the counter's key. `sign-in-day` has no key: it is a part of the
    /// record of `sign-in-account`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SignUpIp => "sign-up-ip",
            Self::SignUpEmail => "sign-up-email",
            Self::SignInIp => "sign-in-ip",
            Self::SignInNetwork => "sign-in-network",
            Self::SignInAccount => "sign-in-account",
            Self::SignInDay => "sign-in-day",
            Self::SignInTotal => "sign-in-total",
            Self::ApiKeyIp => "api-key-ip",
            Self::ApiKeyNetwork => "api-key-network",
            Self::ProfileUpdate => "profile-update",
            Self::MailAddress => "mail-address",
            Self::MailIp => "mail-ip",
            Self::CodeIp => "code-ip",
            Self::CodeNetwork => "code-network",
        }
    }

    /// The key of the counter for `subject`.
    #[must_use]
    pub fn counter(self, subject: impl Display) -> String {
        format!("{}#{subject}", self.name())
    }

    /// Whether an instance may remember until the window ends that the limit is exceeded. A new
    /// password clears the total earlier.
    #[must_use]
    pub fn is_remembered(self) -> bool {
        !matches!(self, Self::SignInTotal)
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
    /// `SIGNIN_RATE_LIMIT_TOTAL` in `SIGNIN_RATE_LIMIT_TOTAL_WINDOW_MS`.
    pub sign_in_total: Limit,
    /// `PROFILE_RATE_LIMIT` in a minute.
    pub profile_update: Limit,
    /// `MAIL_RATE_LIMIT_ADDRESS` in an hour, for each purpose.
    pub mail_address: Limit,
    /// `MAIL_RATE_LIMIT_IP` in an hour.
    pub mail_ip: Limit,
}

/// How many times as many failures a /48 network may have as one of its addresses.
const NETWORK_FACTOR: u64 = 10;

/// The failures of one source for one identifier in the window of the total. So one source
/// adds at most this many to the total.
const MAX_PER_DAY: u64 = 20;

impl Limits {
    #[must_use]
    pub fn of(&self, policy: RateLimitPolicy) -> Limit {
        match policy {
            RateLimitPolicy::SignUpIp => self.sign_up_ip,
            RateLimitPolicy::SignUpEmail => self.sign_up_email,
            // Unknown keys and codes share the limit of failed sign-ins but not the counter, so that
            // guessing them does not block sign-ins.
            RateLimitPolicy::SignInIp | RateLimitPolicy::ApiKeyIp | RateLimitPolicy::CodeIp => {
                self.sign_in_ip
            }
            RateLimitPolicy::SignInNetwork
            | RateLimitPolicy::ApiKeyNetwork
            | RateLimitPolicy::CodeNetwork => Limit {
                max: self.sign_in_ip.max.saturating_mul(NETWORK_FACTOR),
                ..self.sign_in_ip
            },
            RateLimitPolicy::SignInAccount => self.sign_in_account,
            RateLimitPolicy::SignInDay => Limit {
                max: MAX_PER_DAY,
                ..self.sign_in_total
            },
            RateLimitPolicy::SignInTotal => self.sign_in_total,
            RateLimitPolicy::ProfileUpdate => self.profile_update,
            RateLimitPolicy::MailAddress => self.mail_address,
            RateLimitPolicy::MailIp => self.mail_ip,
        }
    }
}
