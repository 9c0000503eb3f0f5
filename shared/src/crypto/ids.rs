//! Account ids, session ids and other random ids.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::domain::{AccountId, OutboxId, Timestamp};
use crate::ports::{Entropy, EntropyError, random};

/// Generates account ids from five random bytes per instance and a counter with a random start.
/// Instances do not collide, and one instance never repeats an id within a second.
#[derive(Debug)]
pub struct IdGenerator {
    instance: [u8; 5],
    counter: AtomicU32,
}

impl IdGenerator {
    pub fn new(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self {
            instance: random(entropy)?,
            counter: AtomicU32::new(u32::from_le_bytes(random(entropy)?)),
        })
    }

    pub fn next(&self, now: Timestamp) -> AccountId {
        let counter = self.counter.fetch_add(1, Ordering::Relaxed);
        AccountId::new(now, self.instance, counter)
    }
}

/// 128 random bits as 32 hex characters, for a token's `jti`, a transaction's request token, or a version of
/// the key ring's secret.
pub(crate) fn random_id(entropy: &dyn Entropy) -> Result<String, EntropyError> {
    Ok(format!(
        "{:032x}",
        u128::from_be_bytes(random::<16>(entropy)?)
    ))
}

/// A UUID of version 4 (RFC 9562).
pub(crate) fn uuid(entropy: &dyn Entropy) -> Result<String, EntropyError> {
    let uuid = uuid::Builder::from_random_bytes(random::<16>(entropy)?).into_uuid();
    Ok(uuid.to_string())
}

pub(crate) fn outbox_id(now: Timestamp, entropy: &dyn Entropy) -> Result<OutboxId, EntropyError> {
    time_ordered(now, entropy).map(OutboxId::new)
}

pub(crate) fn session_id(now: Timestamp, entropy: &dyn Entropy) -> Result<String, EntropyError> {
    time_ordered(now, entropy)
}

/// The time in milliseconds and 80 random bits, as 32 hex characters. Sorts by time.
fn time_ordered(now: Timestamp, entropy: &dyn Entropy) -> Result<String, EntropyError> {
    let random = random::<10>(entropy)?.map(|byte| format!("{byte:02x}"));
    Ok(format!("{:012x}{}", now.millis(), random.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemEntropy;

    #[test]
    fn one_instance_does_not_repeat_an_id() {
        let ids = IdGenerator::new(&SystemEntropy).unwrap();
        let now = Timestamp::from_secs(1_700_000_000);

        assert_ne!(ids.next(now), ids.next(now));
    }

    #[test]
    fn session_ids_sort_by_time() {
        let id = |millis| session_id(Timestamp::from_millis(millis), &SystemEntropy).unwrap();

        assert_eq!(id(1_700_000_000_000).len(), 32);
        assert!(id(999_999_999_999) < id(1_000_000_000_000));
    }
}
