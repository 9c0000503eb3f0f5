//! Rotation of a key ring: a key is pending, then active, then retired, then removed.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::ring_document::{KeyDocument, KeyState, KeyText, MAX_PUBLIC_KEYS, RingDocument};
use super::signing_key::{NewKey, NotGenerated};
use crate::domain::{SigningAlgorithm, Timestamp};
use crate::ports::{Entropy, random};

/// How long a symmetric key is pending before it signs: twice the time for which an instance caches the
/// ring.
const PUBLICATION: Duration = Duration::from_mins(10);

/// How long an asymmetric key is pending before it signs. Verifiers cache the key set for two hours. For
/// [`LONGEST_USE`] after a rotation an instance that cannot read the ring may serve the earlier set, and an HTTP
/// cache may keep that for five minutes more.
const PUBLICATION_OUTSIDE: Duration = Duration::from_mins(120 + 60 + 5);

/// The age at which an instance no longer uses a ring that it cannot read again: its keys may have
/// been replaced after a leak. So it may sign with a retired key for this long.
pub const LONGEST_USE: Duration = Duration::from_hours(1);

/// What the keys of a ring are for.
#[derive(Debug, Clone)]
pub struct KeyPlan {
    pub algorithm: SigningAlgorithm,
    /// The `iss` of tokens.
    pub issuer: String,
    /// The longest lifetime of a token.
    pub longest_life: Duration,
}

impl KeyPlan {
    /// Whether the key signs as planned.
    fn fits(&self, key: &KeyDocument) -> bool {
        key.alg == self.algorithm && key.iss.as_ref().is_none_or(|iss| *iss == self.issuer)
    }

    fn publication(&self) -> Duration {
        if self.algorithm.is_asymmetric() {
            PUBLICATION_OUTSIDE
        } else {
            PUBLICATION
        }
    }
}

impl RingDocument {
    /// A ring with one key, which signs.
    pub fn fresh(
        now: Timestamp,
        plan: &KeyPlan,
        entropy: &dyn Entropy,
    ) -> Result<Self, NotGenerated> {
        let mut ring = Self::default();
        ring.decoy_key = Some(KeyText::random(entropy)?);
        ring.sign_at_once(now, plan, entropy)?;
        Ok(ring)
    }

    /// Writes the issuer into the keys that do not name one.
    #[must_use]
    pub fn with_issuer(mut self, issuer: &str) -> Self {
        for key in self.keys.iter_mut().filter(|key| key.iss.is_none()) {
            key.iss = Some(issuer.to_owned());
        }
        self
    }

    /// Makes a key active that fits the plan, and retires the active key. Returns `None` if the active key fits. For
    /// rings whose keys nobody caches.
    pub fn adapted(
        mut self,
        now: Timestamp,
        plan: &KeyPlan,
        entropy: &dyn Entropy,
    ) -> Result<Option<Self>, NotGenerated> {
        let active = self.keys.iter().find(|key| key.state == KeyState::Active);
        if active.is_some_and(|key| plan.fits(key)) {
            return Ok(None);
        }
        self.remove_expired(now);
        let retired = |key: &KeyDocument| key.state == KeyState::Retired && plan.fits(key);
        if let Some(earlier) = self.keys.iter().position(retired) {
            self.retire_active(now, plan);
            self.activate(earlier);
            self.life = plan.longest_life.as_secs();
            return Ok(Some(self));
        }
        let is_public = |key: &KeyDocument| key.public.is_some();
        if self.keys.iter().filter(|key| is_public(key)).count() + 1 >= MAX_PUBLIC_KEYS
            && let Some(oldest) =
                (self.keys.iter()).position(|key| is_public(key) && key.state == KeyState::Retired)
        {
            self.keys.remove(oldest);
        }
        self.sign_at_once(now, plan, entropy)?;
        Ok(Some(self))
    }

    /// The ring after a rotation of version `current`: the pending key is active, the active key is
    /// retired until its last token has expired, and a new key is pending.
    ///
    /// Returns `TooSoon` while somebody may not have the pending key yet. If there is no pending
    /// key that signs as planned, only adds one: the active key goes on signing, whatever its algorithm and
    /// issuer. But the first rotation of a ring makes the new key active at once, because nobody can have
    /// cached the keys of a stack that has just been created.
    pub fn rotated(
        mut self,
        current: &str,
        now: Timestamp,
        plan: &KeyPlan,
        entropy: &dyn Entropy,
    ) -> Result<Self, NotRotated> {
        let has_public_key = self.keys.iter().any(|key| key.alg.is_asymmetric());
        let is_first = self.after.is_none() && !has_public_key;
        // The active key may go on signing, and its earlier tokens may have a longer lifetime.
        let mut life = self.life.max(plan.longest_life.as_secs());
        self = self.with_issuer(&plan.issuer);
        if is_first && let Some(adapted) = self.clone().adapted(now, plan, entropy)? {
            self = adapted;
        }
        let pending = self.position(KeyState::Pending);
        let pending = pending.and_then(|position| Some((position, self.keys.get(position)?)));
        match pending {
            Some((position, key)) if plan.fits(key) => {
                let published = Timestamp::from_secs(key.since.unwrap_or(0));
                let ready = published.plus(plan.publication());
                if now < ready {
                    return Err(NotRotated::TooSoon { ready });
                }
                self.retire_active(now, plan);
                self.activate(position);
                life = plan.longest_life.as_secs();
            }
            // It has signed nothing.
            Some((position, _)) => drop(self.keys.remove(position)),
            None => {}
        }
        self.prune_and_publish(current, now, plan, entropy)?;
        self.life = life;
        Ok(self)
    }

    /// The ring of version `current` after a leak: every key is revoked, two new keys are active and
    /// pending, and the decoy key is new. Instances that do not have the active key read the ring again when they see its
    /// `kid`.
    pub fn replaced(
        mut self,
        current: &str,
        now: Timestamp,
        plan: &KeyPlan,
        entropy: &dyn Entropy,
    ) -> Result<Self, NotGenerated> {
        let until = self.last_expiry(now, plan);
        let leaked = self.keys.iter_mut();
        leaked
            .filter(|key| key.state != KeyState::Revoked)
            .for_each(|key| key.retire_or_revoke(KeyState::Revoked, until));
        self.decoy_key = None;
        let next = self.publish(now, plan, entropy)?;
        self.activate(next);
        self.prune_and_publish(current, now, plan, entropy)?;
        self.life = plan.longest_life.as_secs();
        Ok(self)
    }

    fn sign_at_once(
        &mut self,
        now: Timestamp,
        plan: &KeyPlan,
        entropy: &dyn Entropy,
    ) -> Result<(), NotGenerated> {
        self.retire_active(now, plan);
        let next = self.publish(now, plan, entropy)?;
        self.activate(next);
        self.life = plan.longest_life.as_secs();
        Ok(())
    }

    fn retire_active(&mut self, now: Timestamp, plan: &KeyPlan) {
        let until = self.last_expiry(now, plan);
        for key in &mut self.keys {
            if key.state == KeyState::Active {
                key.retire_or_revoke(KeyState::Retired, until);
            }
        }
    }

    /// When the last token of a key retired or revoked at `now` expires. Instances may go on
    /// signing with it for [`LONGEST_USE`], and earlier tokens may have a longer lifetime.
    fn last_expiry(&self, now: Timestamp, plan: &KeyPlan) -> Timestamp {
        let life = plan.longest_life.max(Duration::from_secs(self.life));
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
        plan: &KeyPlan,
        entropy: &dyn Entropy,
    ) -> Result<(), NotGenerated> {
        self.remove_expired(now);
        if self.position(KeyState::Pending).is_none() {
            self.publish(now, plan, entropy)?;
        }
        if self.decoy_key.is_none() {
            self.decoy_key = Some(KeyText::random(entropy)?);
        }
        self.after = Some(current.to_owned());
        Ok(())
    }

    fn remove_expired(&mut self, now: Timestamp) {
        let is_expired = |key: &KeyDocument| {
            let is_over = key.until.is_some_and(|until| until <= now.secs());
            key.state != KeyState::Active && is_over
        };
        self.keys.retain(|key| !is_expired(key));
    }

    /// Adds a new pending key and returns its position.
    fn publish(
        &mut self,
        now: Timestamp,
        plan: &KeyPlan,
        entropy: &dyn Entropy,
    ) -> Result<usize, NotGenerated> {
        let kid = URL_SAFE_NO_PAD.encode(random::<9>(entropy)?);
        let new = NewKey::generate(plan.algorithm, &kid, entropy)?;
        self.keys.push(KeyDocument {
            kid,
            state: KeyState::Pending,
            alg: plan.algorithm,
            iss: Some(plan.issuer.clone()),
            key: Some(KeyText::of(&new.key)),
            public: new.public,
            since: Some(now.secs()),
            until: None,
        });
        Ok(self.keys.len() - 1)
    }
}

impl KeyDocument {
    /// Retires or revokes the key. It may be removed at `until`. Nothing is left of a revoked key but its id.
    fn retire_or_revoke(&mut self, state: KeyState, until: Timestamp) {
        self.state = state;
        self.since = None;
        // A key that was retired before keeps what its earlier tokens need.
        self.until = self.until.max(Some(until.secs()));
        if state == KeyState::Revoked {
            self.key = None;
            self.public = None;
        }
    }
}

/// Why a rotation is refused.
#[derive(Debug, thiserror::Error)]
pub enum NotRotated {
    /// Somebody may not have the pending key yet.
    #[error("the pending key was published too recently: try again after {}", ready.to_js_date())]
    TooSoon {
        /// When everybody has it.
        ready: Timestamp,
    },
    #[error(transparent)]
    NotGenerated(#[from] NotGenerated),
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;
    use crate::crypto::{InvalidKeyRing, KeyRing};
    use crate::ports::SystemEntropy;

    const DAY: Duration = Duration::from_hours(24);
    const LIFE: Duration = Duration::from_hours(24 * 30);

    fn plan(algorithm: SigningAlgorithm) -> KeyPlan {
        KeyPlan {
            algorithm,
            issuer: "latchkey".to_owned(),
            longest_life: LIFE,
        }
    }

    fn at(days: u32) -> Timestamp {
        Timestamp::from_secs(1_800_000_000).plus(DAY * days)
    }

    fn first() -> RingDocument {
        let key = "A".repeat(64);
        RingDocument::from_json(&json!({ "key": key }).to_string()).unwrap()
    }

    fn rotate(ring: &RingDocument, now: Timestamp) -> RingDocument {
        rotate_to(SigningAlgorithm::Hs256, ring, now)
    }

    fn rotate_to(algorithm: SigningAlgorithm, ring: &RingDocument, now: Timestamp) -> RingDocument {
        let rotated = ring
            .clone()
            .rotated("v", now, &plan(algorithm), &SystemEntropy);
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
        let short = KeyPlan {
            longest_life: Duration::from_hours(1),
            ..plan(SigningAlgorithm::Hs256)
        };

        let ring = ring.rotated("v", at(30), &short, &SystemEntropy);

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
        let ring = ring.replaced("v", at(91), &plan(SigningAlgorithm::Hs256), &SystemEntropy);
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

        let replaced = ring
            .replaced("v", at(61), &plan(SigningAlgorithm::Hs256), &SystemEntropy)
            .unwrap();
        assert!(draw(&replaced).is_some());
        assert_ne!(draw(&replaced), drawn);
    }

    #[test]
    fn no_key_signs_before_every_instance_can_have_it() {
        let published = at(0);
        let ring = rotate(&first(), published);
        let almost = published.plus(PUBLICATION.saturating_sub(Duration::from_secs(1)));

        let refused =
            ring.clone()
                .rotated("v", almost, &plan(SigningAlgorithm::Hs256), &SystemEntropy);

        assert!(matches!(refused, Err(NotRotated::TooSoon { ready })
            if ready == published.plus(PUBLICATION)));
        rotate(&ring, published.plus(PUBLICATION));
    }

    #[test]
    fn a_replaced_ring_has_two_new_keys_and_all_others_are_revoked() {
        use KeyState::{Active, Pending, Revoked};
        let leaked = rotate(&rotate(&first(), at(0)), at(30));

        let ring =
            leaked
                .clone()
                .replaced("v", at(31), &plan(SigningAlgorithm::Hs256), &SystemEntropy);

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

    const ASYMMETRIC: [SigningAlgorithm; 3] = [
        SigningAlgorithm::Rs256,
        SigningAlgorithm::Es256,
        SigningAlgorithm::EdDsa,
    ];

    fn algorithms(ring: &RingDocument) -> Vec<SigningAlgorithm> {
        ring.keys.iter().map(|key| key.alg).collect()
    }

    #[test]
    fn after_a_change_of_algorithm_the_old_key_signs_until_the_new_one_was_published() {
        use KeyState::{Active, Pending, Retired};
        use SigningAlgorithm::Hs256;

        for new in ASYMMETRIC {
            let ring = rotate(&rotate(&first(), at(0)), at(1));
            assert_eq!(algorithms(&ring), [Hs256, Hs256, Hs256]);

            let ring = rotate_to(new, &ring, at(2));
            assert_eq!(states(&ring), [Retired, Active, Pending]);
            assert_eq!(algorithms(&ring), [Hs256, Hs256, new]);

            let almost = at(2).plus(PUBLICATION_OUTSIDE.saturating_sub(Duration::from_secs(1)));
            let refused = ring
                .clone()
                .rotated("v", almost, &plan(new), &SystemEntropy);
            assert!(matches!(refused, Err(NotRotated::TooSoon { .. })));

            let ring = rotate_to(new, &ring, at(2).plus(PUBLICATION_OUTSIDE));
            assert_eq!(states(&ring), [Retired, Retired, Active, Pending]);
            assert_eq!(algorithms(&ring), [Hs256, Hs256, new, new]);
        }
    }

    #[test]
    fn the_first_rotation_of_a_stack_with_an_asymmetric_algorithm_signs_with_it_at_once() {
        use KeyState::{Active, Pending, Retired};

        for new in ASYMMETRIC {
            let ring = rotate_to(new, &first(), at(0));

            assert_eq!(states(&ring), [Retired, Active, Pending]);
            assert_eq!(algorithms(&ring), [SigningAlgorithm::Hs256, new, new]);
        }
    }

    #[test]
    fn keys_keep_the_issuer_under_which_they_sign() {
        let other = KeyPlan {
            issuer: "https://id.example".to_owned(),
            ..plan(SigningAlgorithm::Rs256)
        };
        let ring = rotate(&first(), at(0));
        let issuers = |ring: &RingDocument| {
            let all = ring.keys.iter().map(|key| key.iss.clone().unwrap());
            all.collect::<Vec<_>>()
        };

        let ring = ring.rotated("v", at(1), &other, &SystemEntropy).unwrap();
        assert_eq!(issuers(&ring), ["latchkey", "https://id.example"]);

        let ring = ring.rotated("v", at(2), &other, &SystemEntropy).unwrap();
        assert_eq!(
            issuers(&ring),
            ["latchkey", "https://id.example", "https://id.example"]
        );
    }

    #[test]
    fn a_ring_whose_keys_nobody_caches_adapts_at_once() {
        use KeyState::{Active, Retired};
        let hs256 = plan(SigningAlgorithm::Hs256);
        let es256 = plan(SigningAlgorithm::Es256);
        let ring = RingDocument::fresh(at(0), &hs256, &SystemEntropy).unwrap();
        let same = ring.clone().adapted(at(1), &hs256, &SystemEntropy);
        assert!(same.unwrap().is_none());

        let adapted = ring.adapted(at(1), &es256, &SystemEntropy);

        let adapted = adapted.unwrap().unwrap();
        assert_eq!(states(&adapted), [Retired, Active]);
        assert_eq!(
            algorithms(&adapted),
            [SigningAlgorithm::Hs256, SigningAlgorithm::Es256]
        );
        KeyRing::from_json(&adapted.to_json()).unwrap();
    }

    #[test]
    fn more_public_keys_than_verifiers_are_given_are_refused() {
        let plan = plan(SigningAlgorithm::EdDsa);
        let mut ring = RingDocument::fresh(at(0), &plan, &SystemEntropy).unwrap();
        let count = |ring: &RingDocument| ring.keys.len();
        for hours in 1..10 {
            let now = at(0).plus(Duration::from_hours(4 * hours));
            ring = ring.rotated("v", now, &plan, &SystemEntropy).unwrap();
        }
        assert_eq!(count(&ring), 10);
        assert!(KeyRing::try_from(ring.clone()).is_ok());

        let ring = ring.rotated("v", at(2), &plan, &SystemEntropy).unwrap();

        assert_eq!(
            KeyRing::try_from(ring).unwrap_err(),
            InvalidKeyRing::TooManyPublic
        );
    }

    #[test]
    fn a_key_whose_successor_waits_keeps_the_lifetime_of_its_tokens() {
        let short = KeyPlan {
            longest_life: Duration::from_hours(1),
            ..plan(SigningAlgorithm::EdDsa)
        };
        let ring = rotate(&first(), at(0));

        let ring = ring.rotated("v", at(1), &short, &SystemEntropy).unwrap();
        let ring = ring.rotated("v", at(2), &short, &SystemEntropy).unwrap();

        assert_eq!(states(&ring)[0], KeyState::Retired);
        assert_eq!(ring.keys[0].until, Some(at(32).plus(LONGEST_USE).secs()));
    }

    #[test]
    fn replacements_in_a_row_keep_nothing_of_revoked_keys() {
        for algorithm in ASYMMETRIC {
            let plan = plan(algorithm);
            let mut ring = RingDocument::fresh(at(0), &plan, &SystemEntropy).unwrap();
            let secret = ring.keys[0].key.clone().unwrap();
            for _ in 0..5 {
                ring = ring.replaced("v", at(1), &plan, &SystemEntropy).unwrap();
            }

            let json = ring.to_json();
            assert!(KeyRing::from_json(&json).unwrap().is_sound());
            assert!(!json.contains(secret.0.expose_secret()));
            let revoked = ring
                .keys
                .iter()
                .filter(|key| key.state == KeyState::Revoked);
            assert_eq!(revoked.count(), 9);
        }
    }

    #[test]
    fn a_local_ring_can_change_as_often_as_one_likes() {
        let mut ring =
            RingDocument::fresh(at(0), &plan(SigningAlgorithm::Es256), &SystemEntropy).unwrap();
        for n in 0..30 {
            let next = KeyPlan {
                issuer: format!("http://localhost:{n}"),
                ..plan(ASYMMETRIC[n % 3])
            };
            let adapted = ring.adapted(at(1), &next, &SystemEntropy).unwrap();
            ring = adapted.unwrap();
            KeyRing::try_from(ring.clone()).unwrap();
        }
        let hs256 = plan(SigningAlgorithm::Hs256);
        let es256 = plan(SigningAlgorithm::Es256);
        let ring = ring
            .adapted(at(1), &hs256, &SystemEntropy)
            .unwrap()
            .unwrap();
        let there = ring
            .adapted(at(1), &es256, &SystemEntropy)
            .unwrap()
            .unwrap();
        let back = there.clone().adapted(at(1), &hs256, &SystemEntropy);
        assert_eq!(back.unwrap().unwrap().keys.len(), there.keys.len());
    }

    #[test]
    fn a_key_that_became_active_again_is_not_lost() {
        let hs256 = plan(SigningAlgorithm::Hs256);
        let es256 = plan(SigningAlgorithm::Es256);
        let ring = RingDocument::fresh(at(0), &hs256, &SystemEntropy).unwrap();
        let kid = ring.keys[0].kid.clone();
        let adapted = |ring: RingDocument, days, plan: &KeyPlan| {
            let adapted = ring.adapted(at(days), plan, &SystemEntropy).unwrap();
            adapted.unwrap()
        };

        let ring = adapted(ring, 0, &es256);
        let ring = adapted(ring, 0, &hs256);
        let ring = adapted(ring, 32, &es256);

        let key = ring.keys.iter().find(|key| key.kid == kid).unwrap();
        assert_eq!(key.state, KeyState::Retired);
        assert_eq!(key.until, Some(at(62).plus(LONGEST_USE).secs()));
    }

    #[test]
    fn an_unused_key_of_an_abandoned_change_is_removed() {
        use KeyState::{Active, Pending};
        let ring = rotate(&first(), at(0));
        let ring = rotate_to(SigningAlgorithm::Es256, &ring, at(1));

        let ring = rotate(&ring, at(2));

        assert_eq!(states(&ring), [Active, Pending]);
        assert_eq!(algorithms(&ring), [SigningAlgorithm::Hs256; 2]);
    }
}
