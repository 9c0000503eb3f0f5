//! API keys in the plain: seen when made, when presented, and never stored.

use secrecy::{ExposeSecret, SecretString};

use super::digest;
use crate::domain::ApiKeyDigest;
use crate::ports::{Entropy, EntropyError, random};

/// An API key: `api_` and 24 characters of `A-Za-z0-9`, 142 bits of randomness.
///
/// So much needs no salt and no slow hash: SHA-256 is what it is looked up by.
#[derive(Debug)]
pub struct PlainApiKey(SecretString);

const PREFIX: &str = "api_";
const RANDOM_CHARS: usize = 24;
const LENGTH: usize = PREFIX.len() + RANDOM_CHARS;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// How much of a key stays visible.
const VISIBLE: usize = PREFIX.len() + 4;

impl PlainApiKey {
    /// A new key. Bytes that would favour some characters are not used.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut key = PREFIX.to_owned();
        loop {
            let chars = random::<32>(entropy)?
                .into_iter()
                .filter(|byte| usize::from(*byte) < ALPHABET.len() * 4)
                .filter_map(|byte| ALPHABET.get(usize::from(byte) % ALPHABET.len()));
            key.extend(chars.copied().map(char::from));
            if let Some(whole) = key.get(..LENGTH) {
                return Ok(Self(whole.into()));
            }
        }
    }

    /// A key as presented, if it has the form of one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let random = text.strip_prefix(PREFIX)?;
        let is_key =
            random.len() == RANDOM_CHARS && random.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_key.then(|| Self(text.into()))
    }

    /// What it is stored and found by.
    #[must_use]
    pub fn digest(&self) -> ApiKeyDigest {
        ApiKeyDigest::from_hex(digest(self.expose()))
    }

    /// How it starts: what its owner is shown from then on.
    #[must_use]
    pub fn start(&self) -> &str {
        self.expose().get(..VISIBLE).unwrap_or_default()
    }

    /// The key itself, for the one answer that hands it out.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::ports::SystemEntropy;

    #[test]
    fn a_new_key_has_the_form_of_one() {
        let key = PlainApiKey::generate(&SystemEntropy).unwrap();

        assert_eq!(key.expose().len(), 28);
        assert!(PlainApiKey::parse(key.expose()).is_some());
        assert_eq!(key.start(), &key.expose()[..8]);
        assert_eq!(
            format!("{key:?}"),
            "PlainApiKey(SecretBox<str>([REDACTED]))"
        );
    }

    #[test]
    fn nothing_else_has() {
        for text in [
            "",
            "api_",
            "api_ABCDEFGHIJKLMNOPQRSTUVW",
            "api_ABCDEFGHIJKLMNOPQRSTUVWXY",
            "API_ABCDEFGHIJKLMNOPQRSTUVWX",
            "api_ABCDEFGHIJKLMNOPQRSTUVW-",
            "api_ABCDEFGHIJKLMNOPQRSTUVé",
            " api_ABCDEFGHIJKLMNOPQRSTUVWX",
        ] {
            assert!(PlainApiKey::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn each_character_is_as_likely_as_any_other() {
        /// Draws this byte all the time, after a draw of the least that must not be used.
        #[derive(Debug)]
        struct Always(u8, AtomicBool);

        impl Entropy for Always {
            fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
                let is_first = !self.1.swap(true, Ordering::Relaxed);
                bytes.fill(if is_first { 248 } else { self.0 });
                Ok(())
            }
        }

        let mut times = HashMap::new();
        for byte in 0..248 {
            let key = PlainApiKey::generate(&Always(byte, AtomicBool::new(false))).unwrap();
            let random: HashSet<char> = key.expose()[4..].chars().collect();
            assert_eq!(random.len(), 1, "of one byte one character is made");
            for c in random {
                *times.entry(c).or_insert(0) += 1;
            }
        }

        assert_eq!(times.len(), 62);
        assert!(times.values().all(|times| *times == 4), "{times:?}");
    }
}
