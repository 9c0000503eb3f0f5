//! Random text, and the passwords that operators set.

use secrecy::{ExposeSecret, SecretString};

use crate::ports::{Entropy, EntropyError, random};

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// `length` characters of `A-Za-z0-9`, 5.95 bits of randomness each.
///
/// Drops random bytes of 248 and more, so that all characters are equally likely.
pub(super) fn random_text(length: usize, entropy: &dyn Entropy) -> Result<String, EntropyError> {
    let mut text = String::with_capacity(length);
    loop {
        let chars = random::<32>(entropy)?
            .into_iter()
            .filter(|byte| usize::from(*byte) < ALPHABET.len() * 4)
            .filter_map(|byte| ALPHABET.get(usize::from(byte) % ALPHABET.len()));
        text.extend(chars.copied().map(char::from).take(length - text.len()));
        if text.len() == length {
            return Ok(text);
        }
    }
}

/// A password of at least 20 characters of `A-Za-z0-9`, 119 bits of randomness.
#[derive(Debug)]
pub struct GeneratedPassword(SecretString);

const PASSWORD_CHARS: usize = 20;

impl GeneratedPassword {
    pub fn generate(min_chars: usize, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let password = random_text(PASSWORD_CHARS.max(min_chars), entropy)?;
        Ok(Self(password.into()))
    }

    /// Only the response to the operator who sets it may show it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemEntropy;

    #[test]
    fn a_generated_password_has_twenty_characters_or_the_minimum() {
        for (min_chars, length) in [(6, 20), (20, 20), (21, 21), (1024, 1024)] {
            let password = GeneratedPassword::generate(min_chars, &SystemEntropy).unwrap();
            let text = password.expose();

            assert_eq!(text.len(), length);
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert!(!format!("{password:?}").contains(text));
        }
    }

    #[test]
    fn generated_passwords_differ() {
        let generate = || GeneratedPassword::generate(6, &SystemEntropy).unwrap();

        assert_ne!(generate().expose(), generate().expose());
    }
}
