//! Sessions that this instance has refused.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;

/// The ids of sessions whose tokens were refused although the signature is valid, because the session
/// has ended or its account is gone.
///
/// Profile updates of a remembered session are counted only after the session is read (decision 6).
#[derive(Debug)]
pub struct RefusedSessions {
    ids: Mutex<LruCache<String, ()>>,
}

/// About 1 MB.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

impl Default for RefusedSessions {
    fn default() -> Self {
        Self {
            ids: Mutex::new(LruCache::new(CAPACITY)),
        }
    }
}

impl RefusedSessions {
    pub fn insert(&self, session: &str) {
        self.lock().put(session.to_owned(), ());
    }

    #[must_use]
    pub fn contains(&self, session: &str) -> bool {
        self.lock().get(session).is_some()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<String, ()>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
