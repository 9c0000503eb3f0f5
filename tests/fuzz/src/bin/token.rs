//! Bearer tokens. For any text:
//!
//! - a verified token has a correct signature by a live key, which is computed here independently;
//! - a verified token has every claim with the right type, our issuer and audience, has not
//!   expired and is already valid;
//! - a valid token that was changed anywhere does not verify.

#![no_main]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a violated property must abort the run"
)]

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use shared::crypto::{Claims, KeyRing, Tokens};
use shared::domain::Timestamp;

/// The one live key of the ring.
const KEY: &[u8] = b"latchkey-test-key-not-a-secret-!";

/// The current time of every run.
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// How far ahead `nbf` may be, in seconds.
const SKEW: i64 = 5;

static RING: LazyLock<KeyRing> = LazyLock::new(|| {
    let json = std::fs::read_to_string(tests::app::KEYS).expect("the ring");
    KeyRing::from_json(&json).expect("a ring")
});

static TOKENS: LazyLock<Tokens> =
    LazyLock::new(|| Tokens::new("latchkey".to_owned(), "latchkey".to_owned()));

/// A valid token.
static GOOD: LazyLock<String> = LazyLock::new(|| {
    let header = r#"{"alg":"HS256","typ":"JWT","kid":"test"}"#;
    let claims = r#"{"id":"0123456789abcdef01234567","sub":"0123456789abcdef01234567","scope":["user"],"jti":"one","sid":"two","auth_time":1800000000,"iss":"latchkey","aud":"latchkey","iat":1800000000,"nbf":1800000000,"exp":1800000060}"#;
    sign(header, claims)
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| run(input));

/// The first byte of the input says what the rest is:
///
/// - `s`: a header and, after a line break, claims; they are signed with [`KEY`];
/// - `m`: changes to [`GOOD`]: two bytes for the position, one for the new value;
/// - any other: the whole input is a token.
fn run(input: &[u8]) {
    match input.split_first() {
        Some((b's', rest)) => {
            let Ok(text) = std::str::from_utf8(rest) else {
                return;
            };
            let (header, claims) = text.split_once('\n').unwrap_or((text, ""));
            check(&sign(header, claims));
        }
        Some((b'm', changes)) => {
            let mut bytes = GOOD.as_bytes().to_vec();
            for change in changes.as_chunks::<3>().0 {
                let [high, low, byte] = *change;
                let at = usize::from(u16::from_be_bytes([high, low])) % bytes.len();
                bytes[at] = byte;
            }
            let Ok(token) = String::from_utf8(bytes) else {
                return;
            };
            assert_eq!(check(&token).is_some(), token == *GOOD, "{token}");
        }
        _ => {
            if let Ok(token) = std::str::from_utf8(input) {
                check(token);
            }
        }
    }
}

fn tag(message: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(KEY).expect("a key");
    let tag = mac.chain_update(message).finalize().into_bytes();
    URL_SAFE_NO_PAD.encode(tag)
}

fn sign(header: &str, claims: &str) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let message = format!("{header}.{claims}");
    let tag = tag(&message);
    format!("{message}.{tag}")
}

/// Returns the claims of a token that verifies, after asserting that it should.
fn check(token: &str) -> Option<Claims> {
    let verified = TOKENS.verify(&RING, token, NOW).ok()?;

    let (message, presented) = token.rsplit_once('.').expect("a tag");
    assert_eq!(presented, tag(message), "not signed by us: {token}");
    let (header, claims) = message.split_once('.').expect("two parts");
    let [header, claims] = [header, claims].map(|part| {
        let json = URL_SAFE_NO_PAD.decode(part).expect("base64url");
        serde_json::from_slice::<Value>(&json)
    });
    // An unknown member may hold invalid text, such as half of a surrogate pair.
    let (Ok(header), Ok(claims)) = (header, claims) else {
        return Some(verified);
    };
    assert_eq!(header["alg"], "HS256");
    assert_eq!(header["kid"], "test");
    assert!(header.get("crit").is_none(), "{header}");
    for name in ["iss", "aud"] {
        assert_eq!(claims[name], "latchkey", "{name}");
    }
    for (name, value) in [
        ("id", verified.account.as_str()),
        ("sub", verified.account.as_str()),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert!(claims["jti"].is_string(), "{claims}");
    assert_eq!(claims["sid"], verified.session.as_str());
    assert!((1..=255).contains(&verified.session.len()));
    let is_text = |scope: &Value| scope.is_string();
    let scopes = claims["scope"].as_array().expect("scopes");
    assert!(scopes.iter().all(is_text), "{claims}");
    let [auth_time, _, nbf, exp] =
        ["auth_time", "iat", "nbf", "exp"].map(|name| claims[name].as_i64().expect("a number"));
    assert!(nbf <= NOW.secs() + SKEW && NOW.secs() < exp, "{claims}");
    // A `Timestamp` is the nearest time that it can hold.
    assert_eq!(verified.authenticated_at, Timestamp::from_secs(auth_time));
    assert_eq!(verified.expires_at, Timestamp::from_secs(exp));
    Some(verified)
}
