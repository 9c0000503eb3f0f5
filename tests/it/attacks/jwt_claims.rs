//! RFC 8725, sections 3.8 to 3.12: the claims of a token. [`super::jwt`] lists all sections.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tests::app::{TestApp, get};

use super::jwt::with_header;
use crate::tokens::{assert_invalid, claims, sign, sign_with, with_claims};

// Section 3.8.
#[tokio::test]
async fn an_issuer_or_subject_that_only_resembles_ours_is_refused() {
    let (app, claims) = with_claims().await;
    let id = claims["id"].as_str().unwrap();

    for (name, value) in [
        ("iss", "Latchkey".to_owned()),
        ("iss", "latchkey ".to_owned()),
        ("iss", "latchkey/".to_owned()),
        ("iss", "latchkey\0".to_owned()),
        ("iss", "latchke".to_owned()),
        ("iss", "l\u{430}tchkey".to_owned()),
        ("sub", id.to_uppercase()),
        ("sub", format!("{id} ")),
        ("sub", String::new()),
    ] {
        let mut changed = claims.clone();
        changed[name] = json!(value);
        assert_invalid(&app, &sign(&changed), &format!("{name}: {value:?}")).await;
    }
    // Both claims agree, but are not a valid account id.
    for no_id in [id.to_uppercase(), format!("user#{id}"), "*".to_owned()] {
        let mut changed = claims.clone();
        changed["id"] = json!(no_id);
        changed["sub"] = json!(no_id);
        assert_invalid(&app, &sign(&changed), &no_id).await;
    }
}

// Section 3.9.
#[tokio::test]
async fn a_token_for_another_issuer_or_audience_is_refused() {
    let (app, token) = TestApp::with_user().await;

    for setting in ["JWT_AUDIENCE", "JWT_ISSUER"] {
        let elsewhere = app.another(&[(setting, "elsewhere")]);
        let theirs = elsewhere
            .sign_in("abc@example.com", tests::app::PASSWORD)
            .await;

        assert_invalid(&app, &theirs.token(), setting).await;
        assert_invalid(&elsewhere, &token, setting).await;
        assert_eq!(elsewhere.user(&theirs.token()).await.status, 200);
    }
    let (app, claims) = with_claims().await;
    for several in [
        json!(["latchkey"]),
        json!(["elsewhere", "latchkey"]),
        json!("latchkey,x"),
    ] {
        let mut changed = claims.clone();
        changed["aud"] = several.clone();
        assert_invalid(&app, &sign(&changed), &several.to_string()).await;
    }
}

// Section 3.10.
#[tokio::test]
async fn token_contents_cannot_trigger_calls_or_read_other_items() {
    let (app, token_claims) = with_claims().await;
    let long = "k".repeat(4000);
    let _ = app.wire.take_calls();

    for kid in [
        "../../dev/null",
        "/etc/passwd",
        "' OR '1'='1",
        "test\0",
        "test;",
        "*)(uid=*",
        "http://169.254.169.254/",
        "user#1",
        "${jndi:ldap://x}",
        long.as_str(),
    ] {
        assert_invalid(&app, &with_header(&json!({"kid": kid}), &token_claims), kid).await;
    }
    for (name, value) in [
        ("jku", json!("http://169.254.169.254/latest/meta-data")),
        ("x5u", json!("file:///dev/zero")),
        ("x5c", json!(["AAAA"])),
        ("jwk", json!({"kty": "oct", "k": "AAAA"})),
    ] {
        let header = json!({"alg": "HS256", "kid": "test", name: value});
        let forged = sign_with(&[0; 3], &header, &token_claims.to_string());
        assert_invalid(&app, &forged, name).await;
    }
    assert!(
        app.wire.take_calls().is_empty(),
        "a forged token caused a call"
    );

    // Even in a valid token, `sid` is only used to read this account's session.
    for sid in ["x", "#", "../user#1", "0\u{0}1", "\u{1f511}"] {
        let mut claims = token_claims.clone();
        claims["sid"] = json!(sid);
        assert_eq!(app.user(&sign(&claims)).await.message(), "Bad token");
        let calls = app.wire.take_calls();
        let [call] = &calls[..] else {
            panic!("{calls:?}")
        };
        let touched: Vec<_> = call.uses.iter().map(|one| one.prefix.as_str()).collect();
        assert_eq!(touched, ["own#", "session#", "user#"], "{sid}");
    }
}

// Sections 3.11 and 3.12.
#[tokio::test]
async fn a_token_of_another_type_is_refused() {
    let (app, ours) = with_claims().await;
    let (id, now) = (&ours["id"], &ours["iat"]);
    let base = json!({"iss": "latchkey", "aud": "latchkey", "sub": id, "iat": now,
                      "exp": ours["exp"], "nbf": now, "jti": "0123456789abcdef"});

    for (typ, more) in [
        ("JWT", json!({"nonce": "n", "email": "abc@example.com"})),
        ("at+jwt", json!({"client_id": "c", "scope": "user"})),
        (
            "logout+jwt",
            json!({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}),
        ),
        ("secevent+jwt", json!({"events": {}, "txn": "t"})),
        (
            "dpop+jwt",
            json!({"htm": "GET", "htu": "http://localhost/user"}),
        ),
        ("JWT", json!({"purpose": "password-reset"})),
    ] {
        let mut claims = base.clone();
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        assert_invalid(&app, &with_header(&json!({"typ": typ}), &claims), typ).await;
    }
    assert_eq!(app.user(&sign(&ours)).await.status, 200);
}

#[tokio::test]
async fn a_token_made_to_exhaust_its_parser_is_refused() {
    let (app, _) = with_claims().await;
    let deep = "[".repeat(5000);
    let many = format!("{{{}\"alg\":\"HS256\"}}", "\"x\":0,".repeat(800));
    let balanced = format!(
        "{{\"alg\":\"HS256\",\"kid\":\"test\",\"jwk\":{}{}}}",
        "[".repeat(2000),
        "]".repeat(2000)
    );

    for header in [deep, many, balanced] {
        let token = format!("{}.e30.AAAA", URL_SAFE_NO_PAD.encode(header));
        assert_invalid(&app, &token, "an odd header").await;
    }
    for dots in [3, 100, 7000] {
        let answer = app.call(get("/user").bearer(&".".repeat(dots))).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.message(), "Invalid JWT: Token format not valid");
    }
    let claims = claims(
        "000000000000000000000000",
        shared::domain::Timestamp::from_secs(i64::MAX),
    );
    let answer = app.user(&sign(&claims)).await;
    assert_eq!(answer.status, 401, "{answer:?}");
}
