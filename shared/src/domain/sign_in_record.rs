//! The failures for one identifier from one source, and whether the source is familiar to it.

use std::time::Duration;

use super::{AccountId, Tally, Timestamp};

/// Both tallies may be of a window that has closed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignInRecord {
    /// The failures in the window of `SIGNIN_RATE_LIMIT_ACCOUNT`.
    pub recent: Option<Tally>,
    /// The failures in the window of `SIGNIN_RATE_LIMIT_TOTAL`.
    pub of_day: Option<Tally>,
    pub familiarity: Option<Familiarity>,
}

/// A source becomes familiar to an identifier by a sign-in, or by setting the account's password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Familiarity {
    /// The account that signed in, and the version of its password. Familiarity ends with either.
    pub account: AccountId,
    pub password_version: u64,
    pub until: Timestamp,
}

/// A sign-in renews familiarity that ends within this time.
const RENEWED_WITHIN: Duration = Duration::from_hours(15 * 24);

impl Familiarity {
    /// How long a source stays familiar after a sign-in.
    pub const LONGEST: Duration = Duration::from_hours(30 * 24);

    #[must_use]
    pub fn new(account: AccountId, password_version: u64, now: Timestamp) -> Self {
        Self {
            account,
            password_version,
            until: now.plus(Self::LONGEST),
        }
    }

    /// Whether the source is familiar at `now` to this account with this password.
    #[must_use]
    pub fn holds(&self, account: &AccountId, password_version: u64, now: Timestamp) -> bool {
        self.account == *account && self.password_version == password_version && now < self.until
    }

    /// Whether a sign-in at `now` renews it.
    #[must_use]
    pub fn is_ending(&self, now: Timestamp) -> bool {
        self.until < now.plus(RENEWED_WITHIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn a_source_is_familiar_for_thirty_days_to_one_account_with_one_password() {
        let now = Timestamp::from_secs(1);
        let account = AccountId::new(now, [0; 5], 0);
        let familiarity = Familiarity::new(account.clone(), 2, now);

        let last = Timestamp::from_millis(now.plus(30 * DAY).millis() - 1);
        assert!(familiarity.holds(&account, 2, last));
        assert!(!familiarity.holds(&account, 2, now.plus(30 * DAY)));
        assert!(!familiarity.holds(&account, 3, now));
        assert!(!familiarity.holds(&AccountId::new(now, [0; 5], 1), 2, now));
    }

    #[test]
    fn familiarity_is_renewed_when_fewer_than_fifteen_days_are_left() {
        let now = Timestamp::from_secs(1);
        let familiarity = Familiarity::new(AccountId::new(now, [0; 5], 0), 1, now);

        assert!(!familiarity.is_ending(now.plus(15 * DAY)));
        assert!(familiarity.is_ending(now.plus(15 * DAY + Duration::from_millis(1))));
    }
}
