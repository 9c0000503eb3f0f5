//! The key ring as an instance has it: read once at a cold start and again when it has aged, so
//! that keys change without a deployment.

pub mod rotation;
mod secret;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_secretsmanager::Client;

pub use self::secret::{SecretError, SecretRing};
use crate::config::KeySource;
use crate::crypto::{InvalidKeyRing, KeyRing};
use crate::domain::Timestamp;
use crate::observe;

/// How old a ring may be before it is read again. A key is published for longer than this before
/// it signs ([`crate::crypto::PUBLICATION`]).
const MAX_AGE: Duration = Duration::from_mins(5);

/// How long to leave a ring alone after it could not be read, or was read for the sake of a key
/// that was not in it.
const PAUSE: Duration = Duration::from_mins(1);

/// The key ring, as fresh as it must be.
#[derive(Debug)]
pub struct Keys {
    source: Source,
    cache: Mutex<Cache>,
    /// Held while the ring is read, so that it is read once for all who wait for it.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
enum Source {
    Secret(SecretRing),
    File(PathBuf),
}

#[derive(Debug, Clone, Default)]
struct Cache {
    /// The ring, and since when.
    ring: Option<(Arc<KeyRing>, Timestamp)>,
    /// When it could not be read, unless it could since.
    failed_at: Option<Timestamp>,
    /// When it was last read for the sake of a key that was not in it.
    searched_at: Option<Timestamp>,
}

/// The ring cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file cannot be read.
    #[error("the key ring's file cannot be read: {0}")]
    File(#[source] std::io::Error),
    /// Secrets Manager does not give it.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// What is there is no ring.
    #[error("the key ring {0}")]
    Invalid(#[from] InvalidKeyRing),
    /// It could not be read a moment ago, and is left alone for a minute.
    #[error("the key ring could not be read less than a minute ago")]
    Paused,
}

impl Keys {
    /// The ring of this source, not read yet; `client` is asked where it is a secret.
    pub fn new(source: &KeySource, client: impl FnOnce() -> Client) -> Self {
        Self {
            source: match source {
                KeySource::Secret(id) => Source::Secret(SecretRing::new(client(), id.clone())),
                KeySource::File(path) => Source::File(path.clone()),
            },
            cache: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
        }
    }

    /// The secret, where the ring is kept in one.
    #[must_use]
    pub fn secret(&self) -> Option<&SecretRing> {
        match &self.source {
            Source::Secret(secret) => Some(secret),
            Source::File(_) => None,
        }
    }

    /// The ring, at most five minutes old. One that cannot be read again is used on; each failure
    /// is logged and counted, and it is tried again after a minute.
    pub async fn current(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeysError> {
        if let Some(ring) = self.cache().fresh(now) {
            return Ok(ring);
        }
        let _reading = self.reading.lock().await;
        let cached = self.cache().clone();
        if let Some(ring) = cached.fresh(now) {
            return Ok(ring);
        }
        match (self.read(now).await, cached.ring) {
            (Ok(ring), _) => Ok(ring),
            (Err(error), Some((ring, _))) => {
                observe::trouble("the key ring could not be read again", &error);
                Ok(ring)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// A ring that may hold a key which `seen` does not; `None` if there is no newer one. Looks at
    /// the source once a minute at most, so that made-up keys cost next to nothing.
    ///
    /// Whether a key exists cannot be told while the ring cannot be read: that is an error.
    pub async fn newer(
        &self,
        seen: &Arc<KeyRing>,
        now: Timestamp,
    ) -> Result<Option<Arc<KeyRing>>, KeysError> {
        let _reading = self.reading.lock().await;
        let cached = self.cache().clone();
        if let Some((ring, _)) = cached.ring
            && !Arc::ptr_eq(&ring, seen)
        {
            return Ok(Some(ring));
        }
        if is_recent(cached.failed_at, now) {
            return Err(KeysError::Paused);
        }
        if is_recent(cached.searched_at, now) {
            return Ok(None);
        }
        self.cache().searched_at = Some(now);
        self.read(now).await.map(Some)
    }

    async fn read(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeysError> {
        let read = match &self.source {
            Source::Secret(secret) => secret.current_ring().await,
            Source::File(path) => from_file(path),
        };
        let mut cache = self.cache();
        match read.map(Arc::new) {
            Ok(ring) => {
                cache.ring = Some((Arc::clone(&ring), now));
                cache.failed_at = None;
                Ok(ring)
            }
            Err(error) => {
                cache.failed_at = Some(now);
                observe::ring_unread();
                Err(error)
            }
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    /// The ring, unless it is time to read it again.
    fn fresh(&self, now: Timestamp) -> Option<Arc<KeyRing>> {
        let (ring, read_at) = self.ring.as_ref()?;
        let is_fresh = read_at.until(now) < MAX_AGE || is_recent(self.failed_at, now);
        is_fresh.then(|| Arc::clone(ring))
    }
}

fn is_recent(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| at.until(now) < PAUSE)
}

fn from_file(path: &Path) -> Result<KeyRing, KeysError> {
    let json = std::fs::read_to_string(path).map_err(KeysError::File)?;
    Ok(KeyRing::from_json(&json)?)
}
