//! Plaintext API keys: in memory when created or presented, never stored.

use secrecy::{ExposeSecret, SecretString};

use super::digest;
use super::random_text::random_text;
use crate::domain::ApiKeyDigest;
use crate::ports::{Entropy, EntropyError};

/// An API key: `api_` and 24 characters of `A-Za-z0-9`, 142 bits of randomness.
///
/// A key is stored and found by its SHA-256. With this much randomness it needs no salt and no slow
/// hash.
#[derive(Debug)]
pub struct PlainApiKey(SecretString);

const PREFIX: &str = "api_";
const RANDOM_CHARS: usize = 24;
const START_LENGTH: usize = PREFIX.len() + 4;

impl PlainApiKey {
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let random = random_text(RANDOM_CHARS, entropy)?;
        Ok(Self(format!("{PREFIX}{random}").into()))
    }

    /// `None` if `text` does not have the form of a key.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let random = text.strip_prefix(PREFIX)?;
        let is_key =
            random.len() == RANDOM_CHARS && random.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_key.then(|| Self(text.into()))
    }

    #[must_use]
    pub fn digest(&self) -> ApiKeyDigest {
        ApiKeyDigest::from_hex(digest(self.expose()))
    }

    /// The first 8 characters, by which the owner recognises the key later.
    #[must_use]
    pub fn start(&self) -> &str {
        self.expose().get(..START_LENGTH).unwrap_or_default()
    }

    /// The whole key. Only the response that creates it may show it.
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
    fn a_new_key_has_the_documented_form() {
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
    fn text_of_another_form_is_not_an_api_key() {
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
        /// Fills with 248, the smallest byte to be dropped, at first, and then with the given byte.
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
            assert_eq!(random.len(), 1, "one byte value makes one character");
            for c in random {
                *times.entry(c).or_insert(0) += 1;
            }
        }

        assert_eq!(times.len(), 62);
        assert!(times.values().all(|times| *times == 4), "{times:?}");
    }
}
