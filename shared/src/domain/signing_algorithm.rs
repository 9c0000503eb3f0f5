//! What signs tokens.

use serde::{Deserialize, Serialize};

/// `JWT_ALGORITHM`, the `alg` of keys and tokens (RFC 7518 section 3.1, RFC 8037 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    /// HMAC with SHA-256: only Latchkey can verify.
    #[default]
    #[serde(rename = "HS256")]
    Hs256,
    /// RSA with PKCS #1 v1.5 and SHA-256, with keys of 2048 bits.
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA with P-256 and SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl SigningAlgorithm {
    const ALL: [Self; 4] = [Self::Hs256, Self::Rs256, Self::Es256, Self::EdDsa];

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == text)
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Whether its keys have a public part, with which others verify tokens.
    #[must_use]
    pub fn is_asymmetric(self) -> bool {
        self != Self::Hs256
    }
}
