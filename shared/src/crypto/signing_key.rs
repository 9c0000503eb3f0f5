//! The keys of each algorithm: generated, signing, and their public parts.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair, RsaPublicKeyComponents,
};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use secrecy::SecretSlice;

use crate::domain::SigningAlgorithm;
use crate::ports::{Entropy, EntropyError, random};

/// The shortest HMAC-SHA-256 key, in bytes (RFC 7518 section 3.2).
pub(super) const MIN_KEY_BYTES: usize = 32;

/// A key that is ready to sign.
///
/// Not `jsonwebtoken`'s: that parses an RSA key anew for each signature, which takes as long as the
/// signature itself.
pub(super) enum SigningKey {
    Hs256(Box<hmac::Key>),
    Rs256(Box<RsaKeyPair>),
    Es256(Box<EcdsaKeyPair>),
    EdDsa(Box<Ed25519KeyPair>),
}

impl SigningKey {
    /// Parses the bytes of a secret key, or PKCS #8.
    pub(super) fn parse(algorithm: SigningAlgorithm, key: &[u8]) -> Result<Self, KeyRejected> {
        Ok(match algorithm {
            SigningAlgorithm::Hs256 => Self::Hs256(hmac::Key::new(hmac::HMAC_SHA256, key).into()),
            SigningAlgorithm::Rs256 => Self::Rs256(RsaKeyPair::from_pkcs8(key)?.into()),
            SigningAlgorithm::Es256 => {
                Self::Es256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key)?.into())
            }
            SigningAlgorithm::EdDsa => Self::EdDsa(Ed25519KeyPair::from_pkcs8(key)?.into()),
        })
    }

    /// The signature as it stands in a token (RFC 7518 section 3, RFC 8037 section 3.1).
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        Ok(match self {
            Self::Hs256(key) => hmac::sign(key, message).as_ref().to_vec(),
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                let random = SystemRandom::new();
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                signature
            }
            Self::Es256(key) => key.sign(&SystemRandom::new(), message)?.as_ref().to_vec(),
            Self::EdDsa(key) => key.sign(message).as_ref().to_vec(),
        })
    }
}

/// A new key.
pub(super) struct NewKey {
    /// What [`SigningKey::parse`] takes.
    pub(super) key: SecretSlice<u8>,
    /// Its public part (RFC 7517); `None` for a symmetric key.
    pub(super) public: Option<Jwk>,
}

impl NewKey {
    pub(super) fn generate(
        algorithm: SigningAlgorithm,
        kid: &str,
        entropy: &dyn Entropy,
    ) -> Result<Self, NotGenerated> {
        let (key, public, name) = match algorithm {
            SigningAlgorithm::Hs256 => {
                let key = random::<MIN_KEY_BYTES>(entropy)?.to_vec().into();
                return Ok(Self { key, public: None });
            }
            SigningAlgorithm::Rs256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
                let public: RsaPublicKeyComponents<Vec<u8>> = pair.public_key().into();
                let public = DecodingKey::from_rsa_raw_components(&public.n, &public.e);
                (pair.as_der()?.as_ref().to_vec(), public, Algorithm::RS256)
            }
            SigningAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
                let public = DecodingKey::from_ec_der(pair.public_key().as_ref());
                let key = pair.to_pkcs8v1()?.as_ref().to_vec();
                (key, public, Algorithm::ES256)
            }
            SigningAlgorithm::EdDsa => {
                let pair = Ed25519KeyPair::generate()?;
                let public = DecodingKey::from_ed_der(pair.public_key().as_ref());
                let key = pair.to_pkcs8v1()?.as_ref().to_vec();
                (key, public, Algorithm::EdDSA)
            }
        };
        let mut public = Jwk::from_decoding_key(&public, Some(name))?;
        public.common.key_id = Some(kid.to_owned());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self {
            key: key.into(),
            public: Some(public),
        })
    }
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum NotGenerated {
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    #[error("no key could be generated")]
    Key(#[from] Unspecified),
    #[error("the public part of a key cannot be written: {0}")]
    Public(#[from] jsonwebtoken::errors::Error),
}
