//! Rotation of a key ring: a key is pending, then active, then retired, then removed.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::ring_document::{KeyDocument, KeyState, KeyText, RingDocument};
use crate::domain::Timestamp;
use crate::ports::{Entropy, EntropyError, random};

/// How long a key is pending before it signs. Twice the time for which an instance caches the ring.
pub const PUBLICATION: Duration = Duration::from_mins(10);

/// The age at which an instance no longer uses a ring that it cannot read again: its keys may have
/// been replaced after a leak. So it may sign with a retired key for this long.
pub const LONGEST_USE: Duration = Duration::from_hours(1);

impl RingDocument {
    /// The ring after a rotation of version `current`: the pending key is active, the active key is
    /// retired until its last token has expired, and a new key is pending.
    ///
    /// Returns `TooSoon` while an instance may not have the pending key yet. If there is no pending
    /// key, only adds one.
    pub fn rotated(
        mut self,
        current: &str,
        now: Timestamp,
        longest_life: Duration,
        entropy: &dyn Entropy,
    ) -> Result<Self, NotRotated> {
        if let Some(pending) = self.position(KeyState::Pending) {
            let since = self.keys.get(pending).and_then(|key| key.since);
            let ready = Timestamp::from_secs(since.unwrap_or(0)).plus(PUBLICATION);
            if now < ready {
                return Err(NotRotated::TooSoon { ready });
            }
            let until = self.last_expiry(now, longest_life);
            let active = self.keys.iter_mut();
            active
                .filter(|key| key.state == KeyState::Active)
                .for_each(|key| key.retire_or_revoke(KeyState::Retired, until));
            self.activate(pending);
        }
        self.prune_and_publish(current, now, longest_life, entropy)?;
        Ok(self)
    }

    /// The ring of version `current` after a leak: every key is revoked, two new keys are active and
    /// pending, and the decoy key is new. Instances that do not have the active key read the ring again when they see its
    /// `kid`.
    pub fn replaced(
        mut self,
        current: &str,
        now: Timestamp,
        longest_life: Duration,
        entropy: &dyn Entropy,
    ) -> Result<Self, EntropyError> {
        let until = self.last_expiry(now, longest_life);
        let leaked = self.keys.iter_mut();
        leaked
            .filter(|key| key.state != KeyState::Revoked)
            .for_each(|key| key.retire_or_revoke(KeyState::Revoked, until));
        self.decoy_key = None;
        let next = self.publish(now, entropy)?;
        self.activate(next);
        self.prune_and_publish(current, now, longest_life, entropy)?;
        Ok(self)
    }

    /// When the last token of a key retired or revoked at `now` expires. Instances may go on
    /// signing with it for [`LONGEST_USE`], and earlier tokens may have a longer lifetime.
    fn last_expiry(&self, now: Timestamp, longest_life: Duration) -> Timestamp {
        let life = longest_life.max(Duration::from_secs(self.life));
        now.plus(LONGEST_USE).plus(life)
    }

    fn position(&self, state: KeyState) -> Option<usize> {
        self.keys.iter().position(|key| key.state == state)
    }

    fn activate(&mut self, position: usize) {
        if let Some(key) = self.keys.get_mut(position) {
            key.state = KeyState::Active;
            key.since = None;
        }
    }

    /// Removes expired keys, and adds a pending key and a decoy key if there is none.
    fn prune_and_publish(
        &mut self,
        current: &str,
        now: Timestamp,
        longest_life: Duration,
        entropy: &dyn Entropy,
    ) -> Result<(), EntropyError> {
        let is_expired = |key: &KeyDocument| key.until.is_some_and(|until| until <= now.secs());
        self.keys.retain(|key| !is_expired(key));
        if self.position(KeyState::Pending).is_none() {
            self.publish(now, entropy)?;
        }
        if self.decoy_key.is_none() {
            self.decoy_key = Some(KeyText::random(entropy)?);
        }
        self.after = Some(current.to_owned());
        self.life = longest_life.as_secs();
        Ok(())
    }

    /// Adds a new pending key and returns its position.
    fn publish(&mut self, now: Timestamp, entropy: &dyn Entropy) -> Result<usize, EntropyError> {
        self.keys.push(KeyDocument {
            kid: URL_SAFE_NO_PAD.encode(random::<9>(entropy)?),
            state: KeyState::Pending,
            key: KeyText::random(entropy)?,
            since: Some(now.secs()),
            until: None,
        });
        Ok(self.keys.len() - 1)
    }
}

impl KeyDocument {
    /// Retires or revokes the key. It may be removed at `until`.
    fn retire_or_revoke(&mut self, state: KeyState, until: Timestamp) {
        self.state = state;
        self.since = None;
        self.until = Some(until.secs());
    }
}

/// Why a rotation is refused.
#[derive(Debug, thiserror::Error)]
pub enum NotRotated {
    /// An instance may not have the pending key yet.
    #[error("the pending key was published less than 10 minutes ago: try again after {}", ready.to_js_date())]
    TooSoon {
        /// When every instance has it.
        ready: Timestamp,
    },
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::crypto::KeyRing;
    use crate::ports::SystemEntropy;

    const DAY: Duration = Duration::from_hours(24);
    const LIFE: Duration = Duration::from_hours(24 * 30);

    fn at(days: u32) -> Timestamp {
        Timestamp::from_secs(1_800_000_000).plus(DAY * days)
    }

    fn first() -> RingDocument {
        let key = "A".repeat(64);
        RingDocument::from_json(&json!({ "key": key }).to_string()).unwrap()
    }

    fn rotate(ring: &RingDocument, now: Timestamp) -> RingDocument {
        let rotated = ring.clone().rotated("v", now, LIFE, &SystemEntropy);
        // Written and read again, as if stored.
        RingDocument::from_json(&rotated.unwrap().to_json()).unwrap()
    }

    fn states(ring: &RingDocument) -> Vec<KeyState> {
        ring.keys.iter().map(|key| key.state).collect()
    }

    #[test]
    fn a_key_is_pending_then_active_then_retired_then_gone() {
        use KeyState::{Active, Pending, Retired};

        let ring = rotate(&first(), at(0));
        assert_eq!(states(&ring), [Active, Pending]);
        assert_eq!(ring.keys[0].kid, "1");

        let ring = rotate(&ring, at(30));
        assert_eq!(states(&ring), [Retired, Active, Pending]);
        assert_eq!(
            ring.keys[0].until,
            Some(at(60).plus(LONGEST_USE).secs()),
            "retired on day 30, plus LONGEST_USE, plus the longest lifetime"
        );

        let ring = rotate(&ring, at(60));
        assert_eq!(states(&ring), [Retired, Retired, Active, Pending]);

        let ring = rotate(&ring, at(61));
        assert_eq!(states(&ring), [Retired, Retired, Active, Pending]);
        assert!(ring.keys.iter().all(|key| key.kid != "1"), "{ring:?}");
    }

    #[test]
    fn lowering_the_lifetime_does_not_cut_short_tokens_already_issued() {
        let ring = rotate(&first(), at(0));

        let ring = ring.rotated("v", at(30), Duration::from_hours(1), &SystemEntropy);

        let until = at(60).plus(LONGEST_USE).secs();
        assert_eq!(ring.unwrap().keys[0].until, Some(until));
    }

    #[test]
    fn every_rotated_ring_is_a_valid_key_ring() {
        let mut ring = first();
        for days in [0, 1, 2, 30, 60, 90] {
            ring = rotate(&ring, at(days));
            KeyRing::from_json(&ring.to_json()).unwrap();
        }
        let ring = ring.replaced("v", at(91), LIFE, &SystemEntropy);
        KeyRing::from_json(&ring.unwrap().to_json()).unwrap();
    }

    #[test]
    fn rotations_keep_the_decoy_key_and_a_replacement_renews_it() {
        let draw = |ring: &RingDocument| KeyRing::from_json(&ring.to_json()).unwrap().draw("a");
        assert_eq!(draw(&first()), None);

        let ring = rotate(&first(), at(0));
        let drawn = draw(&ring);
        assert!(drawn.is_some());
        let ring = rotate(&rotate(&ring, at(30)), at(60));
        assert_eq!(draw(&ring), drawn);

        let replaced = ring.replaced("v", at(61), LIFE, &SystemEntropy).unwrap();
        assert!(draw(&replaced).is_some());
        assert_ne!(draw(&replaced), drawn);
    }

    #[test]
    fn no_key_signs_before_every_instance_can_have_it() {
        let published = at(0);
        let ring = rotate(&first(), published);
        let almost = published.plus(PUBLICATION.saturating_sub(Duration::from_secs(1)));

        let refused = ring.clone().rotated("v", almost, LIFE, &SystemEntropy);

        assert!(matches!(refused, Err(NotRotated::TooSoon { ready })
            if ready == published.plus(PUBLICATION)));
        rotate(&ring, published.plus(PUBLICATION));
    }

    #[test]
    fn a_replaced_ring_has_two_new_keys_and_all_others_are_revoked() {
        use KeyState::{Active, Pending, Revoked};
        let leaked = rotate(&rotate(&first(), at(0)), at(30));

        let ring = leaked.clone().replaced("v", at(31), LIFE, &SystemEntropy);

        let ring = ring.unwrap();
        assert_eq!(states(&ring), [Revoked, Revoked, Revoked, Active, Pending]);
        for key in &ring.keys[3..] {
            assert!(leaked.keys.iter().all(|old| old.kid != key.kid));
        }
        assert_eq!(
            ring.keys[0].until,
            Some(at(61).plus(LONGEST_USE).secs()),
            "revoked until its last token has expired"
        );
    }
}
