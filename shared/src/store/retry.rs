//! Retries after transaction conflicts.
//!
//! DynamoDB rejects a write that conflicts with a transaction on the same item. The rejected write
//! changed nothing and its condition may hold, so it is retried a few times after random delays.

use std::time::Duration;

use super::{Store, StoreError};
use crate::observe;
use crate::ports::random;

const MAX_ATTEMPTS: u32 = 5;
const FIRST_BACKOFF: Duration = Duration::from_millis(20);

impl Store {
    /// Runs `attempt` until it returns anything but [`StoreError::Contended`], at most five times.
    pub(super) async fn retrying<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut tries = 1;
        loop {
            match attempt().await {
                Err(StoreError::Contended) if tries < MAX_ATTEMPTS => {
                    observe::retried();
                    self.back_off(tries).await;
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// Waits a random time: up to 20 ms after the first try, 40 ms after the second, and 80 ms
    /// after each later one.
    pub(crate) async fn back_off(&self, tries: u32) {
        let longest = FIRST_BACKOFF * (1 << tries.saturating_sub(1).min(2));
        let share = random(self.entropy.as_ref()).map_or(u8::MAX, |[byte]| byte);
        tokio::time::sleep(longest * u32::from(share) / u32::from(u8::MAX)).await;
    }
}
