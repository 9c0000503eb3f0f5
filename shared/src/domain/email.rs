//! Email addresses.

use super::{MAX_CANONICAL_BYTES, precis};
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

/// An addr-spec (RFC 5322 section 3.4.1; RFC 6531 for non-ASCII characters) whose local part is a
/// dot-atom and whose domain has a dot: no display name, comment, quotes, domain literal or
/// trailing dot.
///
/// Addresses with the same canonical form belong to one account: the local part follows PRECIS, the
/// domain is an A-label by UTS 46. The typed form is stored and returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    typed: String,
    canonical: String,
}

/// The longest address as typed, in bytes of UTF-8 (RFC 5321 section 4.5.3.1.3, without the
/// brackets).
const MAX_BYTES: usize = 254;

impl Email {
    pub fn parse(typed: &str) -> Result<Self, InvalidEmail> {
        if typed.len() > MAX_BYTES {
            return Err(InvalidEmail);
        }
        let (local, domain) = typed.rsplit_once('@').ok_or(InvalidEmail)?;
        let local = canonical_local_part(local).ok_or(InvalidEmail)?;
        let domain = canonical_domain(domain).ok_or(InvalidEmail)?;
        let canonical = format!("{local}@{domain}");
        if canonical.len() > MAX_CANONICAL_BYTES {
            return Err(InvalidEmail);
        }
        Ok(Self {
            typed: typed.to_owned(),
            canonical,
        })
    }

    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }

    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// Where mail goes.
    #[must_use]
    pub fn mail_address(&self) -> String {
        mail_address(&self.typed, &self.canonical)
    }
}

/// The local part as typed, at the domain in ASCII. But the canonical address if its local part differs in more than
/// ASCII case: whoever signs up as `ａｂｃ@…` holds the email of `abc@…`, and only the owner of that mailbox may take it back.
pub(super) fn mail_address(typed: &str, canonical: &str) -> String {
    let (local, domain) = canonical.rsplit_once('@').unwrap_or_default();
    match typed.rsplit_once('@') {
        Some((typed, _)) if typed.eq_ignore_ascii_case(local) => format!("{typed}@{domain}"),
        _ => canonical.to_owned(),
    }
}

fn canonical_local_part(local: &str) -> Option<String> {
    let canonical = precis::canonical(local)?;
    let is_dot_atom = canonical
        .split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atom_char));
    is_dot_atom.then_some(canonical)
}

/// `atext` of RFC 5322 section 3.2.3, with the additions of RFC 6531 section 3.3.
fn is_atom_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii()
}

fn canonical_domain(domain: &str) -> Option<String> {
    let ascii = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .ok()?;
    ascii.contains('.').then(|| ascii.into_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an email address")]
pub struct InvalidEmail;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(typed: &str) -> Option<String> {
        Email::parse(typed).ok().map(|email| email.canonical)
    }

    #[test]
    fn addresses_that_differ_in_case_width_or_normal_form_are_the_same() {
        for (typed, expected) in [
            ("ABC@Example.COM", "abc@example.com"),
            ("ａｂｃ@example.com", "abc@example.com"),
            ("Jose\u{301}@example.com", "jos\u{e9}@example.com"),
            ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
            ("a@bu\u{308}cher.example", "a@xn--bcher-kva.example"),
            ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
            ("a@example\u{3002}com", "a@example.com"),
            ("o'neil+tag/x=y@example.com", "o'neil+tag/x=y@example.com"),
        ] {
            assert_eq!(canonical(typed).as_deref(), Some(expected), "{typed}");
        }
    }

    #[test]
    fn mail_goes_to_the_local_part_as_typed_unless_it_differs_in_more_than_ascii_case() {
        for (typed, expected) in [
            ("ABC@Example.COM", "ABC@example.com"),
            ("Abc@BÜCHER.example", "Abc@xn--bcher-kva.example"),
            ("ａｂｃ@example.com", "abc@example.com"),
            ("Jose\u{301}@example.com", "jos\u{e9}@example.com"),
            ("jos\u{e9}@example.com", "jos\u{e9}@example.com"),
        ] {
            let email = Email::parse(typed).unwrap();
            assert_eq!(email.mail_address(), expected);
        }
    }

    #[test]
    fn text_that_is_not_an_addr_spec_is_refused() {
        let too_long = format!("{}@example.com", "a".repeat(243));
        for typed in [
            "",
            "abc",
            "@example.com",
            "a@",
            "a@localhost",
            "a@example.com.",
            "a@.example.com",
            "a@exa mple.com",
            "a b@example.com",
            "a@b@example.com",
            ".a@example.com",
            "a.@example.com",
            "a..b@example.com",
            "\"a\"@example.com",
            "\"a b\"@example.com",
            "a(comment)@example.com",
            "a@[127.0.0.1]",
            "A <a@example.com>",
            "a@-example.com",
            "a@exa_mple.com",
            "a@example.com\n",
            "a\0@example.com",
            "\u{202e}a@example.com",
            "a\u{200d}@example.com",
            "a@xn--a.example",
            "a＠example.com",
            too_long.as_str(),
        ] {
            assert_eq!(canonical(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn an_address_of_254_bytes_is_allowed() {
        let longest = format!("{}@example.com", "a".repeat(242));

        assert!(Email::parse(&longest).is_ok());
    }

    #[test]
    fn a_canonical_form_has_at_most_512_bytes() {
        // U+3316 maps to six letters, and `Ⱥ` is a byte longer in lower case.
        let domain = ["\u{3316}"; 14].join(".");
        let ascii = canonical_domain(&format!("{domain}.com")).unwrap();
        let plain = 512 - "@".len() - ascii.len() - "ⱥ".len() * 90;
        let with = |plain| format!("{}{}@{domain}.com", "Ⱥ".repeat(90), "a".repeat(plain));

        assert_eq!(canonical(&with(plain)).map(|form| form.len()), Some(512));
        assert!(with(plain + 1).len() <= MAX_BYTES);
        assert_eq!(canonical(&with(plain + 1)), None);
    }

    #[test]
    fn the_typed_form_is_kept_with_the_canonical_form() {
        let email = Email::parse("ABC@Example.COM").unwrap();

        assert_eq!(email.typed(), "ABC@Example.COM");
        assert_eq!(email.canonical(), "abc@example.com");
    }

    proptest! {
        #[test]
        fn parsing_never_panics(typed in "\\PC{0,80}") {
            let _ = Email::parse(&typed);
        }

        #[test]
        fn a_canonical_address_is_its_own_canonical_form(
            local in "[\\PC&&[^@]]{1,20}", domain in "[a-zA-Zäöüß]{1,10}\\.[a-z]{2,5}",
        ) {
            if let Some(once) = canonical(&format!("{local}@{domain}")) {
                prop_assert_eq!(canonical(&once), Some(once));
            }
        }
    }
}
