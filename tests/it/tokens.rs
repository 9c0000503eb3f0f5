//! Tokens that another library or an attacker made.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use shared::auth::verify_token;
use shared::crypto::NewToken;
use shared::domain::{Client, SourceIp, Timestamp};
use shared::ports::Clock;
use tests::app::TestApp;

pub(crate) const KEY: &[u8] = b"latchkey-test-key-not-a-secret-!";

/// The claims of a valid token, which expires in a minute.
pub(crate) fn claims(account: &str, now: Timestamp) -> Value {
    json!({
        "id": account, "sub": account, "scope": ["user"], "jti": "0123456789abcdef",
        "sid": "0123456789abcdef",
        "auth_time": now.secs(),
        "iss": "latchkey", "aud": "latchkey",
        "iat": now.secs(), "nbf": now.secs(), "exp": now.secs() + 60,
    })
}

/// The claims of a valid token of this token's session.
pub(crate) fn claims_of(token: &str, now: Timestamp) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    let ours: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let mut claims = claims(ours["id"].as_str().unwrap(), now);
    claims["sid"] = ours["sid"].clone();
    claims
}

/// Signs a token with the active key of the tests.
pub(crate) fn sign(claims: &Value) -> String {
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": "test"});
    sign_with(KEY, &header, &claims.to_string())
}

/// Signs a token with a key that is not in the ring.
pub(crate) fn sign_with_foreign_key(claims: &Value) -> String {
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": "test"});
    sign_with(&[7; 32], &header, &claims.to_string())
}

pub(crate) fn sign_with(key: &[u8], header: &Value, claims: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let tag = Hmac::<Sha256>::new_from_slice(key)
        .unwrap()
        .chain_update(&message)
        .finalize()
        .into_bytes();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// An app with a user, and the claims of a valid token of that user.
pub(crate) async fn with_claims() -> (TestApp, Value) {
    let (app, token) = TestApp::with_user().await;
    let claims = claims_of(&token, app.clock.now());
    (app, claims)
}

pub(crate) async fn assert_invalid(app: &TestApp, token: &str, why: &str) {
    let answer = app.user(token).await;

    assert_eq!(answer.status, 401, "{why}");
    assert_eq!(
        answer.message(),
        "Invalid JWT: key or signature is invalid",
        "{why}"
    );
}

#[tokio::test]
async fn a_token_signed_elsewhere_with_our_key_and_claims_is_accepted() {
    let (app, claims) = with_claims().await;

    assert_eq!(app.user(&sign(&claims)).await.status, 200);
}

#[tokio::test]
async fn only_our_key_and_algorithm_are_accepted() {
    let (app, claims) = with_claims().await;
    let claims = claims.to_string();
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": "test"});
    let with = |changes: Value| {
        let mut header = header.clone();
        for (name, value) in changes.as_object().unwrap() {
            header[name] = value.clone();
        }
        sign_with(KEY, &header, &claims)
    };

    for header in [
        json!({"alg": "none"}),
        json!({"alg": "None"}),
        json!({"alg": "HS384"}),
        json!({"alg": "HS512"}),
        json!({"alg": "RS256"}),
        json!({"alg": null}),
        json!({"kid": null}),
        json!({"kid": "unknown"}),
        json!({"kid": "stolen"}),
        json!({"kid": "../test"}),
        json!({"crit": ["exp"]}),
        json!({"crit": []}),
        json!({"crit": "exp"}),
        json!({"crit": null}),
    ] {
        assert_invalid(&app, &with(header.clone()), &header.to_string()).await;
    }
    let foreign = sign_with(&[7; 32], &header, &claims);
    assert_invalid(&app, &foreign, "a foreign key").await;
    let revoked = json!({"alg": "HS256", "typ": "JWT", "kid": "stolen"});
    let revoked = sign_with(b"latchkey-test-key-stolen-long-ago", &revoked, &claims);
    assert_invalid(&app, &revoked, "a revoked key").await;
    let unsigned = with(json!({"alg": "none"}));
    let unsigned = unsigned.rsplit_once('.').unwrap().0;
    assert_invalid(&app, &format!("{unsigned}."), "no signature").await;
}

#[tokio::test]
async fn keys_embedded_in_token_headers_are_ignored() {
    let (app, claims) = with_claims().await;
    let header = json!({
        "alg": "HS256", "typ": "JWT", "kid": "test",
        "jku": "https://example.com/keys", "x5u": "https://example.com/cert",
        "jwk": {"kty": "oct", "k": URL_SAFE_NO_PAD.encode([7; 32])},
        "x5c": ["not even a certificate"],
    });

    let ours = sign_with(KEY, &header, &claims.to_string());
    assert_eq!(app.user(&ours).await.status, 200);

    let theirs = sign_with(&[7; 32], &header, &claims.to_string());
    assert_invalid(&app, &theirs, "signed with the key in its header").await;
}

#[tokio::test]
async fn every_token_claim_is_required() {
    let (app, claims) = with_claims().await;

    for name in claims.as_object().unwrap().keys() {
        let mut without = claims.clone();
        without.as_object_mut().unwrap().remove(name);

        assert_invalid(&app, &sign(&without), name).await;
    }
}

#[tokio::test]
async fn a_claim_with_a_foreign_value_or_wrong_type_is_refused() {
    let (app, claims) = with_claims().await;

    for (name, value) in [
        ("iss", json!("elsewhere")),
        ("aud", json!("elsewhere")),
        ("iss", json!(null)),
        ("aud", json!(["elsewhere"])),
        ("sub", json!("000000000000000000000000")),
        ("id", json!("user#1")),
        ("sid", json!("")),
        ("sid", json!("x".repeat(256))),
        ("scope", json!("user")),
        ("sid", json!(1)),
        ("auth_time", json!("9999999999")),
        ("auth_time", json!(1.5)),
        ("exp", json!("9999999999")),
        ("exp", json!(null)),
        ("nbf", json!(true)),
        ("iat", json!({})),
    ] {
        let mut changed = claims.clone();
        changed[name] = value.clone();

        assert_invalid(&app, &sign(&changed), &format!("{name}: {value}")).await;
    }
    let twice = claims.to_string().replacen('{', "{\"exp\":9999999999,", 1);
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": "test"});
    assert_invalid(&app, &sign_with(KEY, &header, &twice), "exp twice").await;
    assert_invalid(&app, &sign_with(KEY, &header, "[]"), "no object").await;
    assert_invalid(&app, &sign_with(KEY, &header, "{"), "no JSON").await;
}

// `vectors/pyjwt.py` made `token` with PyJWT and verified `ours` with it.
#[tokio::test]
async fn pyjwt_and_latchkey_verify_each_other_s_tokens() {
    let vector: Value = serde_json::from_str(include_str!("../vectors/pyjwt.json")).unwrap();
    let app = TestApp::new().await;
    let at = Timestamp::from_secs(vector["claims"]["iat"].as_i64().unwrap());

    let theirs = vector["token"].as_str().unwrap();
    let verified = verify_token(&app.app, theirs, at).await.unwrap();
    assert_eq!(verified.account.as_str(), vector["claims"]["id"]);
    assert_eq!(verified.session, vector["claims"]["sid"].as_str().unwrap());

    let account = crate::tokens::account_of(&vector["claims"]);
    let lifetime = shared::domain::Lifetime::parse("30d").unwrap();
    let new = NewToken {
        id: vector["claims"]["jti"].as_str().unwrap().to_owned(),
        session: &verified.session,
        authenticated_at: at,
        issued_at: at,
        expires_at: at.plus(lifetime.duration()),
    };
    let keys = app.app.keys.current(at).await.unwrap();
    let ours = app.app.tokens.issue(&keys, &account, new).unwrap();
    assert_eq!(ours.expose(), vector["ours"].as_str().unwrap());
}

/// A client that sends no `User-Agent`.
pub(crate) fn client() -> Client {
    Client {
        source: SourceIp::new([192, 0, 2, 1].into()),
        user_agent: None,
    }
}

fn account_of(claims: &Value) -> shared::domain::Account {
    use shared::domain::{Account, AccountId, Email, Username};

    let email = Email::parse("abc@example.com").unwrap();
    let username = Username::from_email(&email);
    let id = AccountId::parse(claims["id"].as_str().unwrap()).unwrap();
    Account::new(id, &email, &username, Vec::new(), Timestamp::from_secs(0))
}
