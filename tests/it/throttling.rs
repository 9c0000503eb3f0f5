//! Throttling of sign-ins: a guesser is slowed, and nobody is locked out by a stranger.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tests::app::{Answer, Item, PASSWORD, TestApp, account_key, post};
use tests::wire::{Fault, Use};

use crate::attacks::counted;
use crate::races::{count, race_over};

async fn with_user() -> TestApp {
    let (app, _) = TestApp::with_user().await;
    app
}

const TOO_MANY: &str = "Too many sign-in attempts. Please try again later.";

fn assert_throttled(answer: &Answer) {
    answer.assert_refused(429, "Too Many Requests", TOO_MANY);
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

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_right_sign_ins_from_one_address_all_succeed() {
    let app = with_user().await;
    for n in 0..39 {
        app.sign_up_from("192.0.2.9", &format!("user{n}@example.com"))
            .await;
    }

    for _ in 0..5 {
        let answers = race_over(&app, &[], 200, async |app, n| {
            let name = match n % 40 {
                39 => "abc@example.com".to_owned(),
                n => format!("user{n}@example.com"),
            };
            app.sign_in_from("192.0.2.10", &name, PASSWORD).await
        })
        .await;
        let other = answers.iter().find(|answer| answer.status != 200);
        assert!(other.is_none(), "{other:?}");
    }
    assert!(counted(&app, "sign-in-ip").await.is_empty());
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

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_racing_wrong_guesses_ten_get_403_and_then_a_right_one_gets_429() {
    let app = with_user().await;
    // The limit of the address would refuse some of the ten.
    let settings = [("SIGNIN_RATE_LIMIT_IP", "1000")];
    let answers = race_over(&app, &settings, 200, async |app, _| {
        app.sign_in("abc@example.com", "guess1").await
    })
    .await;

    assert_eq!(count(&answers, 403), 10);
    assert_eq!(count(&answers, 429), 190);
    let total = total_of(&app).await;
    assert_eq!(total, ["10"]);
    let another = app.another(&[]);
    assert_throttled(&another.sign_in("abc@example.com", PASSWORD).await);
}

/// The counts of `sign-in-total`.
async fn total_of(app: &TestApp) -> Vec<String> {
    let counters = app.items(&app.app.config.tables.rate_limits).await;
    let totals = counters
        .iter()
        .filter(|(key, _)| key.starts_with("sign-in-total#"));
    totals
        .map(|(_, item)| item["n"].as_n().unwrap().clone())
        .collect()
}

#[tokio::test]
async fn a_right_password_that_is_verified_before_the_limit_is_reached_is_refused_after() {
    let app = with_user().await;
    let slow = app.another(&[]);

    let sign_in = slow.sign_in("abc@example.com", PASSWORD);
    let guesses = async {
        for _ in 0..10 {
            assert_eq!(app.sign_in("abc@example.com", "guess1").await.status, 403);
        }
    };
    let (answer, _) = slow.pause_at("BatchGetItem", sign_in, guesses).await;

    assert_throttled(&answer);
}

#[tokio::test]
async fn a_limit_reached_before_the_failures_are_cleared_refuses_a_right_password() {
    let app = with_user().await;
    app.sign_in("abc@example.com", "guess1").await;
    let slow = app.another(&[]);
    let clears = |_: &str, body: &Value| {
        let update = body["UpdateExpression"].as_str();
        update.is_some_and(|update| update.contains("REMOVE"))
    };

    let sign_in = slow.sign_in("abc@example.com", PASSWORD);
    let guesses = async {
        for _ in 0..9 {
            assert_eq!(app.sign_in("abc@example.com", "guess1").await.status, 403);
        }
    };
    let (answer, _) = slow.pause_where(clears, sign_in, guesses).await;

    assert_throttled(&answer);
}

/// What racing refusals must leave: the users table, and the last login that the owner sees.
async fn owned(app: &TestApp, token: &str) -> (Value, BTreeMap<String, Item>) {
    let profile = app.profile(token).await;
    (profile.body["user"]["lastLogIn"].clone(), app.users().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn right_passwords_that_the_total_refuses_leave_no_trace_however_many_race() {
    let settings = [("SIGNIN_RATE_LIMIT_TOTAL", "1")];
    let app = TestApp::with(&settings).await;
    let token = app.sign_up("abc@example.com").await.token();
    let wrong = app.sign_in_from("192.0.2.8", "abc@example.com", "guess1");
    assert_eq!(wrong.await.status, 403);
    let before = owned(&app, &token).await;

    let answers = race_over(&app, &settings, 20, async |app, n| {
        let source = format!("192.0.2.{}", 100 + n);
        let answer = app.sign_in_from(&source, "abc@example.com", PASSWORD).await;
        for call in app.wire.take_calls() {
            let writes = |one: &Use| one.prefix == "user#" || one.action == "dynamodb:PutItem";
            assert!(!call.uses.iter().any(writes), "{call:?}");
        }
        answer
    })
    .await;

    assert_eq!(count(&answers, 429), 20);
    assert_eq!(owned(&app, &token).await, before);
}

#[tokio::test]
async fn a_right_password_refused_at_a_familiar_source_changes_nothing_that_the_owner_sees() {
    let settings = [("SIGNIN_RATE_LIMIT_ACCOUNT", "1")];
    let app = TestApp::with(&settings).await;
    let token = app.sign_up("abc@example.com").await.token();
    app.sign_in("abc@example.com", PASSWORD).await;
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.sign_in("abc@example.com", "guess1").await.status, 403);
    let before = owned(&app, &token).await;

    // It has not seen the failure.
    let another = app.another(&settings);
    let refused = another.sign_in("abc@example.com", PASSWORD).await;

    assert_eq!(refused.status, 429);
    assert_eq!(owned(&app, &token).await, before);
}

#[tokio::test]
async fn a_source_may_fail_twenty_times_a_day_for_one_identifier() {
    let app = with_user().await;
    for _ in 0..2 {
        for _ in 0..10 {
            assert_eq!(app.sign_in("abc@example.com", "guess1").await.status, 403);
        }
        app.clock.advance(Duration::from_mins(15));
    }

    for password in ["guess1", PASSWORD] {
        let answer = app.another(&[]).sign_in("abc@example.com", password).await;
        assert_eq!(answer.status, 429);
        assert_eq!(answer.header("retry-after"), Some("84600"));
    }
    let neighbour = app.sign_in("def@example.com", "guess1").await;
    assert_eq!(neighbour.status, 403);
    app.clock.advance(Duration::from_mins(1_410));
    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_hundred_sources_get_403_fifty_times_for_each_known_or_unknown_identifier() {
    let app = TestApp::new().await;
    let body = json!({"username": "abc", "email": "abc@example.com", "password": PASSWORD});
    app.call(post("/user", &body)).await;
    let identifiers = ["abc", "abc@example.com", "nobody"];
    for familiar in ["abc", "abc@example.com"] {
        let owner = app.sign_in_from("192.0.2.7", familiar, PASSWORD).await;
        assert_eq!(owner.status, 200);
    }

    let mut told = [0; 3];
    let mut last_told = [0; 3];
    for n in 0..100 {
        for (which, identifier) in identifiers.iter().enumerate() {
            for _ in 0..5 {
                let source = format!("198.51.100.{n}");
                let answer = app.sign_in_from(&source, identifier, "guess1").await;
                assert!([403, 429].contains(&answer.status));
                if answer.status == 403 {
                    told[which] += 1;
                    last_told[which] = n;
                }
            }
        }
        let owner = app.sign_in_from("192.0.2.7", "abc@example.com", PASSWORD);
        assert_eq!(owner.await.status, 200);
    }

    assert_eq!(told, [50; 3]);
    assert_eq!(last_told, [9; 3]);
    for (ip, password) in [("192.0.2.8", PASSWORD), ("192.0.2.8", "guess1")] {
        let stranger = app.sign_in_from(ip, "abc@example.com", password).await;
        stranger.assert_refused(429, "Too Many Requests", TOO_MANY);
    }
    // Its failures do not count in the total.
    let owner = app.sign_in_from("192.0.2.7", "abc", "mistyped");
    assert_eq!(owner.await.status, 403);
    app.clock.advance(Duration::from_hours(24));
    let stranger = app.sign_in_from("192.0.2.8", "abc", PASSWORD).await;
    assert_eq!(stranger.status, 200);
}

#[tokio::test]
async fn a_source_is_familiar_only_with_the_password_that_signed_in() {
    let app = TestApp::with(&[("SIGNIN_RATE_LIMIT_TOTAL", "1")]).await;
    let signed_up = app.sign_up("abc@example.com").await;
    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);
    app.sign_in_from("198.51.100.66", "abc@example.com", "guess1")
        .await;
    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);

    let account = account_key(&signed_up.text("/user/id"));
    for item in [account.as_str(), "email#abc@example.com/claim"] {
        app.update_user(
            item,
            "SET password_version = :two",
            "attribute_exists(pk)",
            (":two", "2"),
        )
        .await;
    }

    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 429);
}

#[tokio::test]
async fn a_sign_in_renews_familiarity_only_in_its_last_fifteen_days() {
    let days = |days: u64| Duration::from_hours(24 * days);
    for (again, is_renewed) in [(14, false), (16, true)] {
        let app = TestApp::with(&[("SIGNIN_RATE_LIMIT_TOTAL", "1")]).await;
        app.sign_up("abc@example.com").await;
        assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);
        app.clock.advance(days(again));
        assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);

        app.clock.advance(days(31 - again));

        for source in ["198.51.100.66", "198.51.100.67"] {
            app.sign_in_from(source, "abc@example.com", "guess1").await;
        }
        let answer = app.sign_in("abc@example.com", PASSWORD).await;
        assert_eq!(answer.status, if is_renewed { 200 } else { 429 }, "{again}");
    }
}

#[tokio::test]
async fn sources_of_one_ipv6_network_may_fail_ten_times_as_often_as_one_of_them() {
    let app = TestApp::with(&[("SIGNIN_RATE_LIMIT_IP", "1")]).await;
    app.sign_up("abc@example.com").await;
    let source = |n: usize| format!("2001:db8:1:{n:x}::1");
    for n in 0..10 {
        let name = format!("user{n}");
        let guess = app.sign_in_from(&source(n), &name, "guess1").await;
        assert_eq!(guess.status, 403);
    }

    for password in ["guess1", PASSWORD] {
        let source = source(10);
        assert_throttled(&app.sign_in_from(&source, "abc@example.com", password).await);
    }
    let elsewhere = app.sign_in_from("2001:db8:2::1", "abc@example.com", PASSWORD);
    assert_eq!(elsewhere.await.status, 200);
}

#[tokio::test]
async fn the_counters_are_read_after_the_password_is_hashed() {
    let app = with_user().await;
    let another = app.another(&[]);
    let (instance, reads) = (Arc::clone(&another.app), Arc::<Mutex<Vec<u64>>>::default());
    let seen = Arc::clone(&reads);
    another.wire.on_request(move |operation, _| {
        if operation == "BatchGetItem" {
            seen.lock().unwrap().push(instance.hasher.computed());
        }
        None
    });

    let signed_in = another.sign_in("abc@example.com", PASSWORD).await;

    assert_eq!(signed_in.status, 200);
    assert_eq!(*reads.lock().unwrap(), [1]);
}

#[tokio::test]
async fn a_process_that_ends_during_a_sign_in_refuses_nobody() {
    for crash_at in 1.. {
        for after in [false, true] {
            let settings = [
                ("SIGNIN_RATE_LIMIT_ACCOUNT", "1"),
                ("SIGNIN_RATE_LIMIT_IP", "1"),
                ("SIGNIN_RATE_LIMIT_TOTAL", "1"),
            ];
            let app = TestApp::with(&settings).await;
            app.sign_up("abc@example.com").await;
            let mut calls = 0;
            app.wire.on_request(move |_, _| {
                calls += 1;
                let silence = [Fault::SilenceBefore, Fault::SilenceAfter];
                (calls >= crash_at).then(|| silence[usize::from(after)].clone())
            });

            tokio::select! {
                answer = app.sign_in("abc@example.com", PASSWORD) => {
                    assert_eq!(answer.status, 200);
                    assert!(crash_at > 3, "no crash at call {crash_at}");
                    return;
                }
                () = app.wire.silenced() => {}
            }

            for ip in ["192.0.2.1", "192.0.2.2"] {
                let survivor = app.another(&settings);
                let again = survivor.sign_in_from(ip, "abc@example.com", PASSWORD);
                assert_eq!(again.await.status, 200, "{crash_at} {after}");
            }
        }
    }
}
