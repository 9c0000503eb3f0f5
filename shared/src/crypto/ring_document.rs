//! The key ring as it is stored.
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

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The shortest HMAC-SHA-256 key, in bytes (RFC 7518 section 3.2).
pub(super) const MIN_KEY_BYTES: usize = 32;

/// The kid of the key that Secrets Manager generates.
const FIRST_KID: &str = "1";

/// A ring, written down.
#[derive(Debug, Clone, Deserialize)]
pub struct RingDocument {
    #[serde(default)]
    pub(super) keys: Vec<KeyDocument>,
    /// The version of the secret that this one was made from.
    #[serde(default)]
    pub(super) after: Option<String>,
    /// How long a token lived at most when this one was made, in seconds.
    #[serde(default)]
    pub(super) life: u64,
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
    pub(super) since: Option<i64>,
    /// When a retired key ends to verify, and a revoked one can be forgotten.
    #[serde(default)]
    pub(super) until: Option<i64>,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Verifies; will sign once every instance knows it.
    Pending,
    /// Signs and verifies. A ring has exactly one.
    Active,
    /// Verifies what it once signed, until the last of that has expired.
    Retired,
    /// Neither: every token of this key is dead.
    Revoked,
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
pub(super) struct KeyText(pub(super) SecretString);

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
}

/// Why a key ring is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyRing {
    /// Not JSON of the documented shape.
    #[error("is not {{\"keys\":[{{\"kid\",\"state\",\"key\"}}]}}: line {line}, column {column}")]
    Json {
        /// Where, from 1.
        line: usize,
        /// Where, from 1.
        column: usize,
    },
    /// A key without an id.
    #[error("holds a key with an empty kid")]
    EmptyKid,
    /// Two keys of one id.
    #[error("holds two keys with the same kid")]
    RepeatedKid,
    /// A key that is not base64url.
    #[error("holds a key that is not base64url")]
    NotBase64Url,
    /// A key of fewer than 32 bytes.
    #[error("holds a key shorter than {MIN_KEY_BYTES} bytes")]
    TooShort,
    /// No active key, or several.
    #[error("must hold exactly one active key")]
    NotOneActive,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_all_of_a_ring_but_its_keys() {
        let ring = RingDocument::from_json(&json!({ "key": "A".repeat(64) }).to_string());
        let ring = format!("{:?}", ring.unwrap());

        assert!(ring.contains("kid: \"1\""), "{ring}");
        assert!(
            ring.contains("key: KeyText(SecretBox<str>([REDACTED]))"),
            "{ring}"
        );
        assert!(!ring.contains("AAAA"), "{ring}");
    }
}
