//! Usernames. For any text and any email of the account:
//!
//! - an accepted username has a bounded length and keeps the text as typed;
//! - canonicalization is idempotent, and a canonical form has no `@`;
//! - a username with `@` is the account's own email;
//! - the account signs in by the text as typed and by its canonical form.

#![no_main]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a violated property must abort the run"
)]

use shared::domain::{Email, Identifier, InvalidUsername, Username};

/// The longest username as typed, in code points.
const MAX_TYPED: usize = 128;

/// The longest canonical form, in bytes.
const MAX_CANONICAL: usize = 512;

libfuzzer_sys::fuzz_target!(|input: &[u8]| run(input));

/// The input is a username as typed and, after a line break, an email.
fn run(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else {
        return;
    };
    let (typed, email) = input.split_once('\n').unwrap_or((input, ""));
    let own = Email::parse(email).or_else(|_| Email::parse("abc@example.com"));
    let own = own.expect("an email");
    let username = match Username::parse(typed, &own) {
        Ok(username) => username,
        Err(InvalidUsername::TooManyChars) => {
            assert!(typed.chars().count() > MAX_TYPED, "{typed:?}");
            return;
        }
        Err(InvalidUsername::Characters) => return,
        Err(InvalidUsername::AnotherEmail) => {
            let found = Identifier::parse(typed);
            assert!(!matches!(found, Identifier::Username(_)), "{typed:?}");
            return;
        }
    };
    assert_eq!(username.typed(), typed);
    assert!(typed.chars().count() <= MAX_TYPED);

    let Some(canonical) = username.canonical() else {
        let holder = Identifier::Email(own.canonical().to_owned());
        assert_eq!(Identifier::parse(typed), holder, "{typed:?}");
        return;
    };
    assert!(canonical.len() <= MAX_CANONICAL && !canonical.contains('@'));
    let holder = Identifier::Username(canonical.to_owned());
    for presented in [typed, canonical] {
        assert_eq!(Identifier::parse(presented), holder, "{typed:?}");
    }
    // Case mapping may expand one character to several.
    if canonical.chars().count() <= MAX_TYPED {
        let again = Username::parse(canonical, &own);
        let again = again.unwrap_or_else(|_| panic!("{typed:?} gives {canonical:?}, refused"));
        assert_eq!(again.canonical(), Some(canonical), "{typed:?}");
    }
}
