//! The key ring of `make run`: generated once, in a file that only its owner can read.
//!
//! In AWS, Secrets Manager generates the first key, and the function `rotate-keys` all later ones.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

/// Creates the key ring at `path` with mode 0600, unless the file exists. If several processes
/// race, one creates it and the others find it complete.
pub fn make_once(path: &Path) -> io::Result<()> {
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
    file.write_all(fresh_ring()?.as_bytes())?;
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

fn fresh_key() -> io::Result<String> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    Ok(URL_SAFE_NO_PAD.encode(key))
}
