//! What an instance remembers of earlier requests, so that a flood of requests causes no writes.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use crate::domain::{AccountId, RateLimitStatus, Timestamp};

/// Counters that have reached their limit according to the table, until their windows close.
///
/// This only repeats refusals; it never admits an attempt. The next attempt on a counter that was evicted asks the
/// table again.
#[derive(Debug, Default)]
pub struct ExceededLimits(Recent<RateLimitStatus>);

impl ExceededLimits {
    /// Remembers that `counter` refuses attempts until its window closes.
    pub fn insert(&self, counter: String, status: RateLimitStatus) {
        self.0.lock().put(counter, status);
    }

    /// The status of `counter`, if it refuses attempts at `now`.
    pub fn get(&self, counter: &str, now: Timestamp) -> Option<RateLimitStatus> {
        let mut entries = self.0.lock();
        let status = *entries.get(counter)?;
        if now < status.resets_at {
            return Some(status);
        }
        entries.pop(counter);
        None
    }
}

/// The accounts of which this instance has refused a caller, although the token's signature is valid or the API key is
/// stored: the session or key has ended, or the account is gone.
///
/// Profile updates of a remembered account are counted only after the caller is checked (decision 6).
#[derive(Debug, Default)]
pub struct RefusedCallers(Recent<()>);

impl RefusedCallers {
    pub fn insert(&self, account: &AccountId) {
        self.0.lock().put(account.to_string(), ());
    }

    #[must_use]
    pub fn contains(&self, account: &AccountId) -> bool {
        self.0.lock().get(account.as_str()).is_some()
    }
}

/// Evicts the least recently used entry when it is full.
#[derive(Debug)]
struct Recent<V>(Mutex<LruCache<String, V>>);

/// Enough for a flood from many addresses, in less than 2 MB of memory.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(CAPACITY)))
    }
}

impl<V> Recent<V> {
    fn lock(&self) -> MutexGuard<'_, LruCache<String, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{Limit, Tally};

    fn status() -> RateLimitStatus {
        let limit = Limit {
            max: 1,
            window: Duration::from_secs(1),
        };
        let opened = Timestamp::from_secs(10);
        limit.status(Tally { opened, count: 2 })
    }

    #[test]
    fn a_counter_is_remembered_until_its_window_closes() {
        let exceeded = ExceededLimits::default();

        exceeded.insert("a".to_owned(), status());

        let is_remembered = |millis| exceeded.get("a", Timestamp::from_millis(millis)).is_some();
        assert!(is_remembered(10_999));
        assert!(!is_remembered(11_000));
        assert!(!is_remembered(10_999), "not removed when it closed");
    }

    #[test]
    fn the_least_recently_used_entry_is_evicted() {
        let exceeded = ExceededLimits::default();

        for n in 0..=CAPACITY.get() {
            exceeded.insert(n.to_string(), status());
        }

        let now = Timestamp::from_secs(10);
        assert!(exceeded.get("0", now).is_none());
        assert!(exceeded.get("1", now).is_some());
    }
}
