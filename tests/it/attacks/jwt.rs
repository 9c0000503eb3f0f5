//! RFC 8725, JSON Web Token Best Current Practices, section by section.
//!
//! | section | asks for | held by |
//! | --- | --- | --- |
//! | 3.1 | the algorithm is the verifier's choice | [`no_name_of_an_algorithm_changes_how_a_token_is_verified`], `tokens::only_our_key_and_algorithm_sign` |
//! | 3.2 | appropriate algorithms | [`a_token_of_ours_is_signed_with_hs256_and_names_its_key_alone`] |
//! | 3.3 | every cryptographic operation is validated | [`a_token_within_a_token_is_not_unwrapped`] |
//! | 3.4 | cryptographic inputs are validated | [`a_tag_is_taken_whole_or_not_at_all`]; there is no elliptic curve: [`what_is_encrypted_is_refused`] |
//! | 3.5 | keys have enough entropy | [`no_ring_takes_a_key_shorter_than_the_hash`], `shared::crypto::key_ring::a_weak_or_ambiguous_ring_is_refused` |
//! | 3.6 | nothing is compressed before it is encrypted | does not apply; [`what_is_compressed_is_refused`] |
//! | 3.7 | UTF-8 | [`claims_in_another_encoding_than_utf_8_are_refused`] |
//! | 3.8 | issuer and subject are validated | `attacks::jwt_claims::an_issuer_or_subject_that_only_resembles_ours_is_refused`, `tokens::a_claim_that_is_not_ours_or_of_another_type_is_refused` |
//! | 3.9 | the audience is used and validated | `attacks::jwt_claims::a_token_for_another_audience_of_the_same_key_is_refused` |
//! | 3.10 | claims received are not trusted | `attacks::jwt_claims::no_header_or_claim_makes_a_call_or_reads_another_item`, `tokens::headers_that_bring_their_own_key_are_ignored` |
//! | 3.11 | explicit typing | chosen otherwise: there is one kind of token, told apart by its claims: `attacks::jwt_claims::a_token_of_another_kind_lacks_claims_and_is_refused` |
//! | 3.12 | rules of different kinds exclude each other | `attacks::jwt_claims::a_token_of_another_kind_lacks_claims_and_is_refused`, `tokens::every_claim_is_required` |

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use shared::crypto::KeyRing;
use tests::app::TestApp;

use crate::tokens::{KEY, assert_invalid, sign, sign_with, with_claims};

fn header() -> Value {
    json!({"alg": "HS256", "typ": "JWT", "kid": "test"})
}

/// A token with these changes to its header, signed with the tests' key.
pub(super) fn with_header(changes: &Value, claims: &Value) -> String {
    let mut header = header();
    for (name, value) in changes.as_object().unwrap() {
        header[name] = value.clone();
    }
    sign_with(KEY, &header, &claims.to_string())
}

/// A token of any bytes as its claims, signed with the tests' key.
fn sign_bytes(header: &Value, payload: &[u8]) -> String {
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
    let tag = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
    let tag = tag.chain_update(&message).finalize().into_bytes();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

// Section 3.1.
#[tokio::test]
async fn no_name_of_an_algorithm_changes_how_a_token_is_verified() {
    let (app, claims) = with_claims().await;

    // The registry of RFC 7518 and later, and spellings that a lax comparison would let through.
    for algorithm in [
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        "hs256",
        "Hs256",
        "HS256 ",
        " HS256",
        "HS256\0",
        "HS-256",
        "HMAC",
        "SHA256",
        "HS384",
        "HS512",
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "PS384",
        "PS512",
        "ES256",
        "ES384",
        "ES512",
        "ES256K",
        "EdDSA",
        "Ed25519",
        "dir",
        "A256KW",
        "PBES2-HS256+A128KW",
        "RSA1_5",
        "RSA-OAEP",
        "ECDH-ES",
    ] {
        let token = with_header(&json!({"alg": algorithm}), &claims);
        assert_invalid(&app, &token, algorithm).await;
        let (message, _) = token.rsplit_once('.').unwrap();
        assert_invalid(&app, &format!("{message}."), algorithm).await;
    }
    for algorithm in [
        json!(["HS256"]),
        json!({"HS256": 1}),
        json!(256),
        json!(true),
    ] {
        let token = with_header(&json!({"alg": algorithm}), &claims);
        assert_invalid(&app, &token, &algorithm.to_string()).await;
    }
}

#[tokio::test]
async fn an_algorithm_named_twice_is_refused() {
    let (app, claims) = with_claims().await;
    let twice = r#"{"alg":"none","alg":"HS256","kid":"test"}"#;
    let sign_raw = |header: &str| {
        let header = URL_SAFE_NO_PAD.encode(header);
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let tag = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
        let tag = tag.chain_update(&message).finalize().into_bytes();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
    };

    assert_invalid(&app, &sign_raw(twice), "alg twice").await;
    let kid_twice = r#"{"alg":"HS256","kid":"stolen","kid":"test"}"#;
    assert_invalid(&app, &sign_raw(kid_twice), "kid twice").await;
    let once = r#"{"alg":"HS256","kid":"test"}"#;
    assert_eq!(app.user(&sign_raw(once)).await.status, 200);
}

// Section 3.2.
#[tokio::test]
async fn a_token_of_ours_is_signed_with_hs256_and_names_its_key_alone() {
    let (app, signed_up) = TestApp::with_user().await;
    let logged_in = app.log_in("abc@example.com", tests::app::PASSWORD).await;

    for token in [signed_up, logged_in.token()] {
        assert_eq!(part(&token, 0), header());
        let tag = token.rsplit('.').next().unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(tag).unwrap().len(), 32);
    }
}

// Section 3.3.
#[tokio::test]
async fn a_token_within_a_token_is_not_unwrapped() {
    let (app, claims) = with_claims().await;
    let inner = sign(&claims);
    let mut nested = header();
    nested["cty"] = json!("JWT");

    let signed = sign_bytes(&nested, inner.as_bytes());
    assert_invalid(&app, &signed, "a signed token as the payload").await;
    let quoted = sign_bytes(&nested, json!(inner).to_string().as_bytes());
    assert_invalid(&app, &quoted, "a signed token as a JSON string").await;
    let foreign = sign_with(&[7; 32], &nested, &inner);
    assert_invalid(&app, &foreign, "ours within another's").await;
}

// Section 3.4.
#[tokio::test]
async fn a_tag_is_taken_whole_or_not_at_all() {
    let (app, claims) = with_claims().await;
    let token = sign(&claims);
    let (message, tag) = token.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(tag).unwrap();

    for length in 0..32 {
        let short = URL_SAFE_NO_PAD.encode(&bytes[..length]);
        assert_invalid(&app, &format!("{message}.{short}"), "a tag cut off").await;
    }
    let long = URL_SAFE_NO_PAD.encode([&bytes[..], &[0]].concat());
    assert_invalid(&app, &format!("{message}.{long}"), "a tag with more").await;
    let zeros = URL_SAFE_NO_PAD.encode([0; 32]);
    assert_invalid(&app, &format!("{message}.{zeros}"), "a tag of zeros").await;
    assert_eq!(app.user(&token).await.status, 200);
}

// Sections 3.3 and 3.4: there is no encryption, and so no curve to be wrong about.
#[tokio::test]
async fn what_is_encrypted_is_refused() {
    let (app, claims) = with_claims().await;
    let jwe = json!({"alg": "dir", "enc": "A256GCM", "kid": "test"});
    let jwe = URL_SAFE_NO_PAD.encode(jwe.to_string());

    let answer = app.user(&format!("{jwe}..AAAA.AAAA.AAAA")).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.message(), "Invalid JWT: Token format not valid");

    let curve = json!({"alg": "ECDH-ES", "enc": "A256GCM",
                       "epk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}});
    assert_invalid(&app, &with_header(&curve, &claims), "an ephemeral key").await;
}

// Section 3.5.
#[test]
fn no_ring_takes_a_key_shorter_than_the_hash() {
    let ring = |key: &[u8]| {
        let key = URL_SAFE_NO_PAD.encode(key);
        json!({"keys": [{"kid": "a", "state": "active", "key": key}]}).to_string()
    };

    for password in [
        "",
        "secret",
        "correct horse battery staple",
        "0123456789012345678901234567890",
    ] {
        assert!(
            KeyRing::from_json(&ring(password.as_bytes())).is_err(),
            "{password}"
        );
    }
    assert!(KeyRing::from_json(&ring(KEY)).is_ok());
}

// Section 3.6.
#[tokio::test]
async fn what_is_compressed_is_refused() {
    let (app, claims) = with_claims().await;
    let text = claims.to_string();
    let length = u16::try_from(text.len()).unwrap();
    // DEFLATE with one stored block (RFC 1951 section 3.2.4).
    let mut deflated = vec![1];
    deflated.extend(length.to_le_bytes());
    deflated.extend((!length).to_le_bytes());
    deflated.extend(text.as_bytes());
    let mut zipped = header();
    zipped["zip"] = json!("DEF");

    assert_invalid(&app, &sign_bytes(&zipped, &deflated), "deflated").await;
}

// Section 3.7.
#[tokio::test]
async fn claims_in_another_encoding_than_utf_8_are_refused() {
    let (app, mut claims) = with_claims().await;
    let text = claims.to_string();
    let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    claims["scope"] = json!(["\u{e9}"]);
    let latin_1 = claims.to_string().replace('\u{e9}', "?").into_bytes();
    let latin_1: Vec<u8> = latin_1
        .into_iter()
        .map(|byte| if byte == b'?' { 0xe9 } else { byte })
        .collect();

    for (payload, why) in [
        (utf_16, "UTF-16"),
        (marked, "a byte order mark"),
        (latin_1, "Latin-1"),
    ] {
        assert_invalid(&app, &sign_bytes(&header(), &payload), why).await;
    }
    let utf_8 = sign_bytes(&header(), claims.to_string().as_bytes());
    assert_eq!(app.user(&utf_8).await.status, 200);
}
