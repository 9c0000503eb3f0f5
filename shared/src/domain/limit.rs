//! Fixed windows: so many attempts, counted from a key's first one.

use std::time::Duration;

use super::Timestamp;

/// At most `max` attempts within `window`, which opens at a key's first attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How many attempts are admitted; 0 admits nobody.
    pub max: u64,
    /// How long a window stays open; at least a millisecond.
    pub window: Duration,
}

/// A key's window right after an attempt was counted in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// When the window opened.
    pub opened: Timestamp,
    /// How many attempts it holds, the one just counted included.
    pub count: u64,
}

/// Where a key stands against its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitStatus {
    /// The limit it is measured by.
    pub limit: Limit,
    /// How many attempts are left in the window.
    pub remaining: u64,
    /// When the window opened.
    pub opened: Timestamp,
    /// When the window closes.
    pub resets_at: Timestamp,
}

impl Limit {
    /// Whether the window of this tally is still open.
    ///
    /// One seen before it opened (another instance's clock runs ahead) is.
    #[must_use]
    pub fn is_open(&self, tally: Tally, now: Timestamp) -> bool {
        now < tally.opened.plus(self.window)
    }

    /// Whether the attempt that made this tally is within the limit.
    #[must_use]
    pub fn admits(&self, tally: Tally) -> bool {
        tally.count <= self.max
    }

    /// Where a key with this tally stands.
    #[must_use]
    pub fn status(&self, tally: Tally) -> RateLimitStatus {
        RateLimitStatus {
            limit: *self,
            remaining: self.max.saturating_sub(tally.count),
            opened: tally.opened,
            resets_at: tally.opened.plus(self.window),
        }
    }
}

impl RateLimitStatus {
    /// Whole seconds until the window closes, rounded up, at least 1: what `Retry-After` says.
    #[must_use]
    pub fn reset_secs(&self, now: Timestamp) -> u64 {
        now.until(self.resets_at)
            .as_millis()
            .div_ceil(1000)
            .try_into()
            .unwrap_or(u64::MAX)
            .max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit {
        max: 2,
        window: Duration::from_millis(1500),
    };

    fn tally(count: u64) -> Tally {
        let opened = Timestamp::from_millis(10_000);
        Tally { opened, count }
    }

    #[test]
    fn exactly_the_limit_is_admitted() {
        assert!(LIMIT.admits(tally(1)));
        assert!(LIMIT.admits(tally(2)));
        assert!(!LIMIT.admits(tally(3)));
        assert_eq!(LIMIT.status(tally(1)).remaining, 1);
        assert_eq!(LIMIT.status(tally(3)).remaining, 0);
    }

    #[test]
    fn a_window_closes_to_the_millisecond() {
        assert!(LIMIT.is_open(tally(1), Timestamp::from_millis(11_499)));
        assert!(!LIMIT.is_open(tally(1), Timestamp::from_millis(11_500)));
    }

    #[test]
    fn a_window_opened_by_a_faster_clock_is_open() {
        assert!(LIMIT.is_open(tally(1), Timestamp::from_millis(9_000)));
    }

    #[test]
    fn the_time_to_the_reset_is_rounded_up_to_seconds() {
        let reset_secs = |now| {
            LIMIT
                .status(tally(1))
                .reset_secs(Timestamp::from_millis(now))
        };

        assert_eq!(reset_secs(10_000), 2);
        assert_eq!(reset_secs(10_500), 1);
        assert_eq!(reset_secs(11_499), 1);
    }

    #[test]
    fn a_limit_of_zero_admits_nobody() {
        let none = Limit { max: 0, ..LIMIT };

        assert!(!none.admits(tally(1)));
    }
}
