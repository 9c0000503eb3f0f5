//! Throttling of sign-ins: a guesser is slowed, and nobody is locked out by a stranger.

use std::time::Duration;

use tests::app::{Answer, PASSWORD, TestApp};

use crate::races::{count, race_instances, race_over};

async fn with_user() -> TestApp {
    let (app, _) = TestApp::with_user().await;
    app
}

fn assert_throttled(answer: &Answer) {
    answer.assert_refused(
        429,
        "Too Many Requests",
        "Too many sign-in attempts. Please try again later.",
    );
    assert_eq!(answer.header("retry-after"), Some("900"));
    assert!(answer.header("ratelimit").is_none());
}

#[tokio::test]
async fn the_eleventh_wrong_guess_from_an_address_is_refused_for_known_and_unknown_alike() {
    for username in ["abc@example.com", "nobody@example.com", "no body"] {
        let app = with_user().await;
        for _ in 0..10 {
            assert_eq!(app.sign_in(username, "guess1").await.status, 403);
        }

        assert_throttled(&app.sign_in(username, "guess1").await);
        assert_throttled(&app.sign_in(username, PASSWORD).await);
        assert_throttled(&app.another(&[]).sign_in(username, "guess1").await);
    }
}

#[tokio::test]
async fn a_stranger_s_guesses_do_not_lock_the_owner_out() {
    let app = with_user().await;
    for _ in 0..12 {
        app.sign_in_from("198.51.100.66", "abc@example.com", "guess1")
            .await;
    }

    let owner = app
        .sign_in_from("192.0.2.7", "abc@example.com", PASSWORD)
        .await;

    assert_eq!(owner.status, 200);
}

#[tokio::test]
async fn a_success_clears_the_count_of_the_identifier() {
    let app = with_user().await;
    for _ in 0..3 {
        for _ in 0..9 {
            assert_eq!(app.sign_in("abc@example.com", "guess1").await.status, 403);
        }
        assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);
    }
}

#[tokio::test]
async fn an_address_may_fail_a_hundred_times_over_all_identifiers() {
    let app = with_user().await;
    for n in 0..100 {
        assert_eq!(app.sign_in(&format!("user{n}"), "guess1").await.status, 403);
    }

    assert_throttled(&app.sign_in("abc@example.com", PASSWORD).await);
    let elsewhere = app
        .sign_in_from("192.0.2.7", "abc@example.com", PASSWORD)
        .await;
    assert_eq!(elsewhere.status, 200);
}

#[tokio::test]
async fn successes_cost_an_address_nothing() {
    let app = TestApp::with(&[("SIGNIN_RATE_LIMIT_IP", "3")]).await;
    app.sign_up("abc@example.com").await;

    for _ in 0..10 {
        assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);
    }
}

#[tokio::test]
async fn the_window_ends() {
    let app = with_user().await;
    for _ in 0..10 {
        app.sign_in("abc@example.com", "guess1").await;
    }
    assert_throttled(&app.sign_in("abc@example.com", PASSWORD).await);

    app.clock.advance(Duration::from_mins(15));

    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_refused_attempt_costs_the_address_nothing() {
    let app = TestApp::with(&[("SIGNIN_RATE_LIMIT_IP", "11")]).await;
    app.sign_up("abc@example.com").await;
    for _ in 0..10 {
        app.sign_in("nobody", "guess1").await;
    }
    for _ in 0..30 {
        let other = app.another(&[("SIGNIN_RATE_LIMIT_IP", "11")]);
        assert_throttled(&other.sign_in("nobody", "guess1").await);
    }

    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parallel_guesses_exactly_the_limit_are_checked() {
    let (_, answers) = race_instances(&[], 40, async |app, _| {
        app.sign_in("nobody", "guess1").await
    })
    .await;

    assert_eq!(count(&answers, 403), 10);
    assert_eq!(count(&answers, 429), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_successes_leave_nothing_behind() {
    let settings = [("SIGNIN_RATE_LIMIT_ACCOUNT", "100")];
    let app = with_user().await;
    let answers = race_over(&app, &settings, 40, async |app, _| {
        app.sign_in("abc@example.com", PASSWORD).await
    })
    .await;

    assert_eq!(count(&answers, 200), 40);
    let counters = app.items(&app.app.config.tables.rate_limits).await;
    assert_eq!(counters["sign-in-ip#192.0.2.1"]["n"].as_n().unwrap(), "0");
    assert!(
        !counters
            .keys()
            .any(|key| key.starts_with("sign-in-account#"))
    );
}

#[tokio::test]
async fn a_refusal_of_the_moment_does_not_outlive_those_who_were_in_the_way() {
    let app = TestApp::with(&[("SIGNIN_RATE_LIMIT_ACCOUNT", "1")]).await;
    app.sign_up("abc@example.com").await;
    app.sign_in("abc@example.com", "guess1").await;
    assert_throttled(&app.sign_in("abc@example.com", PASSWORD).await);
    let elsewhere = app.another(&[("SIGNIN_RATE_LIMIT_ACCOUNT", "5")]);
    assert_eq!(
        elsewhere.sign_in("abc@example.com", PASSWORD).await.status,
        200
    );

    app.clock.advance(Duration::from_secs(10));

    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);
}
