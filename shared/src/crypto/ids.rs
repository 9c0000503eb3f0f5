//! Account ids and token ids.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::domain::{AccountId, Timestamp};
use crate::ports::{Entropy, EntropyError, random};

/// Makes account ids: five random bytes drawn once per instance, and a counter that starts at
/// random, so that instances do not collide and one instance never repeats itself within a second.
#[derive(Debug)]
pub struct IdGenerator {
    instance: [u8; 5],
    counter: AtomicU32,
}

impl IdGenerator {
    /// A generator of its own randomness.
    pub fn new(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self {
            instance: random(entropy)?,
            counter: AtomicU32::new(u32::from_le_bytes(random(entropy)?)),
        })
    }

    /// The next id.
    pub fn next(&self, now: Timestamp) -> AccountId {
        let counter = self.counter.fetch_add(1, Ordering::Relaxed);
        AccountId::new(now, self.instance, counter)
    }
}

/// 128 random bits as 32 hex characters: a token's `jti`, a transaction's request token.
pub(crate) fn random_id(entropy: &dyn Entropy) -> Result<String, EntropyError> {
    Ok(format!(
        "{:032x}",
        u128::from_be_bytes(random::<16>(entropy)?)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemEntropy;

    #[test]
    fn one_instance_does_not_repeat_itself() {
        let ids = IdGenerator::new(&SystemEntropy).unwrap();
        let now = Timestamp::from_secs(1_700_000_000);

        assert_ne!(ids.next(now), ids.next(now));
    }
}
