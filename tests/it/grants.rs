//! `grant-scopes`: an operator replaces the scopes of an account.

use serde_json::{Value, json};
use shared::ports::Clock;
use tests::app::{PASSWORD, TestApp, post};

use crate::events::event;

const NOT_ONE_ACCOUNT: &str = "id is required, or email with createdBefore";

async fn grant(app: &TestApp, request: Value) -> Result<Value, String> {
    app.operate("grant-scopes", request).await
}

#[tokio::test]
async fn replaced_scopes_take_effect_with_the_next_request() {
    let (app, token) = TestApp::with_user().await;
    let elsewhere = app.another(&[]);

    let scopes = json!({"id": app.user_id(&token).await, "scopes": ["user", "admin"]});
    let granted = grant(&app, scopes).await.unwrap();
    assert_eq!(granted["scope"], json!(["user", "admin"]));
    let user = elsewhere.user(&token).await.body;
    assert_eq!(user["scope"], json!(["user", "admin"]));
    assert_eq!(granted["id"], user["id"]);

    let none = json!({"id": user["id"], "scopes": [], "force": true});
    grant(&app, none).await.unwrap();
    assert_eq!(elsewhere.user(&token).await.body["scope"], json!([]));
}

#[tokio::test]
async fn a_grant_finds_the_account_by_email() {
    let (app, _) = TestApp::with_user().await;

    let created_before = "2100-01-01T00:00:00Z";
    let request =
        json!({"email": "ABC@example.com", "createdBefore": created_before, "scopes": ["admin"]});

    assert!(grant(&app, request).await.is_ok());
}

#[tokio::test]
async fn a_grant_by_username_is_refused_because_an_older_account_may_have_taken_it() {
    let app = TestApp::new().await;
    let new = json!({"username": "ada", "email": "abc@example.com", "password": PASSWORD});
    app.call(post("/user", &new)).await;
    let before = app.users().await;

    let created_before = "2100-01-01T00:00:00Z";
    let request = json!({"username": "ada", "createdBefore": created_before, "scopes": ["admin"]});
    let refusal = grant(&app, request).await.unwrap_err();

    assert!(refusal.contains("unknown field `username`"), "{refusal}");
    assert_eq!(app.users().await, before);
}

#[tokio::test]
async fn an_invalid_grant_is_refused_and_changes_nothing() {
    let (app, _) = TestApp::with_user().await;
    let before = app.users().await;
    let many: Vec<String> = (0..17).map(|n| format!("scope{n}")).collect();
    let id = before
        .keys()
        .find_map(|key| key.strip_prefix("user#")?.strip_suffix("/account"));
    let id = id.unwrap();
    let to = |scopes: Value| json!({"id": id, "scopes": scopes});
    let by_email = |created_before: &str| json!({"email": "abc@example.com", "createdBefore": created_before, "scopes": ["admin"]});
    let now = app.clock.now().to_rfc3339().unwrap();

    for (request, refusal) in [
        (
            event("grant-scopes-nobody.json", ""),
            "there is no such account",
        ),
        (
            json!({"email": "no body", "createdBefore": now, "scopes": []}),
            "there is no such account",
        ),
        (json!({"scopes": []}), NOT_ONE_ACCOUNT),
        (
            json!({"email": "abc@example.com", "scopes": []}),
            NOT_ONE_ACCOUNT,
        ),
        (
            json!({"id": id, "createdBefore": now, "scopes": []}),
            NOT_ONE_ACCOUNT,
        ),
        (
            json!({"id": id, "email": "abc@example.com", "createdBefore": now, "scopes": []}),
            NOT_ONE_ACCOUNT,
        ),
        (
            json!({"id": "abc", "scopes": []}),
            "an id is 24 hexadecimal digits, lower case",
        ),
        (
            by_email("yesterday"),
            "createdBefore is not an RFC 3339 date-time",
        ),
        (
            by_email(&now),
            "the account is not older than createdBefore",
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
