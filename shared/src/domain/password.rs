//! Passwords, and the policy for new ones.

use secrecy::{ExposeSecret, SecretString};

use super::precis;

/// A password as it was received: never truncated, trimmed or normalised.
#[derive(Debug, Clone)]
pub struct Password(SecretString);

/// The longest password, in bytes of UTF-8.
pub const MAX_PASSWORD_BYTES: usize = 1024;

impl Password {
    /// Accepts any text. [`PasswordPolicy::check`] checks a new password.
    #[must_use]
    pub fn new(received: String) -> Self {
        Self(received.into())
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

/// The rules for new passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// In Unicode code points.
    pub min_chars: usize,
    /// Whether to refuse common passwords and those that contain the account's email or username
    /// (ASVS 6.2.4, 6.2.11).
    pub reject_common: bool,
}

/// Shorter names are not searched for: passwords contain them by chance.
const MIN_NAME_CHARS: usize = 4;

/// The 10,000 most common passwords of six characters and more, in lower case, from the list by
/// Royce Williams that Django ships.
const COMMON: &str = include_str!("common_passwords.txt");

impl PasswordPolicy {
    /// `names` are the account's email and username.
    pub fn check(&self, password: &Password, names: &[&str]) -> Result<(), InvalidPassword> {
        let password = password.0.expose_secret();
        if password.chars().count() < self.min_chars {
            return Err(InvalidPassword::TooShort(self.min_chars));
        }
        if password.len() > MAX_PASSWORD_BYTES {
            return Err(InvalidPassword::TooManyBytes);
        }
        if self.reject_common {
            check_is_uncommon(password, names)?;
        }
        Ok(())
    }
}

fn check_is_uncommon(password: &str, names: &[&str]) -> Result<(), InvalidPassword> {
    let folded = precis::folded(password);
    let holds = |name: &&str| {
        name.chars().count() >= MIN_NAME_CHARS && folded.contains(&precis::folded(name))
    };
    if names.iter().any(holds) {
        return Err(InvalidPassword::HoldsName);
    }
    if is_common(&folded) {
        return Err(InvalidPassword::Common);
    }
    Ok(())
}

fn is_common(folded: &str) -> bool {
    COMMON.lines().any(|common| common == folded)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    #[error("shorter than {0} characters")]
    TooShort(usize),
    #[error("longer than {MAX_PASSWORD_BYTES} bytes")]
    TooManyBytes,
    #[error("a common password")]
    Common,
    #[error("contains the account's email or username")]
    HoldsName,
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: PasswordPolicy = PasswordPolicy {
        min_chars: 6,
        reject_common: true,
    };

    fn check(policy: PasswordPolicy, password: &str) -> Result<(), InvalidPassword> {
        let names = ["amelie@example.com", "amelie", "bob"];
        policy.check(&Password::new(password.to_owned()), &names)
    }

    #[test]
    fn the_minimum_length_is_in_code_points_and_the_maximum_in_bytes() {
        assert_eq!(check(STRICT, "ümläü"), Err(InvalidPassword::TooShort(6)));
        assert_eq!(check(STRICT, "ümläüt"), Ok(()));
        assert_eq!(check(STRICT, &"ü".repeat(512)), Ok(()));
        assert_eq!(
            check(STRICT, &"ü".repeat(513)),
            Err(InvalidPassword::TooManyBytes)
        );
    }

    #[test]
    fn common_passwords_are_refused_in_any_case() {
        assert_eq!(check(STRICT, "password"), Err(InvalidPassword::Common));
        assert_eq!(check(STRICT, "PassWord"), Err(InvalidPassword::Common));
        assert_eq!(check(STRICT, "passworde7"), Ok(()));
    }

    #[test]
    fn a_password_may_not_hold_the_account_s_names() {
        assert_eq!(
            check(STRICT, "xAMELIE2024"),
            Err(InvalidPassword::HoldsName)
        );
        assert_eq!(
            check(STRICT, "amelie@example.com!"),
            Err(InvalidPassword::HoldsName)
        );
        assert_eq!(
            check(STRICT, "ＡＭＥＬＩＥ 99"),
            Err(InvalidPassword::HoldsName)
        );
        assert_eq!(
            check(STRICT, "bob's own"),
            Ok(()),
            "names of three letters are ignored"
        );
    }

    #[test]
    fn the_default_policy_accepts_the_passwords_of_the_api_s_examples() {
        let policy = PasswordPolicy {
            min_chars: 6,
            reject_common: false,
        };

        assert_eq!(check(policy, "abc321"), Ok(()));
    }

    #[test]
    fn debug_output_never_shows_a_password() {
        let password = Password::new("s3cret!".to_owned());

        assert_eq!(
            format!("{password:?}"),
            "Password(SecretBox<str>([REDACTED]))"
        );
    }
}
