//! Account ids.

use std::fmt;

use super::{Timestamp, is_hex};

/// 24 lower-case hex characters laid out as a MongoDB `ObjectId`: 4 bytes of seconds, 5 of
/// randomness, 3 of a counter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccountId(String);

impl AccountId {
    /// Uses the lower three bytes of `counter`.
    #[must_use]
    pub fn new(now: Timestamp, random: [u8; 5], counter: u32) -> Self {
        let seconds = u32::try_from(now.secs()).unwrap_or(u32::MAX);
        let [r0, r1, r2, r3, r4] = random;
        let counter = counter & 0x00ff_ffff;
        Self(format!(
            "{seconds:08x}{r0:02x}{r1:02x}{r2:02x}{r3:02x}{r4:02x}{counter:06x}"
        ))
    }

    pub fn parse(text: &str) -> Result<Self, InvalidAccountId> {
        (text.len() == 24 && is_hex(text))
            .then(|| Self(text.to_owned()))
            .ok_or(InvalidAccountId)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Not 24 lower-case hex characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 24 hexadecimal digits, lower case")]
pub struct InvalidAccountId;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_laid_out_as_an_object_id() {
        let id = AccountId::new(
            Timestamp::from_secs(0x5c88_c7cc),
            [0x04, 0xa9, 0x17, 0x25, 0x6c],
            0x0172_6c3d,
        );

        assert_eq!(id.as_str(), "5c88c7cc04a917256c726c3d");
    }

    #[test]
    fn an_id_parses_from_its_text() {
        let id = AccountId::parse("0123456789abcdef01234567").unwrap();

        assert_eq!(id.as_str(), "0123456789abcdef01234567");
        assert_eq!(id.to_string(), "0123456789abcdef01234567");
    }

    #[test]
    fn text_other_than_24_lower_case_hex_characters_is_not_an_id() {
        for text in [
            "",
            "5c88c7cc04a917256c726c3",
            "5C88C7CC04A917256C726C3D",
            "5c88c7cc04a917256c726c3g",
            "5c88c7cc04a917256c726c3d0",
        ] {
            assert_eq!(AccountId::parse(text), Err(InvalidAccountId), "{text}");
        }
    }
}
