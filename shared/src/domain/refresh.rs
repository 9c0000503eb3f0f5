//! Refreshing a session (RFC 6749 section 6, RFC 9700 section 4.14).
//!
//! The refresh tokens of a session are numbered. The session knows which number is current, and when it became
//! so. Nothing else of a refresh token is stored.

use std::time::Duration;

use super::Timestamp;

/// How long a refresh token can be used.
const IDLE: Duration = Duration::from_hours(24 * 30);

/// How long after the sign-in the last refresh token ends.
const LONGEST: Duration = Duration::from_hours(24 * 90);

/// The current refresh token of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refresh {
    pub number: u64,
    /// When it became current.
    pub since: Timestamp,
}

/// What it means that a refresh token is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// It is current: the next number becomes so.
    Current,
    /// It was current until a moment ago: its holder may have missed the answer, or asked twice. The current
    /// one is given again.
    Again,
    /// It was used before, by somebody else: one of the two is a thief.
    Reused,
    /// Its session does not know it yet, as after a restored backup.
    Unknown,
}

impl Refresh {
    /// The first refresh token of a session.
    #[must_use]
    pub fn first(now: Timestamp) -> Self {
        Self {
            number: 1,
            since: now,
        }
    }

    /// The successor.
    #[must_use]
    pub fn next(self, now: Timestamp) -> Self {
        Self {
            number: self.number.saturating_add(1),
            since: now,
        }
    }

    #[must_use]
    pub fn presented(self, number: u64, now: Timestamp, grace: Duration) -> Presented {
        if number == self.number {
            Presented::Current
        } else if number > self.number {
            Presented::Unknown
        } else if number.saturating_add(1) == self.number && now < self.since.plus(grace) {
            Presented::Again
        } else {
            Presented::Reused
        }
    }

    /// When the refresh token, and its session, end.
    #[must_use]
    pub fn ends(self, signed_in_at: Timestamp) -> Timestamp {
        self.since.plus(IDLE).min(signed_in_at.plus(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(10);
    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    #[test]
    fn the_number_and_the_grace_decide() {
        let current = Refresh {
            number: 7,
            since: NOW,
        };
        let last = NOW.plus(GRACE.saturating_sub(Duration::from_millis(1)));
        for (number, now, presented) in [
            (7, NOW, Presented::Current),
            (7, NOW.plus(IDLE), Presented::Current),
            (6, NOW, Presented::Again),
            (6, last, Presented::Again),
            (6, NOW.plus(GRACE), Presented::Reused),
            (5, NOW, Presented::Reused),
            (0, NOW, Presented::Reused),
            (8, NOW, Presented::Unknown),
            (u64::MAX, NOW, Presented::Unknown),
        ] {
            assert_eq!(current.presented(number, now, GRACE), presented, "{number}");
        }
    }

    #[test]
    fn a_session_ends_thirty_days_after_its_last_use_and_ninety_after_the_sign_in() {
        let days = |days: u32| NOW.plus(Duration::from_hours(24) * days);
        let used = |days_later| {
            let refresh = Refresh::first(NOW).next(days(days_later));
            refresh.ends(NOW)
        };

        assert_eq!(Refresh::first(NOW).ends(NOW), days(30));
        assert_eq!(used(29), days(59));
        assert_eq!(used(60), days(90));
        assert_eq!(used(89), days(90));
    }
}
