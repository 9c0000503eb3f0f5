//! What a person signs in with: an email or a username.

use super::{Email, precis};

/// The canonical form of an identifier presented at sign-in, in whichever field it came.
///
/// One that holds `@` is an email, any other a username. One that no account could have is still
/// an identifier: it is counted and answered like the others, and finds nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identifier {
    /// A canonical email.
    Email(String),
    /// A canonical username, without `@`.
    Username(String),
    /// As presented: no account could have it.
    Nobody(String),
}

impl Identifier {
    /// The identifier in a `username` field, which may name either.
    #[must_use]
    pub fn parse(presented: &str) -> Self {
        let presented = presented.replace('\u{ff20}', "@");
        if presented.contains('@') {
            return Self::parse_email(&presented);
        }
        match precis::canonical(&presented) {
            Some(canonical) => Self::Username(canonical),
            None => Self::Nobody(presented),
        }
    }

    /// The identifier in an `email` field, which must hold an email.
    #[must_use]
    pub fn parse_email(presented: &str) -> Self {
        let presented = presented.replace('\u{ff20}', "@");
        match Email::parse(&presented) {
            Ok(email) => Self::Email(email.canonical().to_owned()),
            Err(_) => Self::Nobody(presented),
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
    fn an_email_field_never_names_a_username() {
        assert_eq!(
            Identifier::parse_email("alice"),
            Identifier::Nobody("alice".to_owned())
        );
    }

    #[test]
    fn what_no_account_could_have_names_nobody() {
        for presented in ["", "a b", "a@b@c", "\u{202e}"] {
            assert_eq!(
                Identifier::parse(presented),
                Identifier::Nobody(presented.to_owned())
            );
        }
    }
}
