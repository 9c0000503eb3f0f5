//! The `RateLimit` headers of draft-ietf-httpapi-ratelimit-headers, as structured fields
//! (RFC 9651).

use sfv::{Integer, KeyRef, ListSerializer, StringRef};

use crate::domain::{RateLimitPolicy, RateLimitStatus, Timestamp};

/// `RateLimit-Policy` and `RateLimit` for the limits that have a public name.
pub(super) fn headers(
    rate_limits: &[(RateLimitPolicy, RateLimitStatus)],
    now: Timestamp,
) -> impl Iterator<Item = (&'static str, String)> {
    let policies = list(rate_limits, |status| {
        let window = status.limit.window.as_millis().div_ceil(1000);
        [("q", status.limit.max.into()), ("w", window)]
    });
    let limits = list(rate_limits, |status| {
        let reset = status.reset_secs(now);
        [("r", status.remaining.into()), ("t", reset.into())]
    });
    let policies = policies.map(|list| ("ratelimit-policy", list));
    let limits = limits.map(|list| ("ratelimit", list));
    policies.into_iter().chain(limits)
}

fn list(
    rate_limits: &[(RateLimitPolicy, RateLimitStatus)],
    parameters: impl Fn(&RateLimitStatus) -> [(&'static str, u128); 2],
) -> Option<String> {
    let mut list = ListSerializer::new();
    for (policy, status) in rate_limits {
        let Some(Ok(name)) = name(*policy).map(StringRef::from_str) else {
            continue;
        };
        let item = list.bare_item(name);
        parameters(status)
            .into_iter()
            .filter_map(|(key, value)| Some((KeyRef::from_str(key).ok()?, value)))
            .fold(item, |item, (key, value)| {
                item.parameter(key, integer(value))
            });
    }
    list.finish()
}

/// Caps at the largest integer of a structured field, which has 15 digits.
fn integer(value: u128) -> Integer {
    Integer::try_from(value).unwrap_or(Integer::MAX)
}

/// The policy's public name; `None` for limits whose counts would help an attacker.
fn name(policy: RateLimitPolicy) -> Option<&'static str> {
    match policy {
        RateLimitPolicy::SignUpIp => Some("ip"),
        RateLimitPolicy::SignUpEmail => Some("email"),
        RateLimitPolicy::SignInIp
        | RateLimitPolicy::SignInNetwork
        | RateLimitPolicy::SignInAccount
        | RateLimitPolicy::SignInDay
        | RateLimitPolicy::SignInTotal
        | RateLimitPolicy::ApiKeyIp
        | RateLimitPolicy::ApiKeyNetwork
        | RateLimitPolicy::ProfileUpdate
        | RateLimitPolicy::MailAddress
        | RateLimitPolicy::MailIp
        | RateLimitPolicy::CodeIp
        | RateLimitPolicy::CodeNetwork => None,
    }
}
