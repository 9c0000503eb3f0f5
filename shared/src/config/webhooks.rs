//! The settings of webhooks.

use std::ffi::OsString;
use std::fmt;
use std::time::Duration;

use url::{Host, Url};

use super::settings::{Settings, invalid};
use super::{ConfigError, KeySource};

#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// `WEBHOOK_USER_CREATED`: is told of each new account.
    pub user_created: Option<WebhookUrl>,
    /// `WEBHOOK_USER_FORGOT_PASSWORD`: gets codes that reset a password, instead of the mail.
    pub forgot_password: Option<WebhookUrl>,
    /// `WEBHOOK_KEY_SECRET` or `WEBHOOK_KEY_FILE`: where the key that signs webhooks is kept. Only the
    /// function `deliver-webhook` reads it.
    pub key: Option<KeySource>,
    /// `WEBHOOK_QUEUE_URL`: the queue that invokes `deliver-webhook`.
    pub queue_url: Option<String>,
    pub retries: WebhookRetries,
    /// `WEBHOOK_ANY_ADDRESS`: whether http and private addresses are allowed. Only the local run sets it.
    pub any_address: bool,
}

/// The URL of a receiver. It should have no secret; in case it has one, `Debug` does not show it.
///
/// Its host is a name, so that the address is looked up, and checked, at each connection.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(String);

impl WebhookUrl {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookUrl(redacted)")
    }
}

/// The pauses between two tries of a webhook. The queue counts the tries, up to the
/// template's parameter `WebhookRetryCount`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WebhookRetries {
    /// `WEBHOOK_RETRY_INTERVAL`: the pause after the first try.
    pub first: Duration,
    /// `WEBHOOK_RETRY_FACTOR`: how much longer each pause is than the one before.
    pub factor: f64,
    /// `WEBHOOK_RETRY_MAX_INTERVAL`: the longest pause.
    pub longest: Duration,
}

impl WebhookRetries {
    /// The pause after this many tries, in whole seconds, rounded up.
    #[must_use]
    pub fn pause_secs(&self, tries: u32) -> i32 {
        let exponent = i32::try_from(tries.saturating_sub(1)).unwrap_or(i32::MAX);
        let secs = self.first.as_secs_f64() * self.factor.powi(exponent);
        // From a second to eleven hours, so nothing is cut off.
        #[expect(clippy::cast_possible_truncation, reason = "at most eleven hours")]
        let whole = secs.min(self.longest.as_secs_f64()).ceil() as i32;
        whole
    }
}

/// SQS lets a message be held back until twelve hours after it was received.
const LONGEST_PAUSE_MS: u32 = 11 * 60 * 60 * 1000;

impl<F: Fn(&str) -> Option<OsString>> Settings<F> {
    pub(super) fn webhooks(&self) -> Result<WebhookConfig, ConfigError> {
        let any_address = self.number("WEBHOOK_ANY_ADDRESS", false, "true or false")?;
        let forgot_password = self.webhook_url("WEBHOOK_USER_FORGOT_PASSWORD", any_address)?;
        if forgot_password.is_some() && self.get("APP_URL")?.is_none() {
            let problem = "needs APP_URL, the base of the links";
            return Err(invalid("WEBHOOK_USER_FORGOT_PASSWORD", problem));
        }
        let pauses = 1000..=LONGEST_PAUSE_MS;
        let pause = |variable, default| {
            let millis = self.within(variable, default, pauses.clone())?;
            Ok(Duration::from_millis(millis.into()))
        };
        Ok(WebhookConfig {
            user_created: self.webhook_url("WEBHOOK_USER_CREATED", any_address)?,
            forgot_password,
            key: self.key_source("WEBHOOK_KEY_SECRET", "WEBHOOK_KEY_FILE")?,
            queue_url: self.get("WEBHOOK_QUEUE_URL")?,
            retries: WebhookRetries {
                first: pause("WEBHOOK_RETRY_INTERVAL", 30_000)?,
                factor: self.factor("WEBHOOK_RETRY_FACTOR", 1.5)?,
                longest: pause("WEBHOOK_RETRY_MAX_INTERVAL", 30 * 60 * 1000)?,
            },
            any_address,
        })
    }

    fn factor(&self, variable: &str, default: f64) -> Result<f64, ConfigError> {
        let kind = "a number from 1 to 10";
        let factor = self.number(variable, default, kind)?;
        if (1.0..=10.0).contains(&factor) {
            Ok(factor)
        } else {
            Err(invalid(variable, format!("must be {kind}")))
        }
    }

    fn webhook_url(
        &self,
        variable: &str,
        any_address: bool,
    ) -> Result<Option<WebhookUrl>, ConfigError> {
        let Some(text) = self.get(variable)? else {
            return Ok(None);
        };
        let problem =
            "must be an https URL with the name of a host, without credentials and fragment";
        let url = Url::parse(&text).map_err(|_| invalid(variable, problem))?;
        let is_public = url.scheme() == "https" && matches!(url.host(), Some(Host::Domain(_)));
        let is_local = any_address && url.scheme() == "http";
        let is_plain =
            url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
        if (is_public || is_local) && is_plain {
            Ok(Some(WebhookUrl(url.into())))
        } else {
            Err(invalid(variable, problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_by_the_factor_up_to_the_longest() {
        let retries = WebhookRetries {
            first: Duration::from_secs(30),
            factor: 1.5,
            longest: Duration::from_mins(30),
        };
        for (tries, secs) in [
            (1, 30),
            (2, 45),
            (3, 68),
            (4, 102),
            (11, 1730),
            (12, 1800),
            (u32::MAX, 1800),
        ] {
            assert_eq!(retries.pause_secs(tries), secs, "{tries}");
        }
    }
}
