//! RFC 8725, JSON Web Token Best Current Practices, section by section.
//!
//! | section | requirement | tests |
//! | --- | --- | --- |
//! | 3.1 | the verifier chooses the algorithm | [`an_hs256_key_accepts_no_other_algorithm`], `public_keys::a_public_key_is_never_taken_for_a_secret`, `public_keys::an_rsa_key_verifies_rs256_alone`, `tokens::only_our_key_and_algorithm_are_accepted` |
//! | 3.2 | appropriate algorithms | [`tokens_of_an_hs256_key_name_only_that_key`] |
//! | 3.3 | validate all cryptographic operations | [`a_nested_token_is_refused`] |
//! | 3.4 | validate cryptographic inputs | [`a_truncated_or_extended_signature_is_refused`]; points of elliptic curves are part of no token: [`an_encrypted_token_is_refused`] |
//! | 3.5 | use keys with enough entropy | [`a_key_shorter_than_the_hash_is_refused`], `shared::crypto::key_ring::a_weak_or_ambiguous_ring_is_refused` |
//! | 3.6 | do not compress before encryption | not applicable; [`a_compressed_token_is_refused`] |
//! | 3.7 | UTF-8 | [`claims_not_encoded_in_utf_8_are_refused`] |
//! | 3.8 | validate issuer and subject | `attacks::jwt_claims::an_issuer_or_subject_that_only_resembles_ours_is_refused`, `tokens::a_claim_with_a_foreign_value_or_wrong_type_is_refused` |
//! | 3.9 | use and validate the audience | `attacks::jwt_claims::a_token_for_another_issuer_or_audience_is_refused` |
//! | 3.10 | do not trust received claims | `attacks::jwt_claims::token_contents_cannot_trigger_calls_or_read_other_items`, `tokens::keys_embedded_in_token_headers_are_ignored` |
//! | 3.11 | use explicit typing | `at+jwt` if others can verify the token: `public_keys::a_token_of_another_form_than_its_key_s_is_refused`; else there is one type, recognized by its claims: `attacks::jwt_claims::a_token_of_another_type_is_refused` |
//! | 3.12 | use mutually exclusive rules for different types | `attacks::jwt_claims::a_token_of_another_type_is_refused`, `tokens::every_token_claim_is_required` |

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

/// A token with these changes to its header, signed with the active key of the tests.
pub(super) fn with_header(changes: &Value, claims: &Value) -> String {
    let mut header = header();
    for (name, value) in changes.as_object().unwrap() {
        header[name] = value.clone();
    }
    sign_with(KEY, &header, &claims.to_string())
}

/// A token with these bytes as its payload, signed with the active key of the tests.
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
async fn an_hs256_key_accepts_no_other_algorithm() {
    let (app, claims) = with_claims().await;

    // Registered names, of RFC 7518 and later, and spellings that a lax comparison would accept.
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
        json!({"HS256": null}),
        json!(256),
        json!(true),
    ] {
        let token = with_header(&json!({"alg": algorithm}), &claims);
        assert_invalid(&app, &token, &algorithm.to_string()).await;
    }
}

#[tokio::test]
async fn a_duplicate_algorithm_or_key_id_is_refused() {
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
async fn tokens_of_an_hs256_key_name_only_that_key() {
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
async fn a_nested_token_is_refused() {
    let (app, claims) = with_claims().await;
    let inner = sign(&claims);
    let mut nested = header();
    nested["cty"] = json!("JWT");

    let signed = sign_bytes(&nested, inner.as_bytes());
    assert_invalid(&app, &signed, "a signed token as the payload").await;
    let quoted = sign_bytes(&nested, json!(inner).to_string().as_bytes());
    assert_invalid(&app, &quoted, "a signed token as a JSON string").await;
    let foreign = sign_with(&[7; 32], &nested, &inner);
    assert_invalid(&app, &foreign, "our token within a foreign one").await;
}

// Section 3.4.
#[tokio::test]
async fn a_truncated_or_extended_signature_is_refused() {
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

// Sections 3.3 and 3.4: encryption and elliptic curves are not supported.
#[tokio::test]
async fn an_encrypted_token_is_refused() {
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
fn a_key_shorter_than_the_hash_is_refused() {
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
async fn a_compressed_token_is_refused() {
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
async fn claims_not_encoded_in_utf_8_are_refused() {
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
