//! `POST /user/auth`.

use std::time::Duration;

use serde_json::{Value, json};
use tests::app::{PASSWORD, TestApp, post};

async fn with_alice() -> TestApp {
    let app = TestApp::new().await;
    let body = json!({"username": "Alice", "email": "Alice@Example.com", "password": PASSWORD});
    assert_eq!(app.call(post("/user", &body)).await.status, 200);
    app
}

async fn sign_in(app: &TestApp, body: Value) -> (u16, String) {
    let answer = app.call(post("/user/auth", &body)).await;
    (answer.status, answer.message().to_owned())
}

#[tokio::test]
async fn a_sign_in_returns_the_user_and_a_token() {
    let app = with_alice().await;

    let answer = app.sign_in("alice", PASSWORD).await;

    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({"user": {
            "id": answer.body["user"]["id"], "username": "Alice", "isActive": false,
            "email": "Alice@Example.com", "plan": "free", "vendor": null, "scope": ["user"],
        }, "token": answer.token()})
    );
    assert_eq!(
        app.user(&answer.token()).await.body["email"],
        "Alice@Example.com"
    );
}

#[tokio::test]
async fn an_email_or_username_signs_in_regardless_of_case_and_width() {
    let app = with_alice().await;

    for body in [
        json!({"username": "alice", "password": PASSWORD}),
        json!({"username": "ＡＬＩＣＥ", "password": PASSWORD}),
        json!({"username": "alice@example.com", "password": PASSWORD}),
        json!({"username": "alice＠example.com", "password": PASSWORD}),
        json!({"email": "ALICE@EXAMPLE.COM", "password": PASSWORD}),
        json!({"email": "alice@example.com", "username": "nobody", "password": PASSWORD}),
        json!({"email": null, "username": "alice", "password": PASSWORD}),
    ] {
        assert_eq!(sign_in(&app, body.clone()).await.0, 200, "{body}");
    }
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_get_the_same_response() {
    let app = with_alice().await;

    let wrong = app.sign_in("alice", "abc322").await;
    let unknown = app.sign_in("nobody", "abc322").await;

    wrong.assert_refused(403, "Forbidden", "Invalid username or password.");
    assert_eq!((wrong.status, &wrong.body), (unknown.status, &unknown.body));
    assert_eq!(wrong.headers, unknown.headers);
}

#[tokio::test]
async fn malformed_credentials_are_refused_like_wrong_ones() {
    let app = with_alice().await;

    for body in [
        json!({"username": "", "password": PASSWORD}),
        json!({"username": "a b", "password": PASSWORD}),
        json!({"username": "a\u{0}b", "password": PASSWORD}),
        json!({"username": "\u{202e}alice", "password": PASSWORD}),
        json!({"username": "a@b@c", "password": PASSWORD}),
        json!({"username": "x".repeat(5000), "password": PASSWORD}),
        json!({"email": "alice", "password": PASSWORD}),
        json!({"email": "alice@example.com.", "password": PASSWORD}),
        json!({"username": "alice", "password": ""}),
        json!({"username": "alice", "password": "x".repeat(5000)}),
        json!({"username": "alice", "password": "ABC321"}),
        json!({"username": "alice", "password": " abc321"}),
        json!({"username": "alice", "password": "abc321\u{0}"}),
    ] {
        let (status, message) = sign_in(&app, body.clone()).await;

        assert_eq!(status, 403, "{body}");
        assert_eq!(message, "Invalid username or password.");
    }
}

#[tokio::test]
async fn a_missing_or_mistyped_field_is_named() {
    let app = TestApp::new().await;

    for (body, message) in [
        (json!({}), "\"username\" is required"),
        (json!({"password": PASSWORD}), "\"username\" is required"),
        (json!({"username": "alice"}), "\"password\" is required"),
        (
            json!({"username": "alice", "password": null}),
            "\"password\" is required",
        ),
        (
            json!({"username": 7, "password": PASSWORD}),
            "\"username\" must be a string",
        ),
        (
            json!({"email": [], "password": PASSWORD}),
            "\"email\" must be a string",
        ),
        (
            json!({"email": "a@b.c", "username": 7, "password": PASSWORD}),
            "\"username\" must be a string",
        ),
        (
            json!({"username": "alice", "password": {}}),
            "\"password\" must be a string",
        ),
    ] {
        assert_eq!(
            sign_in(&app, body.clone()).await,
            (400, message.to_owned()),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_password_is_verified_exactly_as_received() {
    let app = TestApp::new().await;
    let password = "  pa\u{308}ss\u{0}wörd ✓  ";
    let body = json!({"email": "abc@example.com", "password": password});
    assert_eq!(app.call(post("/user", &body)).await.status, 200);

    assert_eq!(app.sign_in("abc@example.com", password).await.status, 200);
    for other in [password.trim(), "  p\u{e4}ss\u{0}wörd ✓  ", "  pa\u{308}ss"] {
        assert_eq!(app.sign_in("abc@example.com", other).await.status, 403);
    }
}

#[tokio::test]
async fn a_sign_in_ignores_credentials_in_headers() {
    let app = with_alice().await;

    let body = json!({"username": "alice", "password": PASSWORD});
    let call = post("/user/auth", &body).header("authorization", "Basic x");
    let answer = app.call(call.header("x-api-key", "api_unknown")).await;

    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn claims_without_their_account_sign_nobody_in() {
    let app = with_alice().await;
    let users = app.users().await;
    let account = users.keys().find(|key| key.starts_with("user#")).unwrap();
    app.delete(&app.app.config.tables.users, account).await;

    assert_eq!(app.sign_in("alice", PASSWORD).await.status, 503);
}

#[tokio::test]
async fn a_sign_in_records_the_last_login() {
    let app = with_alice().await;
    app.clock.advance(Duration::from_mins(1));

    app.sign_in("alice", PASSWORD).await;

    let account = app.account_item().await;
    assert_eq!(account["last_login"].as_n().unwrap(), "1800000060250");
}

#[tokio::test]
async fn a_sign_in_replaces_a_hash_of_another_cost_in_every_claim() {
    let app = with_alice().await;
    let stronger = app.another(&[("ARGON2_ITERATIONS", "2")]);
    let hashes = async || {
        let claims = app
            .users()
            .await
            .into_iter()
            .filter(|(key, _)| key.ends_with("/claim"));
        let hashes: Vec<String> = claims
            .map(|(_, claim)| claim["password_hash"].as_s().unwrap().clone())
            .collect();
        hashes
    };
    assert!(
        hashes()
            .await
            .iter()
            .all(|hash| hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"))
    );

    assert_eq!(stronger.sign_in("alice", "wrong1").await.status, 403);
    assert!(
        hashes().await.iter().all(|hash| hash.contains("t=1")),
        "not by a wrong password"
    );
    assert_eq!(stronger.sign_in("alice", PASSWORD).await.status, 200);

    let replaced = hashes().await;
    assert_eq!(replaced.len(), 2);
    assert!(
        replaced
            .iter()
            .all(|hash| hash.starts_with("$argon2id$v=19$m=8,t=2,p=1$"))
    );
    assert_eq!(replaced[0], replaced[1]);
    assert_eq!(app.sign_in("alice@example.com", PASSWORD).await.status, 200);
}
