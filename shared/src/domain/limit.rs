//! Rate limits with fixed windows.

use std::time::Duration;

use super::Timestamp;

/// At most `max` attempts within `window`, which opens at the first attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// 0 admits no attempt.
    pub max: u64,
    /// At least a millisecond.
    pub window: Duration,
}

/// A counter's window after an attempt was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub opened: Timestamp,
    /// The attempts in the window, including the one just counted.
    pub count: u64,
}

/// How much of its limit a counter has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitStatus {
    pub limit: Limit,
    /// The attempts left in the window.
    pub remaining: u64,
    /// When the window closes.
    pub resets_at: Timestamp,
}

impl Limit {
    /// Whether the window is open at `now`.
    ///
    /// A window that opened after `now` is open too, because another instance's clock may run
    /// ahead.
    #[must_use]
    pub fn is_open(&self, tally: Tally, now: Timestamp) -> bool {
        now < tally.opened.plus(self.window)
    }

    /// A window that opened at this time or earlier is closed at `now`.
    #[must_use]
    pub fn latest_closed(&self, now: Timestamp) -> Timestamp {
        let window = i64::try_from(self.window.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(now.millis().saturating_sub(window))
    }

    /// Whether the attempt just counted is within the limit.
    #[must_use]
    pub fn admits(&self, tally: Tally) -> bool {
        tally.count <= self.max
    }

    /// The status of the limit if it is reached, so that it would refuse the next attempt.
    #[must_use]
    pub fn reached(&self, tally: Option<Tally>, now: Timestamp) -> Option<RateLimitStatus> {
        let nothing = Tally {
            opened: now,
            count: 0,
        };
        let open = tally.filter(|tally| self.is_open(*tally, now));
        let tally = open.unwrap_or(nothing);
        (tally.count >= self.max).then(|| self.status(tally))
    }

    #[must_use]
    pub fn status(&self, tally: Tally) -> RateLimitStatus {
        RateLimitStatus {
            limit: *self,
            remaining: self.max.saturating_sub(tally.count),
            resets_at: tally.opened.plus(self.window),
        }
    }
}

impl RateLimitStatus {
    /// Seconds until the window closes, rounded up, at least 1, as in `Retry-After`.
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
        let latest_closed = LIMIT.latest_closed(Timestamp::from_millis(11_500));
        assert_eq!(latest_closed, tally(1).opened);
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
    fn a_limit_is_reached_until_its_window_closes() {
        let now = Timestamp::from_millis(11_499);

        assert_eq!(LIMIT.reached(Some(tally(1)), now), None);
        assert!(LIMIT.reached(Some(tally(2)), now).is_some());
        let closed = Timestamp::from_millis(11_500);
        assert_eq!(LIMIT.reached(Some(tally(2)), closed), None);
    }

    #[test]
    fn a_limit_of_zero_admits_no_attempt() {
        let none = Limit { max: 0, ..LIMIT };

        assert!(!none.admits(tally(1)));
        let now = Timestamp::from_millis(99_999);
        for tally in [None, Some(tally(1))] {
            assert_eq!(none.reached(tally, now).unwrap().reset_secs(now), 2);
        }
    }
}
