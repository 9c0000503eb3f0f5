//! The key ring as it is written down, and how it turns.
//!
//! ```json
//! {"keys": [
//!   {"kid": "x1", "state": "retired", "key": "<base64url>", "until": 1735689600},
//!   {"kid": "x2", "state": "active", "key": "<base64url>"},
//!   {"kid": "x3", "state": "pending", "key": "<base64url>", "since": 1733097600}
//! ]}
//! ```
//!
//! A ring that Secrets Manager has just generated is `{"key": "<base64url>"}`: one active key.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::key_ring::{InvalidKeyRing, KeyState};
use crate::domain::Timestamp;
use crate::ports::{Entropy, EntropyError, random};

/// How long a key is published before it signs, and how long after it was retired an instance
/// may still sign with it: twice as long as an instance keeps a ring before it reads it again.
pub const PUBLICATION: Duration = Duration::from_mins(10);

/// The kid of the key that Secrets Manager generates.
const FIRST_KID: &str = "1";

/// A ring, written down.
#[derive(Debug, Clone, Deserialize)]
pub struct RingDocument {
    #[serde(default)]
    pub(super) keys: Vec<KeyDocument>,
    /// The version of the secret that this one was made from.
    #[serde(default)]
    after: Option<String>,
    /// How long a token lived at most when this one was made, in seconds.
    #[serde(default)]
    life: u64,
    /// The first key, of a ring that has not been rotated.
    #[serde(default)]
    key: Option<KeyText>,
}

/// A key, written down. Times are in seconds since 1970.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct KeyDocument {
    pub(super) kid: String,
    pub(super) state: KeyState,
    pub(super) key: KeyText,
    /// When a pending key was published.
    #[serde(default)]
    since: Option<i64>,
    /// When a retired key ends to verify, and a revoked one can be forgotten.
    #[serde(default)]
    pub(super) until: Option<i64>,
}

/// What may be shown of a key. Times are in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeySummary {
    /// Its id.
    pub kid: String,
    /// What it may do.
    pub state: KeyState,
    /// When a pending key was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// When a retired key ends to verify, and a revoked one can be forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
}

/// A key in base64url.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct KeyText(SecretString);

impl KeyText {
    pub(super) fn bytes(&self) -> Result<Vec<u8>, InvalidKeyRing> {
        let unpadded = self.0.expose_secret().trim_end_matches('=');
        let bytes = URL_SAFE_NO_PAD.decode(unpadded);
        bytes.map_err(|_| InvalidKeyRing::NotBase64Url)
    }
}

impl RingDocument {
    /// Parses a ring's JSON. Errors never hold a part of it.
    pub fn from_json(json: &str) -> Result<Self, InvalidKeyRing> {
        let mut ring: Self = serde_json::from_str(json).map_err(|error| InvalidKeyRing::Json {
            line: error.line(),
            column: error.column(),
        })?;
        if let Some(key) = ring.key.take() {
            ring.keys.push(KeyDocument {
                kid: FIRST_KID.to_owned(),
                state: KeyState::Active,
                key,
                since: None,
                until: None,
            });
        }
        Ok(ring)
    }

    /// The JSON to be stored.
    #[must_use]
    pub fn to_json(&self) -> String {
        let keys: Vec<_> = self
            .keys
            .iter()
            .map(|key| {
                let mut written = Map::new();
                written.insert("kid".to_owned(), key.kid.as_str().into());
                written.insert("state".to_owned(), json!(key.state));
                written.insert("key".to_owned(), key.key.0.expose_secret().into());
                let times = [("since", key.since), ("until", key.until)];
                for (name, time) in times {
                    written.extend(time.map(|time| (name.to_owned(), time.into())));
                }
                Value::Object(written)
            })
            .collect();
        json!({"keys": keys, "after": self.after, "life": self.life}).to_string()
    }

    /// Its keys, without the keys.
    #[must_use]
    pub fn summaries(&self) -> Vec<KeySummary> {
        let summary = |key: &KeyDocument| KeySummary {
            kid: key.kid.clone(),
            state: key.state,
            since: key.since,
            until: key.until,
        };
        self.keys.iter().map(summary).collect()
    }

    /// The version of the secret that this one was made from.
    #[must_use]
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// The ring that follows the one of version `current`: the pending key signs, the active one
    /// verifies until the last of its tokens has expired, and a new key is pending.
    ///
    /// Refused while some instance may not know the pending key yet. A ring without one only gets
    /// one: the active key goes on.
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
            let over = self.over(now, longest_life);
            let active = self.keys.iter_mut();
            active
                .filter(|key| key.state == KeyState::Active)
                .for_each(|key| key.end(KeyState::Retired, over));
            self.activate(pending);
        }
        self.complete(current, now, longest_life, entropy)?;
        Ok(self)
    }

    /// The ring that follows the one of version `current`, with the key `kid` revoked. If it is
    /// the active one the pending key signs at once, known to all instances or not: they look
    /// again when they meet it.
    pub fn without(
        mut self,
        kid: &str,
        current: &str,
        now: Timestamp,
        longest_life: Duration,
        entropy: &dyn Entropy,
    ) -> Result<Self, NotRotated> {
        let over = self.over(now, longest_life);
        let key = self.keys.iter_mut().find(|key| key.kid == kid);
        let key = key.ok_or(NotRotated::NoSuchKey)?;
        let was_active = key.state == KeyState::Active;
        key.end(KeyState::Revoked, over);
        if was_active {
            let pending = self.position(KeyState::Pending);
            let next = match pending {
                Some(pending) => pending,
                None => self.publish(now, entropy)?,
            };
            self.activate(next);
        }
        self.complete(current, now, longest_life, entropy)?;
        Ok(self)
    }

    /// When the last token of a key that ends now has expired. An instance that has not heard of
    /// it may sign for a while; and tokens may have lived longer until lately.
    fn over(&self, now: Timestamp, longest_life: Duration) -> Timestamp {
        let life = longest_life.max(Duration::from_secs(self.life));
        now.plus(PUBLICATION).plus(life)
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

    /// Forgets keys whose time is over, and has a pending one.
    fn complete(
        &mut self,
        current: &str,
        now: Timestamp,
        longest_life: Duration,
        entropy: &dyn Entropy,
    ) -> Result<(), EntropyError> {
        let is_over = |key: &KeyDocument| key.until.is_some_and(|until| until <= now.secs());
        self.keys.retain(|key| !is_over(key));
        if self.position(KeyState::Pending).is_none() {
            self.publish(now, entropy)?;
        }
        self.after = Some(current.to_owned());
        self.life = longest_life.as_secs();
        Ok(())
    }

    /// Adds a new pending key, and says where.
    fn publish(&mut self, now: Timestamp, entropy: &dyn Entropy) -> Result<usize, EntropyError> {
        self.keys.push(KeyDocument {
            kid: URL_SAFE_NO_PAD.encode(random::<9>(entropy)?),
            state: KeyState::Pending,
            key: KeyText(URL_SAFE_NO_PAD.encode(random::<32>(entropy)?).into()),
            since: Some(now.secs()),
            until: None,
        });
        Ok(self.keys.len() - 1)
    }
}

impl KeyDocument {
    /// Ends a key's time as one that signs.
    fn end(&mut self, state: KeyState, over: Timestamp) {
        self.state = state;
        self.since = None;
        self.until = Some(over.secs());
    }
}

/// Why a ring does not turn.
#[derive(Debug, thiserror::Error)]
pub enum NotRotated {
    /// Some instance may not know the pending key yet.
    #[error("the pending key was published less than 10 minutes ago: try again after {}", ready.to_js_date())]
    TooSoon {
        /// When all do.
        ready: Timestamp,
    },
    /// No key has the kid.
    #[error("the ring has no key of this kid")]
    NoSuchKey,
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

#[cfg(test)]
mod tests {
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
        // What is stored is what is read.
        RingDocument::from_json(&rotated.unwrap().to_json()).unwrap()
    }

    fn states(ring: &RingDocument) -> Vec<KeyState> {
        ring.keys.iter().map(|key| key.state).collect()
    }

    #[test]
    fn debug_output_shows_all_of_a_ring_but_its_keys() {
        let ring = format!("{:?}", first());

        assert!(ring.contains("kid: \"1\""), "{ring}");
        assert!(
            ring.contains("key: KeyText(SecretBox<str>([REDACTED]))"),
            "{ring}"
        );
        assert!(!ring.contains("AAAA"), "{ring}");
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
            Some(at(60).plus(PUBLICATION).secs()),
            "retirement, plus what an old ring can live, plus the longest token's life"
        );

        let ring = rotate(&ring, at(60));
        assert_eq!(states(&ring), [Retired, Retired, Active, Pending]);

        let ring = rotate(&ring, at(61));
        assert_eq!(states(&ring), [Retired, Retired, Active, Pending]);
        assert!(ring.keys.iter().all(|key| key.kid != "1"), "{ring:?}");
    }

    #[test]
    fn tokens_that_were_to_live_longer_live_on_when_the_setting_is_lowered() {
        let ring = rotate(&first(), at(0));

        let ring = ring.rotated("v", at(30), Duration::from_hours(1), &SystemEntropy);

        let until = at(60).plus(PUBLICATION).secs();
        assert_eq!(ring.unwrap().keys[0].until, Some(until));
    }

    #[test]
    fn every_ring_on_the_way_is_one_that_functions_take() {
        let mut ring = first();
        for days in [0, 1, 2, 30, 60, 90] {
            ring = rotate(&ring, at(days));
            KeyRing::from_json(&ring.to_json()).unwrap();
        }
        let revoked = ring.keys[0].kid.clone();
        let ring = ring.without(&revoked, "v", at(91), LIFE, &SystemEntropy);
        KeyRing::from_json(&ring.unwrap().to_json()).unwrap();
    }

    #[test]
    fn no_key_signs_before_every_instance_can_know_it() {
        let published = at(0);
        let ring = rotate(&first(), published);
        let almost = published.plus(PUBLICATION.saturating_sub(Duration::from_secs(1)));

        let refused = ring.clone().rotated("v", almost, LIFE, &SystemEntropy);

        assert!(matches!(refused, Err(NotRotated::TooSoon { ready })
            if ready == published.plus(PUBLICATION)));
        rotate(&ring, published.plus(PUBLICATION));
    }

    #[test]
    fn revoking_the_key_that_signs_makes_the_pending_one_sign() {
        use KeyState::{Active, Pending, Revoked};
        let ring = rotate(&first(), at(0));

        let ring = ring.without("1", "v", at(0), LIFE, &SystemEntropy).unwrap();

        assert_eq!(states(&ring), [Revoked, Active, Pending]);
        assert!(matches!(
            ring.without("none", "v", at(0), LIFE, &SystemEntropy),
            Err(NotRotated::NoSuchKey)
        ));
    }

    #[test]
    fn revoking_the_only_key_makes_a_new_one_sign() {
        use KeyState::{Active, Pending, Revoked};

        let ring = first().without("1", "v", at(0), LIFE, &SystemEntropy);

        assert_eq!(states(&ring.unwrap()), [Revoked, Active, Pending]);
    }
}
