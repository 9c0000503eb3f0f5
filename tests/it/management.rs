//! The Management family: its envelope, login, logout and sessions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use shared::auth::{WithApiKeys, end_sessions, verify_token};
use shared::domain::AccountId;
use tests::app::{Answer, Call, PASSWORD, TestApp, get, post};
use tests::wire::Fault;

use crate::races::{count, race_over};

/// Panics unless the answer is exactly this error.
fn assert_error(answer: &Answer, status: u16, code: u16, message: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(
        answer.body,
        json!({"success": false, "code": code, "message": message})
    );
}

#[tokio::test]
async fn a_login_returns_a_session_that_expires_after_half_an_hour() {
    let (app, _) = TestApp::with_user().await;

    let answer = app.log_in("ABC@example.com", PASSWORD).await;

    assert_eq!(answer.status, 200);
    let token = answer.token();
    assert_eq!(
        answer.body,
        json!({"success": true, "code": 0, "message": "", "token": token, "expiresIn": 1800})
    );
    app.clock.advance(Duration::from_secs(1799));
    assert_eq!(app.profile(&token).await.status, 200);
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.profile(&token).await.status, 401);
}

#[tokio::test]
async fn the_session_lifetime_is_configurable() {
    let (app, _) = TestApp::with_user().await;
    let app = app.another(&[("SESSION_EXPIRES_IN", "2h")]);

    let answer = app.log_in("abc@example.com", PASSWORD).await;

    assert_eq!(answer.body["expiresIn"], 7200);
}

#[tokio::test]
async fn the_login_request_of_the_api_s_documentation_succeeds() {
    let (app, token) = TestApp::with_user().await;
    let key = app.api_key(&token, 0).await;
    let body = json!({"username": "abc@example.com", "password": PASSWORD});

    let call = post("/v1/auth/login", &body)
        .without("content-type")
        .header("content-type", "application/json-patch+json")
        .header("accept", "text/plain")
        .api_key(&key);

    assert_eq!(app.call(call).await.status, 200);
}

#[tokio::test]
async fn a_failed_login_answers_401_for_known_and_unknown_users_alike() {
    let (app, _) = TestApp::with_user().await;

    for username in ["abc@example.com", "nobody@example.com", "no body", ""] {
        let answer = app.log_in(username, "guess1").await;

        assert_error(&answer, 401, 2008, "Invalid username or password.");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
}

#[tokio::test]
async fn failed_sign_ins_count_for_both_api_families() {
    let (app, _) = TestApp::with_user().await;
    for _ in 0..5 {
        app.sign_in("abc@example.com", "guess1").await;
        app.log_in("abc@example.com", "guess1").await;
    }

    let answer = app.log_in("abc@example.com", PASSWORD).await;

    let message = "Too many sign-in attempts. Please try again later.";
    assert_error(&answer, 429, 4002, message);
    assert_eq!(answer.header("retry-after"), Some("900"));
    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 429);
}

#[tokio::test]
async fn a_login_ignores_authorization_and_refuses_an_invalid_api_key() {
    let (app, _) = TestApp::with_user().await;
    let body = json!({"username": "abc@example.com", "password": PASSWORD});
    let log_in = || post("/v1/auth/login", &body);

    assert_eq!(app.call(log_in().bearer("a.b.c")).await.status, 200);
    let basic = log_in().header("authorization", "Basic x");
    assert_eq!(app.call(basic).await.status, 200);
    for key in ["", "x", "api_ABCDEFGHIJKLMNOPQRSTUVWX"] {
        let answer = app.call(log_in().api_key(key)).await;

        assert_error(&answer, 401, 2007, "Invalid API key");
    }
}

#[tokio::test]
async fn every_kind_of_error_uses_the_management_envelope() {
    let (app, token) = TestApp::with_user().await;
    let long = json!({"username": "a".repeat(16 * 1024)});

    for (call, status, code, message) in [
        (get("/v1/nowhere"), 404, 1001, "Not Found"),
        (get("/v1/auth/login"), 405, 1002, "Method Not Allowed"),
        (
            post("/v1/auth/login", &long),
            413,
            1003,
            "Payload content length greater than maximum allowed: 16384",
        ),
        (
            post("/v1/auth/login", &json!({}))
                .without("content-type")
                .header("content-type", "text/plain"),
            415,
            1004,
            "Unsupported Media Type",
        ),
        (
            post("/v1/auth/login", &json!([])),
            400,
            1005,
            "Invalid request payload JSON format",
        ),
        (
            post("/v1/auth/login", &json!({})),
            400,
            1006,
            "\"username\" is required",
        ),
        (
            get("/v1/auth/user"),
            401,
            2000,
            "authorization not found in request headers",
        ),
        (
            get("/v1/auth/user").header("authorization", "Basic x"),
            401,
            2001,
            "Expected token type Bearer does not match Basic",
        ),
        (
            get("/v1/auth/user").bearer("x"),
            401,
            2002,
            "Invalid JWT: Token format not valid",
        ),
        (
            get("/v1/auth/user").bearer("a.b.c"),
            401,
            2003,
            "Invalid JWT: key or signature is invalid",
        ),
    ] {
        assert_error(&app.call(call).await, status, code, message);
    }
    app.log_out(&token).await;
    assert_error(&app.profile(&token).await, 401, 2006, "Bad token");
}

#[tokio::test]
async fn a_logged_out_token_is_refused_everywhere_at_once_and_other_tokens_are_not() {
    let (app, token) = TestApp::with_user().await;
    let other = app.log_in("abc@example.com", PASSWORD).await.token();
    let elsewhere = app.another(&[]);

    let answer = app.log_out(&token).await;

    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({"success": true, "code": 0, "message": ""})
    );
    for (method, path) in [
        ("GET", "/user"),
        ("POST", "/user"),
        ("GET", "/v1/auth/user"),
        ("POST", "/v1/auth/user"),
        ("POST", "/v1/auth/logout"),
        ("POST", "/v1/api-keys"),
        ("GET", "/v1/api-keys"),
        ("DELETE", "/v1/api-keys/1"),
    ] {
        let call = Call::new(method, path, "{}".into()).bearer(&token);
        let answer = elsewhere.call(call).await;

        assert_eq!(answer.status, 401, "{method} {path}");
        assert_eq!(answer.message(), "Bad token");
    }
    assert_eq!(elsewhere.user(&other).await.status, 200);
}

#[tokio::test]
async fn a_session_is_kept_until_its_token_has_expired() {
    let app = TestApp::new().await;
    app.sign_up("abc@example.com").await;
    let log_in = json!({"username": "abc@example.com", "password": PASSWORD});
    let log_in = post("/v1/auth/login", &log_in).header("user-agent", "curl/8.5");
    let token = app.call(log_in).await.token();

    let users = app.users().await;
    let user_agent = AttributeValue::S("curl/8.5".to_owned());
    let is_of_curl = |item: &&tests::app::Item| item.get("user_agent") == Some(&user_agent);
    let session = users.values().find(is_of_curl).unwrap();
    assert_eq!(session["source"].as_s().unwrap(), "192.0.2.1");
    let expires_at: i64 = session["expires_at"].as_n().unwrap().parse().unwrap();

    let claims = verify_token(&app.app, &token, app.app.clock.now())
        .await
        .unwrap();
    // An hour later, to allow for clock skew.
    assert_eq!(expires_at, claims.expires_at.secs() + 3600);
}

#[tokio::test]
async fn a_logout_without_a_token_is_refused() {
    let (app, token) = TestApp::with_user().await;
    let key = app.api_key(&token, 15).await;
    let log_out = || post("/v1/auth/logout", &json!({}));

    let by_key = app.call(log_out().api_key(&key)).await;
    assert_error(&by_key, 400, 1008, "A bearer token is required");

    let with_both = app.call(log_out().bearer(&token).api_key(&key)).await;
    assert_eq!(with_both.status, 200);
    assert_eq!(app.user(&token).await.status, 401);
}

#[tokio::test]
async fn a_logout_whose_answer_was_lost_is_answered_as_a_second_one() {
    let (app, token) = TestApp::with_user().await;
    app.wire.fail_next("DeleteItem", 1, Fault::LoseAnswer);

    assert_eq!(app.log_out(&token).await.message(), "Bad token");

    assert_eq!(app.user(&token).await.status, 401);
    assert_eq!(app.log_out(&token).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_one_of_racing_logouts_with_one_token_succeeds() {
    let (app, token) = TestApp::with_user().await;

    let answers = race_over(&app, &[], 40, |app, _| {
        let token = token.clone();
        async move { app.log_out(&token).await }
    })
    .await;

    assert_eq!(count(&answers, 200), 1);
    assert_eq!(count(&answers, 401), 39);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logged_out_token_is_refused_in_every_request_that_starts_after_the_logout() {
    let (app, token) = TestApp::with_user().await;
    let instances: Vec<_> = (0..4).map(|_| Arc::new(app.another(&[]))).collect();
    let answered = Arc::new(AtomicBool::new(false));

    let storm = (0..100).map(|i| {
        let instance = Arc::clone(&instances[i % 4]);
        let (token, answered) = (token.clone(), Arc::clone(&answered));
        tokio::spawn(async move {
            let mut started_after = 0;
            // Every task sends at least three requests after the logout has answered.
            while started_after < 3 {
                let is_after = answered.load(Ordering::SeqCst);
                let answer = instance.user(&token).await;
                assert!(
                    answer.status == 401 || (answer.status == 200 && !is_after),
                    "{answer:?}"
                );
                started_after += usize::from(is_after);
            }
        })
    });
    let storm: Vec<_> = storm.collect();
    assert_eq!(app.log_out(&token).await.status, 200);
    answered.store(true, Ordering::SeqCst);

    futures_util::future::try_join_all(storm).await.unwrap();
}

#[tokio::test]
async fn ending_all_sessions_ends_every_token_but_no_api_key() {
    let (app, token) = TestApp::with_user().await;
    let session = app.log_in("abc@example.com", PASSWORD).await.token();
    let key = app.api_key(&token, 1).await;
    let id = app.user_id(&token).await;
    let id = AccountId::parse(&id).unwrap();

    end_sessions(&app.app, &id, WithApiKeys::No).await.unwrap();

    for token in [&token, &session] {
        let answer = app.another(&[]).user(token).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.message(), "Bad token");
    }
    assert_eq!(app.call(get("/user").api_key(&key)).await.status, 200);
    let renewed = app.log_in("abc@example.com", PASSWORD).await.token();
    assert_eq!(app.user(&renewed).await.status, 200);

    let unknown = AccountId::parse("000000000000000000000000").unwrap();
    let ended = end_sessions(&app.app, &unknown, WithApiKeys::Yes).await;
    assert_eq!(ended.unwrap_err().to_string(), "there is no such account");
    assert_eq!(app.account_count().await, 1, "it creates no account");
}
