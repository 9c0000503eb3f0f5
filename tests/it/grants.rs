//! `grant-scopes`: an operator replaces the scopes of an account.

use local::functions::operate;
use serde_json::{Value, json};
use tests::app::{PASSWORD, TestApp, post};

use crate::events::event;

async fn grant(app: &TestApp, request: Value) -> Result<Value, String> {
    operate("grant-scopes", &app.app, request).await.unwrap()
}

#[tokio::test]
async fn replaced_scopes_take_effect_with_the_next_request() {
    let (app, token) = TestApp::with_user().await;
    let elsewhere = app.another(&[]);

    let granted = grant(&app, event("grant-scopes.json", "")).await.unwrap();
    assert_eq!(granted["scope"], json!(["user", "admin"]));
    let user = elsewhere.user(&token).await.body;
    assert_eq!(user["scope"], json!(["user", "admin"]));
    assert_eq!(granted["id"], user["id"]);

    let none = json!({"email": "ABC@example.com", "scopes": []});
    grant(&app, none).await.unwrap();
    assert_eq!(elsewhere.user(&token).await.body["scope"], json!([]));
}

#[tokio::test]
async fn a_grant_finds_the_account_by_username_or_email() {
    let app = TestApp::new().await;
    let alice = json!({"username": "Alice", "email": "a@example.com", "password": PASSWORD});
    app.call(post("/user", &alice)).await;

    for name in [
        json!({"username": "ALICE"}),
        json!({"email": "A@example.com"}),
    ] {
        let mut request = name.clone();
        request["scopes"] = json!(["admin"]);

        assert!(grant(&app, request).await.is_ok(), "{name}");
    }
}

#[tokio::test]
async fn an_invalid_grant_is_refused_and_changes_nothing() {
    let (app, _) = TestApp::with_user().await;
    let before = app.users().await;
    let many: Vec<String> = (0..17).map(|n| format!("scope{n}")).collect();
    let to = |scopes: Value| json!({"email": "abc@example.com", "scopes": scopes});

    for (request, refusal) in [
        (
            event("grant-scopes-nobody.json", ""),
            "no account has this name",
        ),
        (
            json!({"username": "no body", "scopes": []}),
            "no account has this name",
        ),
        (
            json!({"scopes": []}),
            "either email or username is required",
        ),
        (
            json!({"email": "abc@example.com", "username": "abc", "scopes": []}),
            "either email or username is required",
        ),
        (
            to(json!(["a b"])),
            "a scope is 1 to 64 characters of A-Z a-z 0-9 . _ : -",
        ),
        (
            to(json!([""])),
            "a scope is 1 to 64 characters of A-Z a-z 0-9 . _ : -",
        ),
        (
            to(json!(many)),
            "an account has at most 16 scopes, each once",
        ),
        (
            to(json!(["a", "a"])),
            "an account has at most 16 scopes, each once",
        ),
    ] {
        assert_eq!(
            grant(&app, request.clone()).await,
            Err(refusal.to_owned()),
            "{request}"
        );
    }
    for request in [
        json!({}),
        json!([]),
        to(json!("admin")),
        json!({"admin": true, "scopes": []}),
    ] {
        assert!(grant(&app, request.clone()).await.is_err(), "{request}");
    }
    assert_eq!(app.users().await, before);
}
