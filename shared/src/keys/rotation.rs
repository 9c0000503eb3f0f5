//! Changing the ring that is kept in a secret.
//!
//! A rotation is Secrets Manager's: it names a new version and asks for it to be made, tested and
//! put to use, each step as often as it takes. A revocation is an operator's, at once. A version
//! says which it was made from, and takes its place or none.

use super::secret::{Addition, PENDING, SecretRing, Version};
use super::{KeysError, SecretError};
use crate::app::App;
use crate::crypto::ids::random_id;
use crate::crypto::{InvalidKeyRing, KeyRing, NotRotated, RingDocument};
use crate::ports::EntropyError;

/// What a secret holds.
const MAX_SECRET_BYTES: usize = 65_536;

/// The stage of a version that revokes a key, until it is the one in use.
const REVOKING: &str = "REVOKING";

/// Makes the version `id`: the ring after the one in use.
pub async fn create(app: &App, id: &str) -> Result<(), RotationError> {
    let secret = secret(app)?;
    let current = secret.current().await?;
    if current.id == id {
        return Ok(());
    }
    if let Some(pending) = secret.pending(id).await? {
        return check(secret, &pending, &current).await;
    }
    let (now, longest_life) = (app.clock.now(), app.config.longest_token_life());
    let entropy = app.entropy.as_ref();
    let from = current.ring.clone();
    let ring = from.rotated(&current.id, now, longest_life, entropy)?;
    add(secret, id, PENDING, &ring).await
}

/// Whether the version `id` can be put to use.
pub async fn test(app: &App, id: &str) -> Result<(), RotationError> {
    let secret = secret(app)?;
    checked(secret, id, &secret.current().await?).await
}

/// Puts the version `id` to use.
pub async fn finish(app: &App, id: &str) -> Result<(), RotationError> {
    let secret = secret(app)?;
    let current = secret.current().await?;
    checked(secret, id, &current).await?;
    if current.id != id {
        // Of what was checked: another version in use by now is left alone.
        secret.promote(id, &current).await?;
        tracing::info!(version = id, "keys rotated");
    }
    Ok(())
}

async fn checked(secret: &SecretRing, id: &str, current: &Version) -> Result<(), RotationError> {
    if current.id == id {
        return Ok(());
    }
    let pending = secret.pending(id).await?;
    check(secret, &pending.ok_or(RotationError::NotMade)?, current).await
}

/// Ends the key `kid`, and every token it signed, from each instance's next look at the ring on.
/// Returns the ring.
pub async fn revoke(app: &App, kid: &str) -> Result<RingDocument, RotationError> {
    let secret = secret(app)?;
    let current = secret.current().await?;
    let (now, longest_life) = (app.clock.now(), app.config.longest_token_life());
    let entropy = app.entropy.as_ref();
    let from = current.ring.clone();
    let ring = from.without(kid, &current.id, now, longest_life, entropy)?;
    let id = random_id(entropy)?;
    add(secret, &id, REVOKING, &ring).await?;
    secret.promote(&id, &current).await?;
    tracing::info!(kid, "key revoked");
    Ok(ring)
}

/// The ring in use.
pub async fn ring(app: &App) -> Result<RingDocument, RotationError> {
    Ok(secret(app)?.current().await?.ring)
}

fn secret(app: &App) -> Result<&SecretRing, RotationError> {
    app.keys.secret().ok_or(RotationError::NotASecret)
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
