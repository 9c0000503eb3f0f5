//! A point in time.

use std::time::Duration;

use time::OffsetDateTime;
use time::macros::format_description;

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From seconds since the epoch, as in a JWT's `NumericDate` (RFC 7519 section 2).
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This point in time, `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// How long it is until `later`; nothing when that has passed.
    #[must_use]
    pub fn until(self, later: Self) -> Duration {
        let millis = later.0.saturating_sub(self.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    /// As JavaScript's `Date.prototype.toString` writes it in UTC, to the second:
    /// `Fri Apr 12 2019 15:56:49 GMT+0000 (Coordinated Universal Time)`.
    #[must_use]
    pub fn to_js_date(self) -> String {
        let format = format_description!(
            "[weekday repr:short] [month repr:short] [day] [year] [hour]:[minute]:[second] \
             GMT+0000 (Coordinated Universal Time)"
        );
        OffsetDateTime::from_unix_timestamp(self.secs())
            .ok()
            .and_then(|date| date.format(format).ok())
            .unwrap_or_else(|| "Invalid Date".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_javascript_does() {
        assert_eq!(
            Timestamp::from_secs(1_555_084_609).to_js_date(),
            "Fri Apr 12 2019 15:56:49 GMT+0000 (Coordinated Universal Time)"
        );
    }

    #[test]
    fn a_date_no_calendar_holds_is_invalid() {
        assert_eq!(Timestamp::from_secs(i64::MAX).to_js_date(), "Invalid Date");
    }

    #[test]
    fn seconds_before_the_epoch_round_down_as_well() {
        assert_eq!(Timestamp::from_millis(-1).secs(), -1);
    }
}
