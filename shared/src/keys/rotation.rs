//! Changing the ring that is kept in a secret.
//!
//! A rotation is Secrets Manager's: it names a new version and asks for it to be made, tested and
//! put to use, each step as often as it takes. A revocation is an operator's, at once. A version
//! says which it was made from, and takes its place or none.

use std::time::Duration;

use super::secret::{Addition, PENDING, SecretRing, Version};
use super::{Keys, KeysError, SecretError};
use crate::crypto::ids::random_id;
use crate::crypto::{InvalidKeyRing, KeyRing, NotRotated, RingDocument};
use crate::domain::Timestamp;
use crate::ports::{Entropy, EntropyError};

/// What a secret holds.
const MAX_SECRET_BYTES: usize = 65_536;

/// The stage of a version that revokes a key, until it is the one in use.
const REVOKING: &str = "REVOKING";

/// The rotation of one ring at one moment.
pub struct Rotation<'a> {
    secret: &'a SecretRing,
    now: Timestamp,
    longest_life: Duration,
    entropy: &'a dyn Entropy,
}

impl<'a> Rotation<'a> {
    /// A rotation of the ring of `keys` at `now`, where no token lives longer than `longest_life`.
    pub fn new(
        keys: &'a Keys,
        now: Timestamp,
        longest_life: Duration,
        entropy: &'a dyn Entropy,
    ) -> Result<Self, RotationError> {
        Ok(Self {
            secret: keys.secret().ok_or(RotationError::NotASecret)?,
            now,
            longest_life,
            entropy,
        })
    }

    /// Makes the version `id`: the ring that follows the current one.
    pub async fn create(&self, id: &str) -> Result<(), RotationError> {
        let current = self.secret.current().await?;
        if current.id == id {
            return Ok(());
        }
        if let Some(pending) = self.secret.pending(id).await? {
            return check(self.secret, &pending, &current).await;
        }
        let from = current.ring.clone();
        let ring = from.rotated(&current.id, self.now, self.longest_life, self.entropy)?;
        add(self.secret, id, PENDING, &ring).await
    }

    /// Checks that the version `id` can become the current one.
    pub async fn test(&self, id: &str) -> Result<(), RotationError> {
        self.checked(id, &self.secret.current().await?).await
    }

    /// Makes the version `id` the current one.
    pub async fn finish(&self, id: &str) -> Result<(), RotationError> {
        let current = self.secret.current().await?;
        self.checked(id, &current).await?;
        if current.id != id {
            // Fails if another version has become current since the check.
            self.secret.promote(id, &current).await?;
            tracing::info!(version = id, "keys rotated");
        }
        Ok(())
    }

    /// Revokes the key `kid`, and with it every token it signed, and returns the new ring. Each
    /// instance follows when it next reads the ring.
    pub async fn revoke(&self, kid: &str) -> Result<RingDocument, RotationError> {
        let current = self.secret.current().await?;
        let from = current.ring.clone();
        let ring = from.without(kid, &current.id, self.now, self.longest_life, self.entropy)?;
        let id = random_id(self.entropy)?;
        add(self.secret, &id, REVOKING, &ring).await?;
        self.secret.promote(&id, &current).await?;
        tracing::info!(kid, "key revoked");
        Ok(ring)
    }

    /// The current ring.
    pub async fn ring(&self) -> Result<RingDocument, RotationError> {
        Ok(self.secret.current().await?.ring)
    }

    async fn checked(&self, id: &str, current: &Version) -> Result<(), RotationError> {
        if current.id == id {
            return Ok(());
        }
        let pending = self.secret.pending(id).await?;
        check(
            self.secret,
            &pending.ok_or(RotationError::NotMade)?,
            current,
        )
        .await
    }
}

/// Adds a version that functions can use, or none.
async fn add(
    secret: &SecretRing,
    id: &str,
    stage: &str,
    ring: &RingDocument,
) -> Result<(), RotationError> {
    KeyRing::try_from(ring.clone())?;
    let json = ring.to_json();
    if json.len() > MAX_SECRET_BYTES {
        return Err(RotationError::Full);
    }
    match secret.add(id, stage, json).await? {
        Addition::Done => Ok(()),
        Addition::OtherContent => Err(RotationError::Overtaken),
    }
}

/// A version is good that functions can use, and that was made from the one in use. One that never
/// can be gives up its stage, or Secrets Manager would try to finish that rotation for ever.
async fn check(
    secret: &SecretRing,
    version: &Version,
    current: &Version,
) -> Result<(), RotationError> {
    let is_next = version.ring.after() == Some(current.id.as_str());
    if is_next && KeyRing::try_from(version.ring.clone()).is_ok() {
        return Ok(());
    }
    secret.settle(&version.id).await?;
    Err(RotationError::Overtaken)
}

/// Why the ring stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// The ring is kept in a file.
    #[error("the key ring is not in Secrets Manager: change its file")]
    NotASecret,
    /// Nothing was made to be put to use.
    #[error("there is no such version")]
    NotMade,
    /// Another version is in use than the one this was made from.
    #[error("the ring has changed since this version was made: rotate again")]
    Overtaken,
    /// There are more keys than a secret holds: they are kept for as long as tokens live.
    #[error("the ring is too large: rotate less often, or let tokens live shorter")]
    Full,
    /// The ring does not turn now.
    #[error(transparent)]
    NotRotated(#[from] NotRotated),
    /// The ring cannot be had.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Secrets Manager did not do it.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// What was made is no ring.
    #[error("the new key ring {0}")]
    Invalid(#[from] InvalidKeyRing),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}
