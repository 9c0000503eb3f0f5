//! Guessing: the guesser is throttled, and the owner of the account is not locked out.

use std::time::Duration;

use serde_json::json;
use shared::ports::Clock;
use tests::app::{PASSWORD, TestApp, post};

use crate::tokens::{claims_of, sign_with_foreign_key};

#[tokio::test]
async fn a_new_deployment_has_no_default_accounts() {
    let app = TestApp::new().await;

    assert!(app.users().await.is_empty());
    for name in ["admin", "root", "sa", "administrator", "test", "guest"] {
        for password in ["", name, "admin", "password", "changeme"] {
            let call = json!({"username": name, "password": password});
            let call = post("/user/auth", &call).from("198.51.100.1");
            assert_eq!(app.call(call).await.status, 403, "{name}");
        }
    }
}

#[tokio::test]
async fn guesses_from_fifty_addresses_do_not_lock_out_the_owner_at_a_familiar_address() {
    let (app, _) = TestApp::with_user().await;
    let owner = app.sign_in_from("192.0.2.7", "abc@example.com", PASSWORD);
    assert_eq!(owner.await.status, 200);

    for n in 0..50 {
        let address = format!("198.51.100.{n}");
        for name in ["abc@example.com", "ABC@example.com", "abc＠example.com"] {
            for _ in 0..5 {
                app.sign_in_from(&address, name, "guess1").await;
            }
        }
        let refused = app
            .sign_in_from(&address, "abc@example.com", PASSWORD)
            .await;
        assert_eq!(refused.status, 429, "all spellings share one limit");
    }

    let body = json!({"username": "abc@example.com", "password": PASSWORD});
    for path in ["/user/auth", "/v1/auth/login"] {
        let owner = post(path, &body).from("192.0.2.7");
        assert_eq!(app.call(owner).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn spoofing_the_owner_s_address_does_not_lock_out_the_owner() {
    let (app, _) = TestApp::with_user().await;
    let body = json!({"username": "abc@example.com", "password": "guess1"});

    for _ in 0..20 {
        let call = post("/user/auth", &body).from("198.51.100.66");
        let call = call.header("x-forwarded-for", "192.0.2.7");
        app.call(call.header("forwarded", "for=192.0.2.7")).await;
    }

    let owner = app.sign_in_from("192.0.2.7", "abc@example.com", PASSWORD);
    assert_eq!(owner.await.status, 200);
}

#[tokio::test]
async fn guesses_from_a_shared_address_block_sign_ins_for_fifteen_minutes() {
    let (app, token) = TestApp::with_user().await;
    for _ in 0..30 {
        app.sign_in("abc@example.com", "guess1").await;
    }
    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 429);

    assert_eq!(app.user(&token).await.status, 200, "tokens stay valid");
    app.clock.advance(Duration::from_mins(15));

    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn sign_ups_for_an_existing_email_do_not_lock_out_its_owner() {
    let (app, _) = TestApp::with_user().await;
    for n in 0..30 {
        let address = format!("198.51.100.{n}");
        let body = json!({"email": "abc@example.com", "password": "another1"});
        app.call(post("/user", &body).from(&address)).await;
    }

    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);
    assert_eq!(app.sign_in("abc@example.com", "another1").await.status, 403);
}

#[tokio::test]
async fn a_forged_token_cannot_end_a_session() {
    let (app, token) = TestApp::with_user().await;
    let forged = claims_of(&token, app.clock.now());

    let answer = app.log_out(&sign_with_foreign_key(&forged)).await;

    assert_eq!(answer.status, 401);
    assert_eq!(app.user(&token).await.status, 200);
    assert_eq!(app.session_keys().await.len(), 1);
}
