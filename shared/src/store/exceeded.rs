//! Exceeded limits that this instance remembers, so that a flood of requests causes no writes.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;

use crate::domain::{RateLimitStatus, Timestamp};

/// Counters that have reached their limit according to the table, until their windows close.
///
/// The cache only repeats refusals; it never admits an attempt. When it is full it evicts the least
/// recently used counter, and the next attempt asks the table again.
#[derive(Debug)]
pub struct ExceededLimits {
    entries: Mutex<LruCache<String, RateLimitStatus>>,
}

/// Enough for a flood from many addresses, in less than 2 MB of memory.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

impl Default for ExceededLimits {
    fn default() -> Self {
        Self {
            entries: Mutex::new(LruCache::new(CAPACITY)),
        }
    }
}

impl ExceededLimits {
    /// Remembers that `counter` refuses attempts until its window closes.
    pub fn insert(&self, counter: String, status: RateLimitStatus) {
        self.lock().put(counter, status);
    }

    /// The status of `counter`, if it refuses attempts at `now`.
    pub fn get(&self, counter: &str, now: Timestamp) -> Option<RateLimitStatus> {
        let mut entries = self.lock();
        let status = *entries.get(counter)?;
        if now < status.resets_at {
            return Some(status);
        }
        entries.pop(counter);
        None
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<String, RateLimitStatus>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn a_full_cache_evicts_the_least_recently_used_counter() {
        let exceeded = ExceededLimits::default();

        for n in 0..=CAPACITY.get() {
            exceeded.insert(n.to_string(), status());
        }

        let now = Timestamp::from_secs(10);
        assert!(exceeded.get("0", now).is_none());
        assert!(exceeded.get("1", now).is_some());
    }
}
