//! Replays: a request that its sender or an eavesdropper sends again.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use shared::crypto::PasswordHash;
use shared::domain::{Account, AccountId, Email, Session, Timestamp, Username};
use shared::ports::Clock;
use shared::store::{Added, NewAccount};
use tests::app::{PASSWORD, TestApp, get, post};

use super::id_of;
use crate::tokens::client;

#[tokio::test]
async fn a_replayed_sign_up_changes_nothing() {
    let app = TestApp::new().await;
    let body = json!({"username": "abc", "email": "abc@example.com", "password": PASSWORD});
    let first = app.call(post("/user", &body)).await;
    let stored = app.users().await;

    for _ in 0..5 {
        app.clock.advance(Duration::from_mins(11));
        let again = app.call(post("/user", &body)).await;
        assert_eq!(again.message(), "User already exists.");
        assert!(again.body["token"].is_null());
    }

    assert_eq!(app.users().await, stored);
    assert_eq!(app.user(&first.token()).await.status, 200);
}

/// An account with this id for abc@example.com, its password hash, and its first session.
fn account(id: &str, now: Timestamp) -> (Account, PasswordHash, Session) {
    let email = Email::parse("abc@example.com").unwrap();
    let username = Username::from_email(&email);
    let id = AccountId::parse(id).unwrap();
    let hash = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA\
                $15aVsXT0UQZg+PWAYZsKNKfijBXTdu0TntkjO4nM0vU";
    let hash = PasswordHash::parse(hash).unwrap();
    let account = Account::new(id, &email, &username, Vec::new(), now);
    let session = Session {
        id: "first".to_owned(),
        account: account.id.clone(),
        generation: account.session_generation,
        created_at: now,
        expires_at: now.plus(Duration::from_hours(1)),
        refresh: None,
        client: client(),
    };
    (account, hash, session)
}

fn new_account<'a>(
    account: &'a Account,
    hash: &'a PasswordHash,
    session: &'a Session,
) -> NewAccount<'a> {
    NewAccount {
        account,
        hash,
        session,
        metadata: None,
        outbox: &[],
    }
}

/// DynamoDB remembers the client request token of a transaction for ten minutes. A later retry is a new
/// transaction to it, and so is each of these.
#[tokio::test]
async fn a_transaction_replayed_after_its_request_token_expired_changes_nothing() {
    let app = TestApp::new().await;
    let store = &app.app.store;
    let (account, hash, session) = account("5c88c7cc04a917256c726c3d", app.clock.now());
    let added = store
        .add_account(&new_account(&account, &hash, &session))
        .await;
    assert_eq!(added.unwrap(), Added::Stored);
    app.grant("5c88c7cc04a917256c726c3d", &["user", "admin"])
        .await;
    app.sign_in("abc@example.com", PASSWORD).await;
    let stored = app.users().await;

    for _ in 0..2 {
        let again = store
            .add_account(&new_account(&account, &hash, &session))
            .await;
        assert_eq!(again.unwrap(), Added::Stored);
    }

    assert_eq!(app.users().await, stored);
}

#[tokio::test]
async fn another_account_s_transaction_for_the_same_names_is_refused() {
    let app = TestApp::new().await;
    let store = &app.app.store;
    let (first, hash, session) = account("5c88c7cc04a917256c726c3d", app.clock.now());
    store
        .add_account(&new_account(&first, &hash, &session))
        .await
        .unwrap();
    let (second, _, other) = account("5c88c7cc04a917256c726c3e", app.clock.now());

    let added = store
        .add_account(&new_account(&second, &hash, &other))
        .await;

    assert_eq!(added.unwrap(), Added::Taken);
    assert_eq!(app.account_count().await, 1);
}

#[tokio::test]
async fn a_logged_out_token_stays_revoked_on_every_route_and_instance() {
    let (app, token) = TestApp::with_user().await;
    let kept = app.sign_in("abc@example.com", PASSWORD).await.token();
    assert_eq!(app.log_out(&token).await.status, 200);
    let other = app.another(&[]);

    for instance in [&app, &other] {
        for call in [
            get("/user"),
            get("/v1/auth/user"),
            get("/v1/api-keys"),
            post("/v1/auth/user", &json!({"user": {"city": "Berlin"}})),
            post("/v1/api-keys", &json!({"name": "ci", "permissions": 15})),
            post("/v1/auth/logout", &json!({})),
        ] {
            let replayed = instance.call(call.bearer(&token)).await;
            assert_eq!(replayed.status, 401);
            assert_eq!(replayed.message(), "Bad token");
        }
    }
    assert_eq!(app.user(&kept).await.status, 200);
    app.clock
        .advance(Duration::from_hours(30 * 24) - Duration::from_millis(251));
    assert_eq!(other.user(&token).await.message(), "Bad token");
    app.clock.advance(Duration::from_secs(1));
    let replayed = other.user(&token).await;
    assert!(replayed.message().starts_with("Invalid JWT: jwt expired"));
}

#[tokio::test]
async fn a_revoked_api_key_stays_revoked_on_every_instance() {
    let (app, token) = TestApp::with_user().await;
    let key = app.api_key(&token, 15).await;
    assert_eq!(app.call(get("/user").api_key(&key)).await.status, 200);
    app.revoke_api_key(&token, 1).await;
    let other = app.another(&[]);

    for days in [0, 1, 29, 31, 365] {
        app.clock.advance(Duration::from_hours(24 * days));
        for instance in [&app, &other] {
            let replayed = instance.call(get("/user").api_key(&key)).await;
            assert_eq!(replayed.message(), "Invalid API key", "{days}");
        }
    }
    // The item of a revoked key is kept for thirty days. Without it, the key is unknown.
    let of_keys = app.users().await.into_keys();
    for item in of_keys.filter(|key| key.starts_with("apikey#")) {
        app.delete(&app.app.config.tables.users, &item).await;
    }
    let replayed = other.call(get("/user").api_key(&key)).await;
    assert_eq!(replayed.message(), "Invalid API key");
}

#[tokio::test]
async fn every_sign_in_issues_a_different_token() {
    let (app, first) = TestApp::with_user().await;

    let mut tokens = BTreeSet::from([first]);
    for _ in 0..10 {
        tokens.insert(app.sign_in("abc@example.com", PASSWORD).await.token());
        tokens.insert(app.log_in("abc@example.com", PASSWORD).await.token());
    }

    assert_eq!(tokens.len(), 21, "within the same second");
    for token in &tokens {
        assert_eq!(app.log_out(token).await.status, 200, "each on its own");
    }
}

#[tokio::test]
async fn a_token_of_one_deployment_is_refused_by_another() {
    let (app, token) = TestApp::with_user().await;
    let id = id_of(&app.sign_in("abc@example.com", PASSWORD).await);
    assert!(!id.is_empty());

    for setting in [("JWT_ISSUER", "elsewhere"), ("JWT_AUDIENCE", "elsewhere")] {
        let answer = app.another(&[setting]).user(&token).await;
        assert_eq!(answer.status, 401, "{setting:?}");
    }
}
