//! SHA-256, for values that become DynamoDB keys but must not be readable in them.

use sha2::{Digest, Sha256};

/// The SHA-256 of `text`, as 64 lower-case hex characters.
#[must_use]
pub fn digest(text: &str) -> String {
    use std::fmt::Write;

    Sha256::digest(text)
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_published_one() {
        assert_eq!(
            digest("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
