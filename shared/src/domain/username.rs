//! Usernames.

use super::{Email, Identifier, precis};

/// A name to sign in with, 1 to 128 characters, unique by its canonical form (PRECIS
/// `UsernameCaseMapped`, RFC 8265).
///
/// A username with `@` must be the account's own email. Otherwise an attacker could register
/// another user's address as a username and receive their sign-ins. Such a username has no
/// canonical form: the claim on the email makes it unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username {
    typed: String,
    canonical: Option<String>,
}

/// The longest username as typed, in Unicode code points.
pub const MAX_USERNAME_CHARS: usize = 128;

impl Username {
    /// `email` is that of the same account.
    pub fn parse(typed: &str, email: &Email) -> Result<Self, InvalidUsername> {
        Self::of_account(typed, email.canonical())
    }

    /// `email` is the canonical form of the account's email.
    pub fn of_account(typed: &str, email: &str) -> Result<Self, InvalidUsername> {
        if typed.chars().count() > MAX_USERNAME_CHARS {
            return Err(InvalidUsername::TooManyChars);
        }
        let canonical = precis::canonical(typed).ok_or(InvalidUsername::Characters)?;
        if !canonical.contains('@') {
            return Ok(Self {
                typed: typed.to_owned(),
                canonical: Some(canonical),
            });
        }
        // A sign-in parses it the same way.
        match Identifier::parse(typed) {
            Identifier::Email(named) if named == email => Ok(Self {
                typed: typed.to_owned(),
                canonical: None,
            }),
            _ => Err(InvalidUsername::AnotherEmail),
        }
    }

    /// The username of an account created without one: its email.
    #[must_use]
    pub fn from_email(email: &Email) -> Self {
        Self {
            typed: email.typed().to_owned(),
            canonical: None,
        }
    }

    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// `None` if the username is the email.
    #[must_use]
    pub fn canonical(&self) -> Option<&str> {
        self.canonical.as_deref()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUsername {
    #[error("username too long")]
    TooManyChars,
    /// Empty, or refused by the PRECIS profile.
    #[error("username holds characters that are not allowed")]
    Characters,
    #[error("username is an email other than the account's own")]
    AnotherEmail,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(typed: &str) -> Result<Username, InvalidUsername> {
        Username::parse(typed, &Email::parse("abc@example.com").unwrap())
    }

    #[test]
    fn usernames_that_differ_in_case_width_or_normal_form_are_the_same() {
        for (typed, expected) in [
            ("Alice", "alice"),
            ("ＡＬＩＣＥ", "alice"),
            ("Ame\u{301}lie", "am\u{e9}lie"),
            ("ΑΒΓ", "αβγ"),
        ] {
            assert_eq!(parse(typed).unwrap().canonical(), Some(expected), "{typed}");
        }
    }

    #[test]
    fn spaces_controls_and_invisible_characters_are_refused() {
        for typed in [
            "",
            " ",
            "a b",
            "a\0b",
            "a\u{202e}b",
            "a\u{200b}b",
            "a\u{feff}",
            "a\u{ad}b",
            "ﬁ",
            "№1",
            "\n",
            "a\u{7f}",
            "\u{2066}a",
        ] {
            assert_eq!(parse(typed), Err(InvalidUsername::Characters), "{typed:?}");
        }
    }

    #[test]
    fn the_account_s_own_email_may_be_its_username() {
        for typed in ["abc@example.com", "ABC@EXAMPLE.com", "abc＠example.com"] {
            assert_eq!(parse(typed).unwrap().canonical(), None, "{typed}");
        }
    }

    #[test]
    fn a_username_is_an_email_exactly_if_a_sign_in_takes_it_for_one() {
        // The forms differ in bytes, and an email has at most 254.
        let wide = format!("{}@example.com", "ａ".repeat(90));
        let narrow = Email::parse(&format!("{}@example.com", "a".repeat(90))).unwrap();
        assert!(matches!(Identifier::parse(&wide), Identifier::Invalid(_)));
        assert_eq!(
            Username::parse(&wide, &narrow),
            Err(InvalidUsername::AnotherEmail)
        );

        let growing = format!("{}@example.com", "Ⱥ".repeat(100));
        let email = Email::parse(&growing).unwrap();
        let username = Username::parse(&growing, &email);
        assert_eq!(username.unwrap().canonical(), None);
    }

    #[test]
    fn another_s_email_is_refused_as_a_username() {
        for typed in ["eve@example.com", "@", "abc@", "eve＠example.com"] {
            assert_eq!(parse(typed), Err(InvalidUsername::AnotherEmail), "{typed}");
        }
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(parse(&"ü".repeat(128)).is_ok());
        assert_eq!(parse(&"ü".repeat(129)), Err(InvalidUsername::TooManyChars));
    }

    #[test]
    fn the_typed_form_is_kept() {
        let email = Email::parse("ABC@example.com").unwrap();

        assert_eq!(parse("Alice").unwrap().typed(), "Alice");
        assert_eq!(Username::from_email(&email).typed(), "ABC@example.com");
        assert_eq!(Username::from_email(&email).canonical(), None);
    }
}
