//! What an instance remembers of refusals, so that a flood buys no writes.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;

use crate::domain::{Standing, Timestamp};

/// Refusals that the table has already given, by counter, each until it ends.
///
/// It only ever says no, and only what the table said: it cannot admit anybody, and an instance
/// that forgets asks the table again. Bounded, with the least recently asked forgotten first.
#[derive(Debug)]
pub struct Refusals {
    notes: Mutex<LruCache<String, Note>>,
}

#[derive(Debug, Clone, Copy)]
struct Note {
    standing: Standing,
    until: Timestamp,
}

/// Enough for a flood from many addresses, and under 2 MB of memory.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

impl Default for Refusals {
    fn default() -> Self {
        Self {
            notes: Mutex::new(LruCache::new(CAPACITY)),
        }
    }
}

impl Refusals {
    /// Notes that the counter refuses until then.
    pub(super) fn note(&self, counter: String, standing: Standing, until: Timestamp) {
        self.lock().put(counter, Note { standing, until });
    }

    /// Where the counter stands, if it is known to refuse at `now`.
    pub(super) fn known(&self, counter: &str, now: Timestamp) -> Option<Standing> {
        let mut notes = self.lock();
        let note = *notes.get(counter)?;
        if now < note.until {
            return Some(note.standing);
        }
        notes.pop(counter);
        None
    }

    /// Forgets a counter that may admit again.
    pub(super) fn forget(&self, counter: &str) {
        self.lock().pop(counter);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<String, Note>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{Limit, Tally};

    fn standing() -> Standing {
        let limit = Limit {
            max: 1,
            window: Duration::from_secs(1),
        };
        let opened = Timestamp::from_secs(10);
        limit.standing(Tally { opened, count: 2 })
    }

    #[test]
    fn a_refusal_is_known_until_it_ends() {
        let refusals = Refusals::default();

        refusals.note("a".to_owned(), standing(), Timestamp::from_secs(11));

        let known = |millis| {
            refusals
                .known("a", Timestamp::from_millis(millis))
                .is_some()
        };
        assert!(known(10_999));
        assert!(!known(11_000));
        assert!(!known(10_999), "forgotten once it has ended");
    }

    #[test]
    fn memory_is_bounded() {
        let refusals = Refusals::default();

        for n in 0..=CAPACITY.get() {
            refusals.note(n.to_string(), standing(), Timestamp::from_secs(11));
        }

        let now = Timestamp::from_secs(10);
        assert!(refusals.known("0", now).is_none());
        assert!(refusals.known("1", now).is_some());
    }
}
