//! What a user signs in with: an email or a username.

use super::{Email, precis};

/// The canonical form of the identifier in a sign-in request.
///
/// Text with `@` is an email, other text a username. Invalid text is not refused: it is
/// rate-limited and answered like the identifier of an unknown account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identifier {
    Email(String),
    /// Contains no `@`.
    Username(String),
    /// As presented. No account can have it.
    Invalid(String),
}

impl Identifier {
    /// Parses a `username` field, which may hold an email too.
    #[must_use]
    pub fn parse(presented: &str) -> Self {
        let presented = presented.replace('\u{ff20}', "@");
        if presented.contains('@') {
            return Self::parse_email(&presented);
        }
        match precis::canonical(&presented) {
            Some(canonical) => Self::Username(canonical),
            None => Self::Invalid(presented),
        }
    }

    /// Parses an `email` field.
    #[must_use]
    pub fn parse_email(presented: &str) -> Self {
        let presented = presented.replace('\u{ff20}', "@");
        match Email::parse(&presented) {
            Ok(email) => Self::Email(email.canonical().to_owned()),
            Err(_) => Self::Invalid(presented),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_at_sign_of_any_width_makes_an_email() {
        for presented in ["ABC@example.com", "abc＠example.com"] {
            assert_eq!(
                Identifier::parse(presented),
                Identifier::Email("abc@example.com".to_owned())
            );
        }
    }

    #[test]
    fn an_email_field_never_holds_a_username() {
        assert_eq!(
            Identifier::parse_email("alice"),
            Identifier::Invalid("alice".to_owned())
        );
    }

    #[test]
    fn text_that_no_account_can_have_is_an_invalid_identifier() {
        for presented in ["", "a b", "a@b@c", "\u{202e}"] {
            assert_eq!(
                Identifier::parse(presented),
                Identifier::Invalid(presented.to_owned())
            );
        }
    }
}
