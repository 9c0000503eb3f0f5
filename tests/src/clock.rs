//! A clock that a test controls.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use shared::domain::Timestamp;
use shared::ports::Clock;

/// A clock that starts at 2027-01-15T08:00:00.250Z and moves only by [`TestClock::advance`].
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl Default for TestClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_800_000_000_250))
    }
}

impl TestClock {
    pub fn advance(&self, duration: Duration) {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
