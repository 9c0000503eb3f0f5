//! Emails. For any text:
//!
//! - an accepted email has a bounded length and keeps the text as typed;
//! - canonicalization is idempotent;
//! - the case of ASCII letters does not matter;
//! - the account signs in by the text as typed and by its canonical form.

#![no_main]
#![expect(clippy::panic, reason = "a violated property must abort the run")]

use shared::domain::{Email, Identifier};

/// The longest address as typed, in bytes.
const MAX_TYPED: usize = 254;

/// The longest canonical form, in bytes.
const MAX_CANONICAL: usize = 512;

libfuzzer_sys::fuzz_target!(|input: &[u8]| run(input));

/// The input is an email as typed.
fn run(input: &[u8]) {
    let Ok(typed) = std::str::from_utf8(input) else {
        return;
    };
    let found = Identifier::parse_email(typed);
    let Ok(email) = Email::parse(typed) else {
        assert!(!matches!(found, Identifier::Username(_)), "{typed:?}");
        return;
    };
    let canonical = email.canonical();
    assert_eq!(email.typed(), typed);
    assert!(typed.len() <= MAX_TYPED && canonical.len() <= MAX_CANONICAL);
    assert_eq!(canonical.matches('@').count(), 1, "{canonical:?}");

    let holder = Identifier::Email(canonical.to_owned());
    assert_eq!(found, holder, "{typed:?}");
    assert_eq!(Identifier::parse(typed), holder, "{typed:?}");
    // An A-label may be longer than the text as typed, and exceed the limit.
    if canonical.len() <= MAX_TYPED {
        let again = Email::parse(canonical);
        let again = again.unwrap_or_else(|_| panic!("{typed:?} gives {canonical:?}, refused"));
        assert_eq!(again.canonical(), canonical, "{typed:?}");
        assert_eq!(Identifier::parse(canonical), holder, "{typed:?}");
    }
    for other_case in [typed.to_ascii_uppercase(), typed.to_ascii_lowercase()] {
        if let Ok(other) = Email::parse(&other_case) {
            assert_eq!(other.canonical(), canonical, "{typed:?} and {other_case:?}");
        }
    }
}
