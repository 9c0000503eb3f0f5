//! Argon2id hashes (RFC 9106) as PHC strings.

use argon2::password_hash::phc::{Ident, Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::{Algorithm, Params, Version};
use secrecy::{ExposeSecret, SecretString};

use crate::ports::EntropyError;

#[derive(Debug, Clone)]
pub struct PasswordHash(SecretString);

impl PasswordHash {
    pub fn parse(phc: &str) -> Result<Self, HashError> {
        let hash = Self(phc.into());
        hash.parts()?;
        Ok(hash)
    }

    /// The PHC string. Only the store may use it.
    #[must_use]
    pub fn as_phc(&self) -> &str {
        self.0.expose_secret()
    }

    pub(super) fn new(params: &Params, salt: &[u8], output: &[u8]) -> Result<Self, HashError> {
        let failed = |_| HashError::Failed;
        let mut phc_params = ParamsString::new();
        for (name, value) in [
            ("m", params.m_cost()),
            ("t", params.t_cost()),
            ("p", params.p_cost()),
        ] {
            let name = Ident::new(name).map_err(failed)?;
            phc_params.add_decimal(name, value).map_err(failed)?;
        }
        let phc = Phc {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: phc_params,
            salt: Some(Salt::new(salt).map_err(failed)?),
            hash: Some(Output::new(output).map_err(failed)?),
        };
        Ok(Self(phc.to_string().into()))
    }

    pub(super) fn parts(&self) -> Result<Parts, HashError> {
        let phc = Phc::new(self.as_phc()).map_err(|_| HashError::Unreadable)?;
        let is_argon2id = phc.algorithm == Algorithm::Argon2id.ident()
            && phc.version == Some(Version::V0x13.into());
        if !is_argon2id {
            return Err(HashError::Unreadable);
        }
        Ok(Parts {
            params: Params::try_from(&phc).map_err(|_| HashError::Unreadable)?,
            salt: phc.salt.ok_or(HashError::Unreadable)?,
            output: phc.hash.ok_or(HashError::Unreadable)?,
        })
    }
}

/// The decoded parts of a PHC string.
pub(super) struct Parts {
    pub(super) params: Params,
    pub(super) salt: Salt,
    pub(super) output: Output,
}

/// Why hashing or verifying failed. No variant says whether a password was right.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// A stored hash is not an Argon2id PHC string.
    #[error("a stored password hash is unreadable")]
    Unreadable,
    #[error("a password could not be hashed")]
    Failed,
    /// There were no random bytes for the salt.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_not_an_argon2id_hash_is_unreadable() {
        for phc in [
            "",
            "abc321",
            "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2id$v=16$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$aGFzaGhhc2hoYXNoaGFzaA",
            "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA",
        ] {
            assert!(PasswordHash::parse(phc).is_err(), "{phc}");
        }
    }

    #[test]
    fn debug_output_never_shows_a_hash() {
        let params = Params::new(8, 1, 1, None).unwrap();
        let hash = PasswordHash::new(&params, &[7; 16], &[7; 32]).unwrap();

        assert_eq!(
            format!("{hash:?}"),
            "PasswordHash(SecretBox<str>([REDACTED]))"
        );
    }
}
