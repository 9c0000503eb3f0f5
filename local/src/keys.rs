//! The keys of `make run`: the key ring, the key of codes and the key that signs webhooks, each generated
//! once, in a file that only its owner can read.
//!
//! In AWS, Secrets Manager generates the first keys, and the function `rotate-keys` all later ones of the
//! ring.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

/// Creates a file at `path` with mode 0600, unless it exists. If several processes race, one creates it
/// and the others find it complete.
pub fn make_once(path: &Path, fresh: impl FnOnce() -> io::Result<String>) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(fresh()?.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}

/// A key ring with one new key and a decoy key, as JSON.
pub fn fresh_ring() -> io::Result<String> {
    let ring = json!({
        "keys": [{"kid": "local", "state": "active", "key": fresh_key()?}],
        "decoy_key": fresh_key()?,
    });
    Ok(ring.to_string())
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
