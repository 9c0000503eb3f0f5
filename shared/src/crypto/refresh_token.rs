//! Refresh tokens.

use super::key_ring::KeyRing;
use super::token::{InvalidToken, Token};
use crate::domain::AccountId;

/// A refresh token: `refresh_`, then the account, the session, a number, and an HMAC of all these, with dots
/// between. It is derived, so the session stores no more than the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    pub account: AccountId,
    pub session: String,
    pub number: u64,
}

const PREFIX: &str = "refresh_";

/// Longer than any that is issued.
const MAX_BYTES: usize = 512;

impl RefreshToken {
    /// The text to hand out. `None` if the ring has no decoy key.
    #[must_use]
    pub fn issue(&self, keys: &KeyRing) -> Option<Token> {
        let Self {
            account,
            session,
            number,
        } = self;
        let message = format!("{PREFIX}{account}.{session}.{number}");
        let tag = keys.refresh_tag(&message)?;
        Some(Token::new(format!("{message}.{tag}")))
    }

    /// Whether the text looks like a refresh token, whichever ring issued it.
    #[must_use]
    pub fn has_form(text: &str) -> bool {
        let parts = text.split('.').count();
        text.len() <= MAX_BYTES && text.starts_with(PREFIX) && parts == 4
    }

    /// [`InvalidToken::UnknownKey`] if another ring may have issued it.
    pub fn verify(text: &str, keys: &KeyRing) -> Result<Self, InvalidToken> {
        if !Self::has_form(text) {
            return Err(InvalidToken::Format);
        }
        let (message, tag) = text.rsplit_once('.').ok_or(InvalidToken::Format)?;
        if !keys.is_refresh_tag(message, tag) {
            return Err(InvalidToken::UnknownKey);
        }
        Self::parse(message).ok_or(InvalidToken::Format)
    }

    fn parse(message: &str) -> Option<Self> {
        let (account, rest) = message.strip_prefix(PREFIX)?.split_once('.')?;
        let (session, number) = rest.split_once('.')?;
        Some(Self {
            account: AccountId::parse(account).ok()?,
            session: session.to_owned(),
            number: number.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(decoy_key: Option<&str>) -> KeyRing {
        let key = "A".repeat(64);
        let json = serde_json::json!({"key": key, "decoy_key": decoy_key});
        KeyRing::from_json(&json.to_string()).unwrap()
    }

    fn token() -> RefreshToken {
        RefreshToken {
            account: AccountId::parse("5c88c7cc04a917256c726c3d").unwrap(),
            session: "018f2c3d4e5f60718293a4b5c6d7e8f9".to_owned(),
            number: 3,
        }
    }

    #[test]
    fn a_refresh_token_names_its_session_and_number_and_cannot_be_altered() {
        let keys = ring(Some(&"B".repeat(64)));
        let issued = token().issue(&keys).unwrap();
        let text = issued.expose();

        assert_eq!(RefreshToken::verify(text, &keys), Ok(token()));
        for n in 0..text.len() {
            let mut altered = text.as_bytes().to_vec();
            altered[n] ^= 1;
            let altered = String::from_utf8(altered).unwrap();
            assert!(RefreshToken::verify(&altered, &keys).is_err(), "{altered}");
        }
        for n in 0..text.len() {
            assert!(RefreshToken::verify(&text[..n], &keys).is_err(), "{n}");
        }
        for other in [
            format!("{text}="),
            format!("{text}A"),
            format!(" {text}"),
            format!("{text} "),
            "x".repeat(10_000),
        ] {
            assert!(RefreshToken::verify(&other, &keys).is_err(), "{other}");
        }
    }

    #[test]
    fn only_the_ring_that_issued_a_refresh_token_takes_it() {
        let keys = ring(Some(&"B".repeat(64)));
        let issued = token().issue(&keys).unwrap();

        let other = ring(Some(&"C".repeat(64)));
        assert!(token().issue(&ring(None)).is_none());
        for keys in [other, ring(None)] {
            let verified = RefreshToken::verify(issued.expose(), &keys);
            assert_eq!(verified, Err(InvalidToken::UnknownKey));
        }
    }
}
