//! The keys that sign and verify tokens.

use std::fmt;
use std::sync::OnceLock;

use aws_lc_rs::hmac;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm};
use secrecy::{ExposeSecret, SecretSlice};

use super::ring_document::{InvalidKeyRing, KeyDocument, KeyState, MAX_PUBLIC_KEYS, RingDocument};
use super::signing_key::SigningKey;
use crate::domain::{SigningAlgorithm, Timestamp};

/// Keys by `kid`. Exactly one signs.
///
/// [`RingDocument`] describes the JSON.
#[derive(Debug)]
pub struct KeyRing {
    keys: Vec<Key>,
    signing: usize,
    rotated_at: Option<Timestamp>,
    decoy_key: Option<hmac::Key>,
}

/// The labels separate the uses of the decoy key.
const DRAW: &[u8] = b"latchkey decoy cost\0";
const PSEUDONYM: &[u8] = b"latchkey pseudonym\0";
const CURSOR: &[u8] = b"latchkey cursor\0";

pub(super) struct Key {
    pub(super) kid: String,
    state: KeyState,
    until: Option<Timestamp>,
    pub(super) algorithm: SigningAlgorithm,
    /// The `iss` of its tokens; `None` for the issuer of the configuration.
    pub(super) issuer: Option<String>,
    pub(super) decoding: DecodingKey,
    public: Option<Jwk>,
    secret: SecretSlice<u8>,
    /// Parsed from `secret` for the first signature, because few functions sign.
    signing: OnceLock<Option<SigningKey>>,
}

impl KeyRing {
    /// Errors contain no part of `json`.
    pub fn from_json(json: &str) -> Result<Self, InvalidKeyRing> {
        RingDocument::from_json(json)?.try_into()
    }

    /// When the ring was last rotated or replaced, which publishes a key. `None` if it never was.
    #[must_use]
    pub fn rotated_at(&self) -> Option<Timestamp> {
        self.rotated_at
    }

    /// A number for this identifier, evenly distributed over `u64`, that cannot be computed without
    /// the ring. It decides what the decoy hash costs ([`super::Hasher::verify`]), so it is the same
    /// on every instance and after every rotation. `None` if the ring has no decoy key.
    #[must_use]
    pub fn draw(&self, identifier: &str) -> Option<u64> {
        self.start_of_mac(DRAW, identifier).map(u64::from_be_bytes)
    }

    /// Stands for an identifier in the log: 16 hex characters, which nobody can compute or invert
    /// without the ring. `None` if the ring has no decoy key.
    #[must_use]
    pub fn pseudonym(&self, identifier: &str) -> Option<String> {
        let mac = self.start_of_mac(PSEUDONYM, identifier)?;
        Some(format!("{:016x}", u64::from_be_bytes(mac)))
    }

    /// The tag of a cursor: 16 hex characters. `None` if the ring has no decoy key.
    #[must_use]
    pub fn cursor_tag(&self, cursor: &str) -> Option<String> {
        let mac = self.start_of_mac(CURSOR, cursor)?;
        Some(format!("{:016x}", u64::from_be_bytes(mac)))
    }

    fn start_of_mac(&self, label: &[u8], identifier: &str) -> Option<[u8; 8]> {
        let mut context = hmac::Context::with_key(self.decoy_key.as_ref()?);
        context.update(label);
        context.update(identifier.as_bytes());
        context.sign().as_ref().first_chunk().copied()
    }

    /// The public parts of the keys that verify at `now` or will.
    #[must_use]
    pub fn public_keys(&self, now: Timestamp) -> Vec<&Jwk> {
        let published = self.keys.iter().filter(|key| key.verifies(now));
        published.filter_map(|key| key.public.as_ref()).collect()
    }

    /// The algorithm of the key that signs.
    #[must_use]
    pub fn algorithm(&self) -> Option<SigningAlgorithm> {
        self.signing().map(|key| key.algorithm)
    }

    pub(super) fn signing(&self) -> Option<&Key> {
        self.keys.get(self.signing)
    }

    /// The key with this `kid`, in any state.
    pub(super) fn find(&self, kid: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.kid == kid)
    }
}

impl TryFrom<RingDocument> for KeyRing {
    type Error = InvalidKeyRing;

    fn try_from(document: RingDocument) -> Result<Self, InvalidKeyRing> {
        let published = document.keys.iter().filter_map(|key| key.since);
        let rotated_at = published.max().map(Timestamp::from_secs);
        let decoy_key = document.decoy_key.map(|key| key.bytes()).transpose()?;
        let decoy_key = decoy_key.map(|key| hmac::Key::new(hmac::HMAC_SHA256, &key));
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
        let is_public = |key: &&Key| key.public.is_some() && key.state != KeyState::Revoked;
        if keys.iter().filter(is_public).count() > MAX_PUBLIC_KEYS {
            return Err(InvalidKeyRing::TooManyPublic);
        }
        let is_active = |key: &Key| key.state == KeyState::Active;
        match keys.iter().position(is_active) {
            Some(signing) if keys.iter().filter(|key| is_active(key)).count() == 1 => Ok(Self {
                keys,
                signing,
                rotated_at,
                decoy_key,
            }),
            _ => Err(InvalidKeyRing::NotOneActive),
        }
    }
}

impl Key {
    /// Whether tokens signed with this key are accepted at `now`.
    pub(super) fn verifies(&self, now: Timestamp) -> bool {
        match self.state {
            KeyState::Pending | KeyState::Active => true,
            KeyState::Retired => self.until.is_none_or(|until| now < until),
            KeyState::Revoked => false,
        }
    }

    /// `None` if the key cannot sign.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let parse = || SigningKey::parse(self.algorithm, self.secret.expose_secret()).ok();
        let key = self.signing.get_or_init(parse).as_ref()?;
        key.sign(message).ok()
    }

    fn parse(document: KeyDocument) -> Result<Self, InvalidKeyRing> {
        if document.kid.is_empty() {
            return Err(InvalidKeyRing::EmptyKid);
        }
        let secret = document.key.bytes()?;
        let decoding = if document.alg.is_asymmetric() {
            let public = document.public.as_ref();
            verifier(document.alg, public).ok_or(InvalidKeyRing::NoPublicPart)?
        } else {
            DecodingKey::from_secret(&secret)
        };
        Ok(Self {
            kid: document.kid,
            state: document.state,
            until: document.until.map(Timestamp::from_secs),
            algorithm: document.alg,
            issuer: document.iss,
            decoding,
            // A symmetric key has none, whatever the ring says.
            public: document.public.filter(|_| document.alg.is_asymmetric()),
            secret: secret.into(),
            signing: OnceLock::new(),
        })
    }
}

/// `None` unless the public part is one of this algorithm.
fn verifier(algorithm: SigningAlgorithm, public: Option<&Jwk>) -> Option<DecodingKey> {
    let public = public?;
    let wanted = match algorithm {
        SigningAlgorithm::Hs256 => KeyAlgorithm::HS256,
        SigningAlgorithm::Rs256 => KeyAlgorithm::RS256,
        SigningAlgorithm::Es256 => KeyAlgorithm::ES256,
        SigningAlgorithm::EdDsa => KeyAlgorithm::EdDSA,
    };
    if public.common.key_algorithm != Some(wanted) {
        return None;
    }
    DecodingKey::from_jwk(public).ok()
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("kid", &self.kid)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn verifies(ring: &KeyRing, kid: &str) -> bool {
        ring.find(kid).is_some_and(|key| key.verifies(NOW))
    }

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
            assert!(verifies(&ring, kid), "{kid}");
        }
        for kid in ["stolen", "unknown", ""] {
            assert!(!verifies(&ring, kid), "{kid}");
        }
    }

    #[test]
    fn a_retired_key_verifies_only_before_the_time_in_until() {
        let key = URL_SAFE_NO_PAD.encode([7; 32]);
        let ring = |until: i64| {
            let json = serde_json::json!({"keys": [
                {"kid": "now", "state": "active", "key": key},
                {"kid": "old", "state": "retired", "key": key, "until": until},
            ]});
            KeyRing::from_json(&json.to_string()).unwrap()
        };

        assert!(verifies(&ring(NOW.secs() + 1), "old"));
        assert!(!verifies(&ring(NOW.secs()), "old"));
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
    fn draw_and_pseudonym_are_starts_of_an_hmac_of_a_label_and_the_identifier() {
        let key = URL_SAFE_NO_PAD.encode([7; 32]);
        let ring = |decoy_key: Option<&str>| {
            let json = serde_json::json!({"key": key, "decoy_key": decoy_key});
            KeyRing::from_json(&json.to_string())
        };

        // Python: hmac.new(bytes([7]*32), label + b"\0email a@b.example", "sha256"), where label is
        // b"latchkey decoy cost" or b"latchkey pseudonym".
        let draw = ring(Some(&key)).unwrap().draw("email a@b.example");
        assert_eq!(draw, Some(0xa152_39fe_c3a6_2b77));
        let pseudonym = ring(Some(&key)).unwrap().pseudonym("email a@b.example");
        assert_eq!(pseudonym.as_deref(), Some("0f4f6ac4b0d31ae4"));
        assert_eq!(ring(None).unwrap().draw("email a@b.example"), None);
        assert_eq!(ring(None).unwrap().pseudonym("email a@b.example"), None);
        let short = URL_SAFE_NO_PAD.encode([7; 31]);
        assert_eq!(ring(Some(&short)).unwrap_err(), InvalidKeyRing::TooShort);
    }

    #[test]
    fn neither_an_error_nor_debug_output_shows_a_key() {
        let secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";
        let good = format!(r#"{{"keys":[{{"kid":"a","state":"active","key":"{secret}"}}]}}"#);
        let bad = format!(r#"{{"keys":[{{"kid":"a","state":"{secret}","key":"{secret}"}}]}}"#);

        let ring = format!("{:?}", KeyRing::from_json(&good).unwrap());
        let error = KeyRing::from_json(&bad).unwrap_err();

        assert!(ring.contains("kid: \"a\", state: Active"), "{ring}");
        assert!(!ring.contains(secret), "{ring}");
        assert!(!format!("{error:?} {error}").contains(secret), "{error}");
    }
}
