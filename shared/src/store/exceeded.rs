//! Exceeded limits that this instance remembers, so that a flood causes no writes.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;

use crate::domain::{RateLimitStatus, Timestamp};

/// Counters that the table has found to exceed their limit, each until its refusal ends.
///
/// The cache only repeats refusals, so it never admits anybody. An instance that has forgotten a
/// refusal asks the table again. The least recently used entry is dropped first.
#[derive(Debug)]
pub struct ExceededLimits {
    entries: Mutex<LruCache<String, Entry>>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    status: RateLimitStatus,
    until: Timestamp,
}

/// Enough for a flood from many addresses, and under 2 MB of memory.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

impl Default for ExceededLimits {
    fn default() -> Self {
        Self {
            entries: Mutex::new(LruCache::new(CAPACITY)),
        }
    }
}

impl ExceededLimits {
    /// Remembers that `counter` refuses until `until`.
    pub fn insert(&self, counter: String, status: RateLimitStatus, until: Timestamp) {
        self.lock().put(counter, Entry { status, until });
    }

    /// The status of `counter`, if it is known to refuse at `now`.
    pub fn get(&self, counter: &str, now: Timestamp) -> Option<RateLimitStatus> {
        let mut entries = self.lock();
        let entry = *entries.get(counter)?;
        if now < entry.until {
            return Some(entry.status);
        }
        entries.pop(counter);
        None
    }

    /// Forgets a counter, which may admit again.
    pub fn remove(&self, counter: &str) {
        self.lock().pop(counter);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<String, Entry>> {
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
    fn a_refusal_is_known_until_it_ends() {
        let exceeded = ExceededLimits::default();

        exceeded.insert("a".to_owned(), status(), Timestamp::from_secs(11));

        let known = |millis| exceeded.get("a", Timestamp::from_millis(millis)).is_some();
        assert!(known(10_999));
        assert!(!known(11_000));
        assert!(!known(10_999), "forgotten once it has ended");
    }

    #[test]
    fn memory_is_bounded() {
        let exceeded = ExceededLimits::default();

        for n in 0..=CAPACITY.get() {
            exceeded.insert(n.to_string(), status(), Timestamp::from_secs(11));
        }

        let now = Timestamp::from_secs(10);
        assert!(exceeded.get("0", now).is_none());
        assert!(exceeded.get("1", now).is_some());
    }
}
