//! One-time codes in mail and webhooks: derived when these are sent, in memory when presented, never stored.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

use super::digest;
use crate::domain::{CodeDigest, CodePurpose, OutboxId};

/// The key that derives codes: at least 32 bytes.
#[derive(Debug)]
pub struct CodeKey(hmac::Key);

const MIN_KEY_BYTES: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be of at least {MIN_KEY_BYTES} bytes")]
pub struct CodeKeyTooShort;

impl CodeKey {
    /// The bytes of the text are the key.
    pub fn new(text: &str) -> Result<Self, CodeKeyTooShort> {
        if text.len() < MIN_KEY_BYTES {
            return Err(CodeKeyTooShort);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes())))
    }

    /// The code of an outbox item. A second delivery has the same code.
    #[must_use]
    pub fn code(&self, purpose: CodePurpose, id: &OutboxId) -> PlainCode {
        let name = format!("{} {id}", purpose.name());
        let tag = hmac::sign(&self.0, name.as_bytes());
        let code = tag.as_ref().get(..CODE_BYTES).unwrap_or_default();
        PlainCode(URL_SAFE_NO_PAD.encode(code).into())
    }
}

/// A one-time code: 160 bits, as 27 characters of base64url.
///
/// A code is stored and found by its SHA-256. With this much randomness it needs no salt and no slow
/// hash.
#[derive(Debug)]
pub struct PlainCode(SecretString);

const CODE_BYTES: usize = 20;
const CODE_CHARS: usize = 27;

impl PlainCode {
    /// `None` if `text` does not have the form of a code.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_in_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let is_code = text.len() == CODE_CHARS && text.bytes().all(is_in_alphabet);
        is_code.then(|| Self(text.into()))
    }

    #[must_use]
    pub fn digest(&self) -> CodeDigest {
        CodeDigest::from_hex(digest(self.expose()))
    }

    /// The whole code. Only the mail or webhook may show it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "an example key of 32 characters.";

    fn id(digit: char) -> OutboxId {
        OutboxId::parse(&digit.to_string().repeat(32)).unwrap()
    }

    #[test]
    fn a_code_depends_on_the_key_the_purpose_and_the_mail() {
        let code = |key: &str, purpose, digit| {
            let code = CodeKey::new(key).unwrap().code(purpose, &id(digit));
            code.expose().to_owned()
        };
        let first = code(KEY, CodePurpose::VerifyEmail, 'a');

        assert_eq!(code(KEY, CodePurpose::VerifyEmail, 'a'), first);
        assert_ne!(code(KEY, CodePurpose::ResetPassword, 'a'), first);
        assert_ne!(code(KEY, CodePurpose::VerifyEmail, 'b'), first);
        assert_ne!(
            code(&KEY.to_uppercase(), CodePurpose::VerifyEmail, 'a'),
            first
        );
    }

    #[test]
    fn a_derived_code_has_the_form_that_is_parsed() {
        let code = CodeKey::new(KEY)
            .unwrap()
            .code(CodePurpose::VerifyEmail, &id('a'));

        let parsed = PlainCode::parse(code.expose()).unwrap();
        assert_eq!(parsed.digest(), code.digest());
        assert!(!format!("{code:?} {:?}", code.digest()).contains(code.expose()));
    }

    #[test]
    fn text_of_another_form_is_not_a_code() {
        let code = "A".repeat(27);
        assert!(PlainCode::parse(&code).is_some());
        for text in [
            "",
            &code[1..],
            &format!("{code}A"),
            &format!(" {}", &code[1..]),
            &"é".repeat(13),
        ] {
            assert!(PlainCode::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_short_key_is_refused() {
        assert_eq!(CodeKey::new(&KEY[1..]).err(), Some(CodeKeyTooShort));
    }
}
