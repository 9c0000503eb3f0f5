//! Crashes between writes, and answers lost after a write was made.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tests::app::{PASSWORD, TestApp, post};
use tests::wire::Fault;

#[tokio::test]
async fn retrying_a_committed_sign_up_does_not_answer_already_exists() {
    let app = TestApp::new().await;
    app.wire
        .fail_next("TransactWriteItems", 1, Fault::LoseAnswer);

    let answer = app.sign_up("abc@example.com").await;

    assert_eq!(answer.status, 200);
    assert_eq!(app.user(&answer.token()).await.status, 200);
    assert_eq!(app.account_count().await, 1);
}

#[tokio::test]
async fn a_retried_sign_up_recognizes_its_own_claims_without_a_request_token() {
    let app = TestApp::new().await;
    let retried = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&retried);
    let claim_already_exists = |own: &Value| {
        json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "CancellationReasons": [
                {"Code": "ConditionalCheckFailed"},
                {"Code": "ConditionalCheckFailed", "Item": own},
            ],
        })
    };
    app.wire.on_request(move |operation, body| {
        if operation != "TransactWriteItems" {
            return None;
        }
        if seen.fetch_add(1, Ordering::SeqCst) == 0 {
            return Some(Fault::LoseAnswer);
        }
        let claim = &body["TransactItems"][1]["Put"]["Item"];
        Some(Fault::Answer(400, claim_already_exists(claim)))
    });

    let answer = app.sign_up("abc@example.com").await;

    assert_eq!(answer.status, 200);
    assert_eq!(retried.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_crash_during_a_sign_up_leaves_no_partial_account() {
    // A sign-up writes three times: two counters, then the account with its claims and session.
    for crash_at in 0..3 {
        for after in [false, true] {
            let app = TestApp::new().await;
            let mut requests = 0;
            app.wire.on_request(move |_, _| {
                requests += 1;
                let silence = [Fault::SilenceBefore, Fault::SilenceAfter];
                (requests > crash_at).then(|| silence[usize::from(after)].clone())
            });
            let body = json!({"username": "abc", "email": "abc@example.com", "password": PASSWORD});
            tokio::select! {
                answer = app.call(post("/user", &body)) => panic!("no crash: {answer:?}"),
                () = app.wire.silenced() => {}
            }

            let whole = crash_at == 2 && after;
            let users = app.users().await;
            assert_eq!(users.len(), if whole { 4 } else { 0 }, "{crash_at} {after}");
            let survivor = app.another(&[]);
            let again = survivor.call(post("/user", &body)).await;
            let expected = if whole { 400 } else { 200 };
            assert_eq!(again.status, expected, "{crash_at} {after}");
            for name in ["abc", "abc@example.com"] {
                assert_eq!(survivor.sign_in(name, PASSWORD).await.status, 200);
            }
        }
    }
}

#[tokio::test]
async fn lost_counter_answers_may_refuse_early_but_never_exceed_the_limit() {
    let app = TestApp::with(&[("USER_SIGNUP_RATE_LIMIT_EMAIL", "3")]).await;
    let admitted = async || {
        let mut admitted = 0;
        for n in 0..6 {
            let ip = format!("198.51.100.{n}");
            let answer = app.sign_up_from(&ip, "abc@example.com").await;
            admitted += usize::from(answer.status != 429);
        }
        admitted
    };
    let lose_answers = || {
        let mut left = 2;
        app.wire.on_request(move |operation, body| {
            let counts = body["Key"]["pk"]["S"].as_str().unwrap_or_default();
            let loses =
                operation == "UpdateItem" && counts.starts_with("sign-up-email#") && left > 0;
            left -= i32::from(loses);
            loses.then_some(Fault::LoseAnswer)
        });
    };

    lose_answers();
    assert_eq!(
        admitted().await,
        1,
        "two of three attempts were counted without being admitted"
    );

    app.clock.advance(Duration::from_hours(1));
    lose_answers();
    let in_the_next_window = admitted().await;
    assert!(
        (1..=3).contains(&in_the_next_window),
        "{in_the_next_window}"
    );
}

#[tokio::test]
async fn a_sign_in_that_cannot_clear_its_failures_answers_503_and_refuses_nobody() {
    let (app, _) = TestApp::with_user().await;
    app.sign_in("abc@example.com", "guess1").await;
    app.wire.on_request(|_, body| {
        let clears = body["UpdateExpression"].as_str()?.contains("REMOVE");
        clears.then(Fault::broken)
    });

    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 503);

    app.wire.heal();
    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);
}
