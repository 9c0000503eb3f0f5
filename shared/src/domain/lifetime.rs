//! Lifetimes of tokens and API keys.

use std::time::Duration;

/// Written as a positive whole number of seconds, minutes, hours or days: `30m`, `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime(Duration);

/// Ten years. A longer lifetime is a mistake.
const MAX_SECS: u64 = 10 * 366 * 24 * 60 * 60;

impl Lifetime {
    /// Parses an integer and a unit, `s`, `m`, `h` or `d`.
    pub fn parse(text: &str) -> Result<Self, InvalidLifetime> {
        let split = text.len().saturating_sub(1);
        let (number, unit) = text.split_at_checked(split).ok_or(InvalidLifetime)?;
        let unit_secs: u64 = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            _ => return Err(InvalidLifetime),
        };
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidLifetime);
        }
        let number: u64 = number.parse().map_err(|_| InvalidLifetime)?;
        match number.checked_mul(unit_secs) {
            Some(secs) if (1..=MAX_SECS).contains(&secs) => Ok(Self(Duration::from_secs(secs))),
            _ => Err(InvalidLifetime),
        }
    }

    #[must_use]
    pub fn duration(self) -> Duration {
        self.0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number and s, m, h or d, such as 30d, and at most ten years")]
pub struct InvalidLifetime;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_and_a_unit_make_a_lifetime() {
        for (text, secs) in [("1s", 1), ("30m", 1800), ("2h", 7200), ("30d", 2_592_000)] {
            assert_eq!(
                Lifetime::parse(text).map(Lifetime::duration),
                Ok(Duration::from_secs(secs))
            );
        }
    }

    #[test]
    fn a_lifetime_is_ten_years_at_most() {
        assert!(Lifetime::parse("3660d").is_ok());
        assert!(Lifetime::parse("316224000s").is_ok());
        assert_eq!(Lifetime::parse("3661d"), Err(InvalidLifetime));
        assert_eq!(Lifetime::parse("316224001s"), Err(InvalidLifetime));
    }

    #[test]
    fn text_in_another_form_or_out_of_range_is_not_a_lifetime() {
        for text in [
            "",
            "d",
            "30",
            "0d",
            "-1d",
            "+1d",
            "1.5h",
            "1 d",
            "1w",
            "30D",
            "1é",
            "99999d",
            "99999999999999999999s",
        ] {
            assert_eq!(Lifetime::parse(text), Err(InvalidLifetime), "{text:?}");
        }
    }
}
