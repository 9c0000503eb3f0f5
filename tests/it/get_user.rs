//! `GET /user`, and every credential that it refuses.

use std::time::Duration;

use serde_json::json;
use shared::domain::Timestamp;
use shared::ports::Clock;
use tests::app::{Answer, TestApp, account_key, get};

use crate::tokens::{claims, claims_of, sign};

fn assert_denied(answer: &Answer, message: &str) {
    answer.assert_refused(401, "Unauthorized", message);
    let challenge = format!("Bearer error=\"{message}\"");
    assert_eq!(answer.header("www-authenticate"), Some(challenge.as_str()));
}

const SIGNATURE: &str = "Invalid JWT: key or signature is invalid";
const FORMAT: &str = "Invalid JWT: Token format not valid";

#[tokio::test]
async fn a_token_returns_the_account_of_its_owner() {
    let (app, token) = TestApp::with_user().await;

    let answer = app.user(&token).await;

    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({
            "id": answer.body["id"], "username": "abc@example.com", "isActive": false,
            "email": "abc@example.com", "scope": ["user"], "plan": "free",
        })
    );
}

#[tokio::test]
async fn changed_scopes_are_returned_at_once() {
    let (app, token) = TestApp::with_user().await;
    let id = app.user_id(&token).await;

    app.grant(&id, &["user", "admin"]).await;

    assert_eq!(
        app.user(&token).await.body["scope"],
        json!(["user", "admin"])
    );
}

#[tokio::test]
async fn without_credentials_the_challenge_names_no_error() {
    let app = TestApp::new().await;

    let answer = app.call(get("/user")).await;

    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.message(),
        "authorization not found in request headers"
    );
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn the_authorization_scheme_is_case_insensitive() {
    let (app, token) = TestApp::with_user().await;

    for scheme in ["bearer", "BEARER", "bEaReR", "Bearer "] {
        let call = get("/user").header("authorization", &format!("{scheme} {token}"));

        assert_eq!(app.call(call).await.status, 200, "{scheme}");
    }
}

#[tokio::test]
async fn the_error_names_another_known_authorization_scheme() {
    let app = TestApp::new().await;

    for (sent, named) in [
        ("Basic dXNlcjpwYXNz", "Basic"),
        ("basic x", "Basic"),
        ("Digest username=\"x\", realm=\"y\"", "Digest"),
        ("Negotiate x", "Negotiate"),
        ("ApiKey x", "ApiKey"),
        ("TOKEN x", "Token"),
        ("Basic", "Basic"),
    ] {
        let answer = app.call(get("/user").header("authorization", sent)).await;

        assert_denied(
            &answer,
            &format!("Expected token type Bearer does not match {named}"),
        );
    }
}

#[tokio::test]
async fn a_malformed_authorization_header_is_refused_and_not_echoed() {
    let (app, token) = TestApp::with_user().await;

    for sent in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer a",
        "Bearer a.b",
        "Bearer a.b.c.d",
        "Bearer .b.c",
        "Bearer a b.c.d",
        "Bearera.b.c",
        "Hawk id=s3cret",
        "s3cret",
        token.as_str(),
        &format!("Bearer {token},Bearer {token}"),
        &format!("Bearer {token}, {token}"),
        "Bearer é.b.c",
    ] {
        let answer = app.call(get("/user").header("authorization", sent)).await;

        assert_denied(&answer, FORMAT);
    }
}

#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let (app, token) = TestApp::with_user().await;

    let bearer = format!("Bearer {token}");
    for (first, second) in [
        (bearer.as_str(), bearer.as_str()),
        (&bearer, "Basic YWJjOmFiYzMyMQ=="),
        ("Basic YWJjOmFiYzMyMQ==", &bearer),
        ("Token x", "Token x"),
    ] {
        let call = get("/user").header("authorization", first);
        let answer = app.call(call.header("authorization", second)).await;

        assert_denied(&answer, FORMAT);
    }
}

#[tokio::test]
async fn a_token_of_8_kib_gets_the_usual_error() {
    let app = TestApp::new().await;

    let long = "a".repeat(8192);
    let answer = app.call(get("/user").bearer(&long)).await;
    assert_denied(&answer, FORMAT);

    let answer = app.call(get("/user").bearer(&format!("a.{long}.c"))).await;
    assert_denied(&answer, SIGNATURE);
}

#[tokio::test]
async fn a_token_with_any_byte_changed_is_refused() {
    let (app, token) = TestApp::with_user().await;

    for position in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();

        let answer = app.user(&changed).await;

        let was_a_dot = token.as_bytes()[position] == b'.';
        assert_denied(&answer, if was_a_dot { FORMAT } else { SIGNATURE });
    }
}

#[tokio::test]
async fn a_token_with_the_last_character_of_any_part_changed_is_refused() {
    let (app, token) = TestApp::with_user().await;
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=";
    let ends = token.match_indices('.').map(|(dot, _)| dot - 1);

    for end in ends.chain([token.len() - 1]) {
        for other in alphabet.chars().filter(|c| !token[end..].starts_with(*c)) {
            let mut changed = token.clone();
            changed.replace_range(end..=end, &other.to_string());

            assert_denied(&app.user(&changed).await, SIGNATURE);
        }
    }
}

#[tokio::test]
async fn the_error_for_an_expired_token_names_its_expiry() {
    let (app, token) = TestApp::with_user().await;
    // The test clock starts at a quarter of a second past a whole one; tokens count whole seconds.
    app.clock
        .advance(Duration::from_millis(30 * 24 * 60 * 60 * 1000 - 251));
    assert_eq!(
        app.user(&token).await.status,
        200,
        "up to the last millisecond"
    );

    app.clock.advance(Duration::from_millis(1));
    assert_denied(
        &app.user(&token).await,
        "Invalid JWT: jwt expired expiredAt: \
         Sun Feb 14 2027 08:00:00 GMT+0000 (Coordinated Universal Time)",
    );
}

#[tokio::test]
async fn a_token_is_refused_more_than_five_seconds_before_its_nbf() {
    let (app, token) = TestApp::with_user().await;
    let now = app.clock.now().secs();
    let not_before = |nbf| {
        let mut claims = claims_of(&token, app.clock.now());
        claims["nbf"] = json!(nbf);
        sign(&claims)
    };

    assert_eq!(app.user(&not_before(now + 5)).await.status, 200);
    assert_denied(
        &app.user(&not_before(now + 6)).await,
        "Invalid JWT: jwt not active",
    );
}

#[tokio::test]
async fn a_token_whose_session_is_not_stored_is_refused() {
    let (app, token) = TestApp::with_user().await;
    app.clock.advance(Duration::from_millis(1));
    let other = app.sign_in("abc@example.com", "abc321").await.token();
    let sessions = app.session_keys().await;
    assert_eq!(sessions.len(), 2);

    let users = &app.app.config.tables.users;
    app.delete(users, &sessions[0]).await;

    assert_denied(&app.user(&token).await, "Bad token");
    assert_denied(&app.another(&[]).user(&token).await, "Bad token");
    assert_eq!(
        app.user(&other).await.status,
        200,
        "another session goes on"
    );
    app.delete(users, &sessions[1]).await;
    assert_denied(&app.user(&other).await, "Bad token");
}

#[tokio::test]
async fn a_token_of_another_account_s_session_is_refused() {
    let (app, token) = TestApp::with_user().await;
    let other = app.sign_up("def@example.com").await.text("/user/id");
    let mut claims = claims_of(&token, app.clock.now());
    claims["id"] = json!(other);
    claims["sub"] = json!(other);

    assert_denied(&app.user(&sign(&claims)).await, "Bad token");
}

#[tokio::test]
async fn a_session_of_another_generation_is_refused() {
    let (app, token) = TestApp::with_user().await;
    let session = app.session_keys().await.remove(0);

    for generation in ["0", "2"] {
        app.update_user(
            &session,
            "SET generation = :other",
            "attribute_exists(pk)",
            (":other", generation),
        )
        .await;

        assert_denied(&app.user(&token).await, "Bad token");
    }
}

/// DynamoDB deletes expired items late.
#[tokio::test]
async fn an_expired_session_is_refused_while_it_is_still_stored() {
    let (app, token) = TestApp::with_user().await;
    let session = app.session_keys().await.remove(0);
    let now = app.clock.now().millis().to_string();

    app.update_user(
        &session,
        "SET valid_until = :now",
        "attribute_exists(pk)",
        (":now", &now),
    )
    .await;

    assert_denied(&app.user(&token).await, "Bad token");
}

#[tokio::test]
async fn a_token_of_a_deleted_account_is_refused() {
    let (app, token) = TestApp::with_user().await;
    let id = app.user_id(&token).await;

    app.delete(&app.app.config.tables.users, &account_key(&id))
        .await;

    assert_denied(&app.user(&token).await, "Bad token");
}

#[tokio::test]
async fn an_unknown_api_key_is_refused_with_and_without_a_token() {
    let (app, token) = TestApp::with_user().await;
    let key = "api_ABCDEFGHIJKLMNOPQRSTUVWX";

    let without_token = app.call(get("/user").header("x-api-key", key)).await;
    assert_denied(&without_token, "Invalid API key");

    let with_token = app
        .call(get("/user").bearer(&token).header("X-Api-Key", key))
        .await;
    assert_denied(&with_token, "Invalid API key");
}

#[tokio::test]
async fn a_token_with_an_expiry_before_1970_is_refused() {
    let (app, token) = TestApp::with_user().await;
    let user = app.user_id(&token).await;
    let mut claims = claims(&user, Timestamp::from_secs(0));
    claims["exp"] = json!(i64::MIN);

    let answer = app.user(&sign(&claims)).await;

    assert_denied(&answer, "Invalid JWT: key or signature is invalid");
}
