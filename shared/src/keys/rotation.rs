//! Rotates and replaces the keys of a ring in Secrets Manager.
//!
//! Secrets Manager runs a rotation: it names a new version and calls `create`, `test` and `finish`,
//! and may repeat each call. An operator replaces all keys in one call. A version names the version it
//! was made from, and can replace only that one.

use super::secret::{AddOutcome, PENDING, SecretRing, Version};
use super::{Keys, KeysError, SecretError};
use crate::config::Config;
use crate::crypto::ids::random_id;
use crate::crypto::{InvalidKeyRing, KeyPlan, KeyRing, NotGenerated, NotRotated, RingDocument};
use crate::domain::Timestamp;
use crate::ports::{Entropy, EntropyError};

/// The most that Secrets Manager stores in a secret.
const MAX_SECRET_BYTES: usize = 65_536;

/// The stage of a version that replaces all keys, until it becomes current.
const REPLACING: &str = "REPLACING";

/// What new keys are for.
#[must_use]
pub fn key_plan(config: &Config) -> KeyPlan {
    KeyPlan {
        algorithm: config.algorithm,
        issuer: config.issuer.clone(),
        longest_life: config.longest_token_life(),
    }
}

pub struct Rotation<'a> {
    secret: &'a SecretRing,
    now: Timestamp,
    plan: KeyPlan,
    entropy: &'a dyn Entropy,
}

impl<'a> Rotation<'a> {
    pub fn new(
        keys: &'a Keys,
        now: Timestamp,
        plan: KeyPlan,
        entropy: &'a dyn Entropy,
    ) -> Result<Self, RotationError> {
        Ok(Self {
            secret: keys.secret().ok_or(RotationError::NotASecret)?,
            now,
            plan,
            entropy,
        })
    }

    /// Creates version `id` by rotating the current ring. If it exists, only checks it.
    pub async fn create(&self, id: &str) -> Result<(), RotationError> {
        let current = self.secret.current().await?;
        if current.id == id {
            return Ok(());
        }
        if let Some(pending) = self.secret.pending(id).await? {
            return self.check(&pending, &current).await;
        }
        let from = current.ring.clone();
        let ring = from.rotated(&current.id, self.now, &self.plan, self.entropy)?;
        self.add(id, PENDING, &ring).await
    }

    /// Checks that version `id` is current or can become so.
    pub async fn test(&self, id: &str) -> Result<(), RotationError> {
        self.checked(id, &self.secret.current().await?).await
    }

    /// Makes version `id` current.
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

    /// Replaces all keys, which revokes every token. Returns the new ring, which each instance uses
    /// after its next read.
    pub async fn replace(&self) -> Result<RingDocument, RotationError> {
        let current = self.secret.current().await?;
        let from = current.ring.clone();
        let ring = from.replaced(&current.id, self.now, &self.plan, self.entropy)?;
        let id = random_id(self.entropy)?;
        self.add(&id, REPLACING, &ring).await?;
        self.secret.promote(&id, &current).await?;
        tracing::info!(version = id, "keys replaced");
        Ok(ring)
    }

    pub async fn ring(&self) -> Result<RingDocument, RotationError> {
        Ok(self.secret.current().await?.ring)
    }

    async fn checked(&self, id: &str, current: &Version) -> Result<(), RotationError> {
        if current.id == id {
            return Ok(());
        }
        let pending = self.secret.pending(id).await?;
        self.check(&pending.ok_or(RotationError::NotMade)?, current)
            .await
    }

    /// Adds a version, if functions can use its ring.
    async fn add(&self, id: &str, stage: &str, ring: &RingDocument) -> Result<(), RotationError> {
        if !KeyRing::try_from(ring.clone())?.is_sound() {
            return Err(RotationError::Unsound);
        }
        let json = ring.to_json();
        if json.len() > MAX_SECRET_BYTES {
            return Err(RotationError::Full);
        }
        match self.secret.add(id, stage, json).await? {
            AddOutcome::Added => Ok(()),
            AddOutcome::OtherContent => Err(RotationError::Overtaken),
        }
    }

    /// Checks that `version` is a valid ring made from `current`. If it is not, removes its stage, so
    /// that Secrets Manager does not retry this rotation forever.
    async fn check(&self, version: &Version, current: &Version) -> Result<(), RotationError> {
        let is_next = version.ring.after() == Some(current.id.as_str());
        if is_next && KeyRing::try_from(version.ring.clone()).is_ok() {
            return Ok(());
        }
        self.secret.clear_pending(&version.id).await?;
        Err(RotationError::Overtaken)
    }
}

/// Why the ring was not changed.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// The ring is in a file.
    #[error("the key ring is not in Secrets Manager: change its file")]
    NotASecret,
    /// `create` has not made this version.
    #[error("there is no such version")]
    NotMade,
    /// The current version is not the one that this version was made from.
    #[error("the ring has changed since this version was made: rotate again")]
    Overtaken,
    /// A key does not make signatures that verify.
    #[error("the new key ring has a key that cannot sign")]
    Unsound,
    /// The keys do not fit into a secret: each is kept until its tokens have expired.
    #[error("the ring is too large: rotate less often, or let tokens live shorter")]
    Full,
    #[error(transparent)]
    NotRotated(#[from] NotRotated),
    #[error(transparent)]
    NotGenerated(#[from] NotGenerated),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the new key ring {0}")]
    Invalid(#[from] InvalidKeyRing),
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}
