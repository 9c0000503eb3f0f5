//! Refreshing a session (RFC 6749 section 6, RFC 9700 section 4.14).
//!
//! The refresh tokens of a session are numbered. The session knows which number is current, and when it became
//! so. Nothing else of a refresh token is stored.

use std::time::Duration;

use super::Timestamp;

/// How long a refresh token can be used.
const IDLE: Duration = Duration::from_hours(24 * 30);

/// The longest life of a session, from the sign-in.
const LONGEST: Duration = Duration::from_hours(24 * 90);

/// The current refresh token of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refresh {
    pub number: u64,
    /// When it became current.
    pub since: Timestamp,
}

/// What the use of a refresh token means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenUse {
    /// It is current: its successor becomes so.
    First,
    /// It was current until a moment ago: its holder may have missed the answer, or asked twice. Its successor is
    /// given again.
    Repeated,
    /// It was used before, or is of a later time than what is stored. Two parties may have it, so the session
    /// ends.
    Reused,
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
    pub fn use_of(self, number: u64, now: Timestamp, grace: Duration) -> TokenUse {
        if number == self.number {
            TokenUse::First
        } else if number.saturating_add(1) == self.number && now < self.since.plus(grace) {
            TokenUse::Repeated
        } else {
            TokenUse::Reused
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
        for (number, now, expected) in [
            (7, NOW, TokenUse::First),
            (7, NOW.plus(IDLE), TokenUse::First),
            (6, NOW, TokenUse::Repeated),
            (6, last, TokenUse::Repeated),
            (6, NOW.plus(GRACE), TokenUse::Reused),
            (5, NOW, TokenUse::Reused),
            (0, NOW, TokenUse::Reused),
            (8, NOW, TokenUse::Reused),
            (u64::MAX, NOW, TokenUse::Reused),
        ] {
            assert_eq!(current.use_of(number, now, GRACE), expected, "{number}");
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
