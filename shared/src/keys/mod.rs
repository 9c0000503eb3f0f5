//! An instance's copy of the key ring. It is read at the cold start and again whenever it is five
//! minutes old, so keys change without a deployment.

mod function_keys;
pub mod rotation;
mod secret;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_secretsmanager::Client;

pub use self::function_keys::{FunctionKeyError, read_code_key, read_webhook_key};
pub use self::secret::{SecretError, SecretRing};
use crate::config::KeySource;
use crate::crypto::{InvalidKeyRing, KeyRing, LONGEST_USE};
use crate::domain::Timestamp;
use crate::observe;

/// The age at which the ring is read again. A key is pending for longer than this before it signs
/// ([`crate::crypto::RingDocument::rotated`]).
const MAX_AGE: Duration = Duration::from_mins(5);

/// How long to wait after a failed read, and between reads in search of an unknown key.
const PAUSE: Duration = Duration::from_mins(1);

/// Reads and caches the key ring.
#[derive(Debug)]
pub struct Keys {
    source: Source,
    cache: Mutex<Cache>,
    /// Held during a read, so that concurrent requests share one read.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
enum Source {
    Secret(SecretRing),
    File(PathBuf),
}

#[derive(Debug, Clone, Default)]
struct Cache {
    /// The ring and when it was read.
    ring: Option<(Arc<KeyRing>, Timestamp)>,
    /// When the last read failed; `None` after a successful read.
    failed_at: Option<Timestamp>,
    /// When the ring was last read in search of an unknown key.
    searched_at: Option<Timestamp>,
    /// When the ring was last rotated, until its age is reported.
    unreported: Option<Timestamp>,
}

/// Why the key ring cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("the key ring's file cannot be read: {0}")]
    File(#[source] std::io::Error),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the key ring {0}")]
    Invalid(#[from] InvalidKeyRing),
    /// The ring was never rotated.
    #[error("the key ring has no decoy key, which refresh tokens need: rotate it")]
    NoDecoyKey,
    #[error("reading the key ring failed less than a minute ago: not tried again yet")]
    Paused,
}

impl Keys {
    /// Reads nothing yet. Calls `client` only if the source is a secret.
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

    /// `None` if the ring is in a file.
    #[must_use]
    pub fn secret(&self) -> Option<&SecretRing> {
        match &self.source {
            Source::Secret(secret) => Some(secret),
            Source::File(_) => None,
        }
    }

    /// The ring, read at most five minutes ago. If it cannot be read again, the old ring stays in
    /// use for an hour: each failure is logged and counted, and the next attempt follows after a
    /// minute.
    pub async fn current(&self, now: Timestamp) -> Result<Arc<KeyRing>, KeysError> {
        if let Some(ring) = self.cache().fresh(now) {
            return Ok(ring);
        }
        let _reading = self.reading.lock().await;
        let cached = self.cache().clone();
        if let Some(ring) = cached.fresh(now) {
            return Ok(ring);
        }
        if cached.ring.is_some() && is_recent(cached.failed_at, now) {
            return Err(KeysError::Paused);
        }
        let error = match self.read(now).await {
            Ok(ring) => return Ok(ring),
            Err(error) => error,
        };
        match cached.usable(now) {
            Some(ring) => {
                observe::warn("the key ring could not be read again", &error);
                Ok(ring)
            }
            None => Err(error),
        }
    }

    /// A newer ring than `seen`, which lacks the key of a token; `None` if there is none. Reads the
    /// source at most once a minute, so tokens with invented keys cost little.
    ///
    /// Fails while the ring cannot be read, because the key may exist.
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

    /// How long ago the ring was rotated, once after each read. `None` if it is in a file, which has
    /// no schedule, or was never rotated.
    pub fn age_to_report(&self, now: Timestamp) -> Option<Duration> {
        let rotated_at = self.cache().unreported.take();
        rotated_at.map(|rotated_at| rotated_at.until(now))
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
                cache.unreported = self.secret().and_then(|_| ring.rotated_at());
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
    /// `None` if it is time to read the ring again.
    fn fresh(&self, now: Timestamp) -> Option<Arc<KeyRing>> {
        let age = if is_recent(self.failed_at, now) {
            LONGEST_USE
        } else {
            MAX_AGE
        };
        self.younger_than(age, now)
    }

    /// `None` if the ring is too old to be used at all.
    fn usable(&self, now: Timestamp) -> Option<Arc<KeyRing>> {
        self.younger_than(LONGEST_USE, now)
    }

    fn younger_than(&self, age: Duration, now: Timestamp) -> Option<Arc<KeyRing>> {
        let (ring, read_at) = self.ring.as_ref()?;
        (read_at.until(now) < age).then(|| Arc::clone(ring))
    }
}

fn is_recent(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| at.until(now) < PAUSE)
}

fn from_file(path: &Path) -> Result<KeyRing, KeysError> {
    let json = std::fs::read_to_string(path).map_err(KeysError::File)?;
    Ok(KeyRing::from_json(&json)?)
}
