//! The `RateLimit` headers of draft-ietf-httpapi-ratelimit-headers, as structured fields
//! (RFC 9651).

use sfv::{Integer, KeyRef, ListSerializer, StringRef};

use crate::auth::Policy;
use crate::domain::{Standing, Timestamp};

/// `RateLimit-Policy` and `RateLimit` for those of these limits that are announced.
pub(super) fn headers(
    standings: &[(Policy, Standing)],
    now: Timestamp,
) -> impl Iterator<Item = (&'static str, String)> {
    let policies = list(standings, |standing| {
        let window = standing.limit.window.as_millis().div_ceil(1000);
        [("q", standing.limit.max.into()), ("w", window)]
    });
    let limits = list(standings, |standing| {
        let reset = standing.reset_secs(now);
        [("r", standing.remaining.into()), ("t", reset.into())]
    });
    let policies = policies.map(|list| ("ratelimit-policy", list));
    let limits = limits.map(|list| ("ratelimit", list));
    policies.into_iter().chain(limits)
}

fn list(
    standings: &[(Policy, Standing)],
    parameters: impl Fn(&Standing) -> [(&'static str, u128); 2],
) -> Option<String> {
    let mut list = ListSerializer::new();
    for (policy, standing) in standings {
        let Some(Ok(name)) = name(*policy).map(StringRef::from_str) else {
            continue;
        };
        let item = list.bare_item(name);
        parameters(standing)
            .into_iter()
            .filter_map(|(key, value)| Some((KeyRef::from_str(key).ok()?, value)))
            .fold(item, |item, (key, value)| {
                item.parameter(key, integer(value))
            });
    }
    list.finish()
}

/// The largest integer of a structured field is 15 digits long.
fn integer(value: u128) -> Integer {
    Integer::try_from(value).unwrap_or(Integer::MAX)
}

/// What a policy is called; `None` of those whose count is nobody's business.
fn name(policy: Policy) -> Option<&'static str> {
    match policy {
        Policy::SignUpIp => Some("ip"),
        Policy::SignUpEmail => Some("email"),
        Policy::SignInIp | Policy::SignInAccount | Policy::ApiKeyIp => None,
    }
}
