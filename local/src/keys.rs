//! The keys of `make run`: the key ring, the key of codes and the key that signs webhooks, each generated
//! once, in a file that only its owner can read.
//!
//! In AWS, Secrets Manager generates the first keys, and the function `rotate-keys` all later ones of the
//! ring.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use shared::crypto::{KeyPlan, KeyRing, RingDocument};
use shared::ports::{Clock, SystemClock, SystemEntropy};

/// Creates a file at `path` with mode 0600, unless it exists. If several processes race, one creates it
/// and the others find it complete.
pub fn make_once(path: &Path, fresh: impl FnOnce() -> io::Result<String>) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    let draft = draft(path);
    write_private(&draft, &fresh()?)?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}

fn draft(path: &Path) -> PathBuf {
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    draft.into()
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A key ring with one new key and a decoy key, as JSON.
pub fn fresh_ring(plan: &KeyPlan) -> io::Result<String> {
    let ring = RingDocument::fresh(SystemClock.now(), plan, &SystemEntropy);
    Ok(ring.map_err(io::Error::other)?.to_json())
}

/// Lets the ring at `path` sign as planned. Earlier tokens stay valid. `issuer` is that of keys that do not name
/// one.
pub fn adapt_ring(path: &Path, plan: &KeyPlan, issuer: &str) -> io::Result<()> {
    let ring = RingDocument::from_json(&fs::read_to_string(path)?).map_err(io::Error::other)?;
    let adapted = ring
        .with_issuer(issuer)
        .adapted(SystemClock.now(), plan, &SystemEntropy)
        .map_err(io::Error::other)?;
    if let Some(adapted) = adapted {
        KeyRing::try_from(adapted.clone()).map_err(io::Error::other)?;
        let draft = draft(path);
        write_private(&draft, &adapted.to_json())?;
        fs::rename(&draft, path)?;
    }
    Ok(())
}

/// 32 random bytes in base64url.
pub fn fresh_key() -> io::Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(random()?))
}

/// A key that signs webhooks, as Standard Webhooks writes it.
pub fn fresh_webhook_key() -> io::Result<String> {
    Ok(format!("whsec_{}\n", STANDARD.encode(random()?)))
}

fn random() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}
