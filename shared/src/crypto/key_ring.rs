//! The keys that sign and verify tokens.

use std::fmt;
use std::sync::OnceLock;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::verify;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey};
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
const REFRESH: &[u8] = b"latchkey refresh\0";

pub(super) struct Key {
    pub(super) kid: String,
    state: KeyState,
    until: Option<Timestamp>,
    pub(super) algorithm: SigningAlgorithm,
    /// The `iss` of its tokens; `None` for the issuer of the configuration.
    pub(super) issuer: Option<String>,
    /// `None` if the key is revoked.
    material: Option<Material>,
}

struct Material {
    decoding: DecodingKey,
    public: Option<Jwk>,
    secret: SecretSlice<u8>,
    /// Parsed from `secret` for the first signature, because few functions sign.
    signing: OnceLock<Option<SigningKey>>,
}

/// What others need to know to find the keys of tokens.
#[derive(Debug, PartialEq, Eq)]
pub struct Published<'k> {
    /// `None` for the issuer of the configuration.
    pub issuer: Option<&'k str>,
    /// Each once.
    pub algorithms: Vec<SigningAlgorithm>,
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
        self.start_of_mac(DRAW, identifier)
    }

    /// Stands for an identifier in the log: 16 hex characters, which nobody can compute or invert
    /// without the ring. `None` if the ring has no decoy key.
    #[must_use]
    pub fn pseudonym(&self, identifier: &str) -> Option<String> {
        let start = self.start_of_mac(PSEUDONYM, identifier)?;
        Some(format!("{start:016x}"))
    }

    /// The tag of a cursor: 16 hex characters. `None` if the ring has no decoy key.
    #[must_use]
    pub fn cursor_tag(&self, cursor: &str) -> Option<String> {
        let start = self.start_of_mac(CURSOR, cursor)?;
        Some(format!("{start:016x}"))
    }

    /// Whether the ring has the decoy key, which refresh tokens need.
    #[must_use]
    pub fn issues_refresh_tokens(&self) -> bool {
        self.decoy_key.is_some()
    }

    /// The tag of a refresh token: 256 bits in base64url. `None` if the ring has no decoy key.
    pub(super) fn refresh_tag(&self, message: &str) -> Option<String> {
        let tag = self.mac(REFRESH, message)?;
        Some(URL_SAFE_NO_PAD.encode(tag))
    }

    /// Whether this is the tag of the message. Compares in constant time.
    pub(super) fn is_refresh_tag(&self, message: &str, tag: &str) -> bool {
        let key = self.decoy_key.as_ref();
        let tag = URL_SAFE_NO_PAD.decode(tag);
        key.zip(tag.ok()).is_some_and(|(key, tag)| {
            let message = [REFRESH, message.as_bytes()].concat();
            hmac::verify(key, &message, &tag).is_ok()
        })
    }

    fn start_of_mac(&self, label: &[u8], text: &str) -> Option<u64> {
        let tag = self.mac(label, text)?;
        tag.as_ref().first_chunk().copied().map(u64::from_be_bytes)
    }

    fn mac(&self, label: &[u8], text: &str) -> Option<hmac::Tag> {
        let mut context = hmac::Context::with_key(self.decoy_key.as_ref()?);
        context.update(label);
        context.update(text.as_bytes());
        Some(context.sign())
    }

    /// Whether the keys that sign now or next make signatures that verify.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let signs = |key: &&Key| [KeyState::Pending, KeyState::Active].contains(&key.state);
        self.keys.iter().filter(signs).all(Key::is_sound)
    }

    /// The public parts of the keys that verify at `now`, pending ones included.
    #[must_use]
    pub fn public_keys(&self, now: Timestamp) -> Vec<&Jwk> {
        let keys = self.keys.iter();
        keys.filter_map(|key| key.public(now)).collect()
    }

    /// Which issuer and algorithms tokens have that others can verify. The issuer is that of the active key, or else
    /// of the newest. `None` if there are no public keys.
    #[must_use]
    pub fn published(&self, now: Timestamp) -> Option<Published<'_>> {
        let is_public = |key: &&Key| key.public(now).is_some();
        let active = self.signing().filter(is_public);
        let key = active.or_else(|| self.keys.iter().rfind(is_public))?;
        let mut algorithms: Vec<_> = Vec::new();
        for one in self.keys.iter().filter(is_public) {
            if !algorithms.contains(&one.algorithm) {
                algorithms.push(one.algorithm);
            }
        }
        Some(Published {
            issuer: key.issuer.as_deref(),
            algorithms,
        })
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
        let decoy_key = decoy_key.map(|key| hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret()));
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
        let materials = keys.iter().filter_map(|key| key.material.as_ref());
        if materials.filter(|one| one.public.is_some()).count() > MAX_PUBLIC_KEYS {
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
    /// The key with which tokens are verified at `now`; `None` if they are not accepted.
    pub(super) fn decoding(&self, now: Timestamp) -> Option<&DecodingKey> {
        Some(&self.verifying(now)?.decoding)
    }

    fn public(&self, now: Timestamp) -> Option<&Jwk> {
        self.verifying(now)?.public.as_ref()
    }

    fn verifying(&self, now: Timestamp) -> Option<&Material> {
        let is_accepted = match self.state {
            KeyState::Pending | KeyState::Active => true,
            KeyState::Retired => self.until.is_none_or(|until| now < until),
            KeyState::Revoked => false,
        };
        self.material.as_ref().filter(|_| is_accepted)
    }

    fn is_sound(&self) -> bool {
        let message = b"signed to be verified";
        let Some((material, signature)) = self.material.as_ref().zip(self.sign(message)) else {
            return false;
        };
        let signature = URL_SAFE_NO_PAD.encode(signature);
        let algorithm = library_name(self.algorithm);
        verify(&signature, message, &material.decoding, algorithm).unwrap_or(false)
    }

    /// `None` if the key cannot sign.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let material = self.material.as_ref()?;
        let parse = || SigningKey::parse(self.algorithm, material.secret.expose_secret()).ok();
        let key = material.signing.get_or_init(parse).as_ref()?;
        key.sign(message).ok()
    }

    fn parse(document: KeyDocument) -> Result<Self, InvalidKeyRing> {
        if document.kid.is_empty() {
            return Err(InvalidKeyRing::EmptyKid);
        }
        let material = if document.state == KeyState::Revoked {
            None
        } else {
            Some(Material::parse(&document)?)
        };
        Ok(Self {
            kid: document.kid,
            state: document.state,
            until: document.until.map(Timestamp::from_secs),
            algorithm: document.alg,
            issuer: document.iss,
            material,
        })
    }
}

impl Material {
    fn parse(document: &KeyDocument) -> Result<Self, InvalidKeyRing> {
        let secret = document.key.as_ref().ok_or(InvalidKeyRing::NoKey)?;
        let secret = secret.bytes()?;
        let (decoding, public) = if document.alg.is_asymmetric() {
            let public = document.public.clone();
            let public =
                public.filter(|public| is_public_part(public, document.alg, &document.kid));
            let public = public.ok_or(InvalidKeyRing::NoPublicPart)?;
            let decoding = DecodingKey::from_jwk(&public);
            let decoding = decoding.map_err(|_| InvalidKeyRing::NoPublicPart)?;
            (decoding, Some(public))
        } else {
            // A symmetric key has no public part, whatever the ring says.
            (DecodingKey::from_secret(secret.expose_secret()), None)
        };
        Ok(Self {
            decoding,
            public,
            secret,
            signing: OnceLock::new(),
        })
    }
}

/// The algorithm as `jsonwebtoken` names it.
pub(super) fn library_name(algorithm: SigningAlgorithm) -> Algorithm {
    match algorithm {
        SigningAlgorithm::Hs256 => Algorithm::HS256,
        SigningAlgorithm::Rs256 => Algorithm::RS256,
        SigningAlgorithm::Es256 => Algorithm::ES256,
        SigningAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

/// Whether it is the public part of a key of this algorithm and `kid`.
fn is_public_part(public: &Jwk, algorithm: SigningAlgorithm, kid: &str) -> bool {
    let has_type = match (algorithm, &public.algorithm) {
        (SigningAlgorithm::Rs256, AlgorithmParameters::RSA(_)) => true,
        (SigningAlgorithm::Es256, AlgorithmParameters::EllipticCurve(key)) => {
            key.curve == EllipticCurve::P256
        }
        (SigningAlgorithm::EdDsa, AlgorithmParameters::OctetKeyPair(key)) => {
            key.curve == EllipticCurve::Ed25519
        }
        _ => false,
    };
    let alg = public.common.key_algorithm.map(|alg| alg.to_string());
    has_type
        && alg.as_deref() == Some(algorithm.name())
        && public.common.key_id.as_deref() == Some(kid)
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
        ring.find(kid)
            .is_some_and(|key| key.decoding(NOW).is_some())
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

    #[test]
    fn only_a_public_part_of_the_key_s_own_kind_is_published() {
        let rsa =
            serde_json::json!({"kty": "RSA", "alg": "RS256", "kid": "a", "n": "AQAB", "e": "AQAB"});
        let ed = serde_json::json!({
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "a",
            "x": "kaO4EVVREsifhZmSkAcgVByyEVIYg6QonHSj7XDcSjw"
        });
        let ring = |alg: &str, public: &serde_json::Value| {
            let key = URL_SAFE_NO_PAD.encode([7; 48]);
            let json = serde_json::json!({"keys": [
                {"kid": "a", "state": "active", "alg": alg, "key": key, "public": public},
            ]});
            KeyRing::from_json(&json.to_string())
        };
        let with = |name: &str, value: &str| {
            let mut changed = ed.clone();
            changed[name] = value.into();
            changed
        };

        assert!(ring("RS256", &rsa).is_ok());
        let good = ring("EdDSA", &with("d", "c2VjcmV0")).unwrap();
        let published = serde_json::to_string(&good.public_keys(NOW)).unwrap();
        assert!(!published.contains("c2VjcmV0"), "{published}");
        assert!(!good.is_sound(), "the bytes are no private key");
        assert!(ring("HS256", &ed).unwrap().public_keys(NOW).is_empty());
        let secret = serde_json::json!({"kty": "oct", "alg": "EdDSA", "kid": "a", "k": "AAAA"});
        for wrong in [
            secret,
            with("kid", "b"),
            with("alg", "RS256"),
            with("crv", "P-256"),
            rsa.clone(),
            serde_json::Value::Null,
        ] {
            let error = ring("EdDSA", &wrong).unwrap_err();
            assert_eq!(error, InvalidKeyRing::NoPublicPart, "{wrong}");
        }
    }
}
