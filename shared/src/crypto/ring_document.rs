//! The stored form of the key ring.
//!
//! ```json
//! {"keys": [
//!   {"kid": "x1", "state": "retired", "alg": "HS256", "iss": "latchkey", "key": "<base64url>",
//!     "until": 1735689600},
//!   {"kid": "x2", "state": "active", "alg": "RS256", "iss": "https://id.example",
//!     "key": "<base64url of PKCS #8>", "public": {"kty": "RSA", "kid": "x2", ...}},
//!   {"kid": "x3", "state": "pending", "alg": "RS256", "iss": "https://id.example",
//!     "key": "<base64url of PKCS #8>", "public": {"kty": "RSA", "kid": "x3", ...},
//!     "since": 1733097600}
//! ], "decoy_key": "<base64url>"}
//! ```
//!
//! A token is issued and verified by what its key says. `alg` is HS256 if absent, and `iss` the configured
//! issuer until a rotation writes it down.
//!
//! Rotations keep `decoy_key`; a replacement renews it. It chooses decoys ([`super::KeyRing::draw`]) and makes
//! pseudonyms, cursors and refresh tokens.
//!
//! The first ring, which Secrets Manager generates, is `{"key": "<base64url>"}`: one active key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::signing_key::MIN_KEY_BYTES;
use crate::domain::SigningAlgorithm;
use crate::ports::{Entropy, EntropyError, random};

/// The most public keys that others are given to verify tokens with.
pub(super) const MAX_PUBLIC_KEYS: usize = 10;

/// The kid of the key that Secrets Manager generates.
const FIRST_KID: &str = "1";

#[derive(Debug, Clone, Default, Deserialize)]
pub struct RingDocument {
    #[serde(default)]
    pub(super) keys: Vec<KeyDocument>,
    /// The secret version that this ring was made from.
    #[serde(default)]
    pub(super) after: Option<String>,
    /// The longest token lifetime when this ring was made, in seconds.
    #[serde(default)]
    pub(super) life: u64,
    /// `None` until the first rotation.
    #[serde(default)]
    pub(super) decoy_key: Option<KeyText>,
    /// The only key of a ring that was never rotated.
    #[serde(default)]
    key: Option<KeyText>,
}

/// Times are in seconds since 1970.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct KeyDocument {
    pub(super) kid: String,
    pub(super) state: KeyState,
    #[serde(default)]
    pub(super) alg: SigningAlgorithm,
    #[serde(default)]
    pub(super) iss: Option<String>,
    /// Only a revoked key may lack it.
    #[serde(default)]
    pub(super) key: Option<KeyText>,
    /// The public part of an asymmetric key (RFC 7517).
    #[serde(default)]
    pub(super) public: Option<Jwk>,
    /// When a pending key was published.
    #[serde(default)]
    pub(super) since: Option<i64>,
    /// When a retired key stops verifying, or a revoked key may be removed.
    #[serde(default)]
    pub(super) until: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Verifies. A rotation makes it active once every instance has it.
    Pending,
    /// Signs and verifies. A ring has exactly one.
    Active,
    /// Verifies until the last token it signed has expired.
    Retired,
    /// Neither signs nor verifies: all its tokens are revoked.
    Revoked,
}

/// A key without its secret, for operators. Times are in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeySummary {
    pub kid: String,
    pub state: KeyState,
    pub alg: SigningAlgorithm,
    /// The `iss` of its tokens. `None` if the configuration decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// When a pending key was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// When a retired key stops verifying, or a revoked key may be removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
}

/// A key in base64url.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct KeyText(pub(super) SecretString);

impl KeyText {
    pub(super) fn of(bytes: &SecretSlice<u8>) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes.expose_secret()).into())
    }

    pub(super) fn random(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self::of(&random::<MIN_KEY_BYTES>(entropy)?.to_vec().into()))
    }

    pub(super) fn bytes(&self) -> Result<SecretSlice<u8>, InvalidKeyRing> {
        let unpadded = self.0.expose_secret().trim_end_matches('=');
        let bytes = URL_SAFE_NO_PAD.decode(unpadded);
        let bytes: SecretSlice<u8> = bytes.map_err(|_| InvalidKeyRing::NotBase64Url)?.into();
        if bytes.expose_secret().len() < MIN_KEY_BYTES {
            return Err(InvalidKeyRing::TooShort);
        }
        Ok(bytes)
    }
}

impl RingDocument {
    /// Errors contain no part of `json`.
    pub fn from_json(json: &str) -> Result<Self, InvalidKeyRing> {
        let mut ring: Self = serde_json::from_str(json).map_err(|error| InvalidKeyRing::Json {
            line: error.line(),
            column: error.column(),
        })?;
        if let Some(key) = ring.key.take() {
            ring.keys.push(KeyDocument {
                kid: FIRST_KID.to_owned(),
                state: KeyState::Active,
                alg: SigningAlgorithm::Hs256,
                iss: None,
                key: Some(key),
                public: None,
                since: None,
                until: None,
            });
        }
        Ok(ring)
    }

    /// The stored JSON, secrets included.
    #[must_use]
    pub fn to_json(&self) -> String {
        let keys: Vec<_> = self
            .keys
            .iter()
            .map(|key| {
                let mut written = Map::new();
                written.insert("kid".to_owned(), key.kid.as_str().into());
                written.insert("state".to_owned(), json!(key.state));
                written.insert("alg".to_owned(), json!(key.alg));
                let iss = key.iss.as_deref();
                written.extend(iss.map(|iss| ("iss".to_owned(), iss.into())));
                let public = key.public.as_ref();
                written.extend(public.map(|public| ("public".to_owned(), json!(public))));
                let secret = key.key.as_ref().map(|key| key.0.expose_secret());
                written.extend(secret.map(|secret| ("key".to_owned(), secret.into())));
                let times = [("since", key.since), ("until", key.until)];
                for (name, time) in times {
                    written.extend(time.map(|time| (name.to_owned(), time.into())));
                }
                Value::Object(written)
            })
            .collect();
        let decoy_key = self.decoy_key.as_ref().map(|key| key.0.expose_secret());
        json!({
            "keys": keys,
            "after": self.after,
            "life": self.life,
            "decoy_key": decoy_key,
        })
        .to_string()
    }

    #[must_use]
    pub fn summaries(&self) -> Vec<KeySummary> {
        let summary = |key: &KeyDocument| KeySummary {
            kid: key.kid.clone(),
            state: key.state,
            alg: key.alg,
            iss: key.iss.clone(),
            since: key.since,
            until: key.until,
        };
        self.keys.iter().map(summary).collect()
    }

    #[must_use]
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyRing {
    /// Not JSON of the documented shape. `line` and `column` count from 1.
    #[error("is not {{\"keys\":[{{\"kid\",\"state\",\"key\"}}]}}: line {line}, column {column}")]
    Json { line: usize, column: usize },
    #[error("holds a key with an empty kid")]
    EmptyKid,
    #[error("holds two keys with the same kid")]
    RepeatedKid,
    #[error("holds a key that is not base64url")]
    NotBase64Url,
    #[error("holds a key shorter than {MIN_KEY_BYTES} bytes")]
    TooShort,
    #[error("holds a key without its secret")]
    NoKey,
    #[error("holds an asymmetric key without the public part of its algorithm and kid")]
    NoPublicPart,
    #[error("holds more than {MAX_PUBLIC_KEYS} public keys")]
    TooManyPublic,
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
            ring.contains("key: Some(KeyText(SecretBox<str>([REDACTED])))"),
            "{ring}"
        );
        assert!(!ring.contains("AAAA"), "{ring}");
    }
}
