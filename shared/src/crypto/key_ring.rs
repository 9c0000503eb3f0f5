//! The keys that sign and verify tokens.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::Deserialize;

/// HMAC keys by `kid`, exactly one of which signs.
///
/// Written as JSON, in a file or a variable:
///
/// ```json
/// {"keys": [{"kid": "2024-01", "state": "active", "key": "<at least 32 bytes, base64url>"}]}
/// ```
#[derive(Debug)]
pub struct KeyRing {
    keys: Vec<Key>,
    signing: usize,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Verifies; will sign once every instance knows it.
    Pending,
    /// Signs and verifies. A ring has exactly one.
    Active,
    /// Verifies what it once signed.
    Retired,
    /// Neither: every token of this key is dead.
    Revoked,
}

pub(super) struct Key {
    pub(super) kid: String,
    state: KeyState,
    pub(super) encoding: EncodingKey,
    pub(super) decoding: DecodingKey,
}

/// The shortest HMAC-SHA-256 key, in bytes (RFC 7518 section 3.2).
const MIN_KEY_BYTES: usize = 32;

#[derive(Deserialize)]
struct RingDocument {
    keys: Vec<KeyDocument>,
}

#[derive(Deserialize)]
struct KeyDocument {
    kid: String,
    state: KeyState,
    key: String,
}

impl KeyRing {
    /// Parses a ring's JSON. Errors never hold a part of it.
    pub fn from_json(json: &str) -> Result<Self, InvalidKeyRing> {
        let document: RingDocument =
            serde_json::from_str(json).map_err(|error| InvalidKeyRing::Json {
                line: error.line(),
                column: error.column(),
            })?;
        let keys = document
            .keys
            .into_iter()
            .map(Key::parse)
            .collect::<Result<Vec<_>, _>>()?;
        let mut kids: Vec<&str> = keys.iter().map(|key| key.kid.as_str()).collect();
        kids.sort_unstable();
        if kids.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(InvalidKeyRing::RepeatedKid);
        }
        let is_active = |key: &Key| key.state == KeyState::Active;
        match keys.iter().position(is_active) {
            Some(signing) if keys.iter().filter(|key| is_active(key)).count() == 1 => {
                Ok(Self { keys, signing })
            }
            _ => Err(InvalidKeyRing::NotOneActive),
        }
    }

    /// The key that signs.
    pub(super) fn signing(&self) -> Option<&Key> {
        self.keys.get(self.signing)
    }

    /// The key of this id, where it may verify.
    pub(super) fn verifying(&self, kid: &str) -> Option<&Key> {
        let key = self.keys.iter().find(|key| key.kid == kid)?;
        match key.state {
            KeyState::Pending | KeyState::Active | KeyState::Retired => Some(key),
            KeyState::Revoked => None,
        }
    }
}

impl Key {
    fn parse(document: KeyDocument) -> Result<Self, InvalidKeyRing> {
        if document.kid.is_empty() {
            return Err(InvalidKeyRing::EmptyKid);
        }
        let secret = URL_SAFE_NO_PAD
            .decode(document.key.trim_end_matches('='))
            .map_err(|_| InvalidKeyRing::NotBase64Url)?;
        if secret.len() < MIN_KEY_BYTES {
            return Err(InvalidKeyRing::TooShort);
        }
        Ok(Self {
            kid: document.kid,
            state: document.state,
            encoding: EncodingKey::from_secret(&secret),
            decoding: DecodingKey::from_secret(&secret),
        })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("kid", &self.kid)
            .field("state", &self.state)
            .finish_non_exhaustive()
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

    fn ring(keys: &[(&str, &str, usize)]) -> Result<KeyRing, InvalidKeyRing> {
        let keys: Vec<_> = keys
            .iter()
            .map(|(kid, state, bytes)| {
                let key = URL_SAFE_NO_PAD.encode(vec![7; *bytes]);
                serde_json::json!({"kid": kid, "state": state, "key": key})
            })
            .collect();
        KeyRing::from_json(&serde_json::json!({ "keys": keys }).to_string())
    }

    fn error(keys: &[(&str, &str, usize)]) -> InvalidKeyRing {
        ring(keys).unwrap_err()
    }

    #[test]
    fn keys_verify_by_their_state() {
        let ring = ring(&[
            ("next", "pending", 32),
            ("now", "active", 32),
            ("old", "retired", 32),
            ("stolen", "revoked", 32),
        ])
        .unwrap();

        assert_eq!(ring.signing().unwrap().kid, "now");
        for kid in ["next", "now", "old"] {
            assert!(ring.verifying(kid).is_some(), "{kid}");
        }
        for kid in ["stolen", "unknown", ""] {
            assert!(ring.verifying(kid).is_none(), "{kid}");
        }
    }

    #[test]
    fn a_weak_or_ambiguous_ring_is_refused() {
        assert_eq!(error(&[("a", "active", 31)]), InvalidKeyRing::TooShort);
        assert_eq!(error(&[]), InvalidKeyRing::NotOneActive);
        assert_eq!(error(&[("a", "retired", 32)]), InvalidKeyRing::NotOneActive);
        assert_eq!(error(&[("", "active", 32)]), InvalidKeyRing::EmptyKid);
        assert_eq!(
            error(&[("a", "active", 32), ("b", "active", 32)]),
            InvalidKeyRing::NotOneActive
        );
        assert_eq!(
            error(&[
                ("a", "active", 32),
                ("b", "retired", 32),
                ("a", "retired", 32)
            ]),
            InvalidKeyRing::RepeatedKid
        );
    }

    #[test]
    fn neither_an_error_nor_debug_output_shows_a_key() {
        let secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";
        let good = format!(r#"{{"keys":[{{"kid":"a","state":"active","key":"{secret}"}}]}}"#);
        let bad = format!(r#"{{"keys":[{{"kid":"a","state":"{secret}","key":"{secret}"}}]}}"#);

        let ring = format!("{:?}", KeyRing::from_json(&good).unwrap());
        let error = KeyRing::from_json(&bad).unwrap_err();

        assert!(!ring.contains(secret), "{ring}");
        assert!(!format!("{error:?} {error}").contains(secret), "{error}");
    }
}
