//! Sessions that can be refreshed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use shared::crypto::RefreshToken;
use shared::domain::AccountId;
use shared::ports::Clock;
use tests::app::{Answer, Call, PASSWORD, TestApp, get, post, post_form};
use tests::logs::capture;
use tests::wire::Fault;

use crate::key_rotation::{HOUR, MINUTE, ask, rotate, secrets, two_instances, with_secret};
use crate::races::race_over;

const EMAIL: &str = "abc@example.com";
const DAY: Duration = Duration::from_hours(24);
const SECOND: Duration = Duration::from_secs(1);

async fn log_in(app: &TestApp) -> Answer {
    let body = json!({"username": EMAIL, "password": PASSWORD, "refresh": true});
    app.call(post("/v1/auth/login", &body)).await
}

async fn refresh(app: &TestApp, token: &str) -> Answer {
    let body = json!({"refreshToken": token});
    app.call(post("/v1/auth/refresh", &body)).await
}

/// An app with a user who has logged in, and the answer.
async fn logged_in(settings: &[(&str, &str)]) -> (TestApp, Answer) {
    let app = TestApp::with(settings).await;
    app.sign_up(EMAIL).await;
    let answer = log_in(&app).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    (app, answer)
}

fn refresh_token(answer: &Answer) -> String {
    answer.text("/refreshToken")
}

fn claims(answer: &Answer) -> Value {
    let token = answer.token();
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn assert_refused(answer: &Answer, why: &str) {
    assert_eq!(answer.status, 401, "{why}: {answer:?}");
    assert_eq!(answer.body["code"], 2010, "{why}");
    assert_eq!(answer.message(), "Invalid refresh token", "{why}");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{why}");
}

async fn sessions(app: &TestApp, token: &str) -> Vec<Value> {
    let answer = app.call(get("/user/sessions").bearer(token)).await;
    answer.body.as_array().unwrap().clone()
}

#[tokio::test]
async fn a_refresh_continues_the_session_with_new_tokens() {
    let (app, first) = logged_in(&[]).await;
    assert_eq!(first.body["expiresIn"], 900);
    let first_claims = claims(&first);
    assert_eq!(
        first_claims["exp"].as_i64().unwrap() - first_claims["iat"].as_i64().unwrap(),
        900
    );

    app.clock.advance(14 * MINUTE);
    let second = refresh(&app, &refresh_token(&first)).await;

    assert_eq!(second.status, 200, "{second:?}");
    assert_eq!(second.body["success"], true);
    assert_eq!(second.body["expiresIn"], 900);
    assert_ne!(refresh_token(&second), refresh_token(&first));
    let second_claims = claims(&second);
    for same in ["id", "sub", "sid", "auth_time", "iss", "aud", "scope"] {
        assert_eq!(second_claims[same], first_claims[same], "{same}");
    }
    let now = app.clock.now().secs();
    assert_eq!(second_claims["iat"], now);
    assert_eq!(second_claims["exp"], now + 900);
    assert_ne!(second_claims["jti"], first_claims["jti"]);
    for answer in [&first, &second] {
        assert_eq!(app.user(&answer.token()).await.status, 200);
    }
    let listed = sessions(&app, &second.token()).await;
    let one = listed.iter().find(|one| one["current"] == true).unwrap();
    assert_eq!(listed.len(), 2, "that of the sign-up, and this one");
    assert_eq!(one["created"], "2027-01-15T08:00:00.250Z");
    assert_eq!(one["lastRefreshed"], "2027-01-15T08:14:00.250Z");
    app.clock.advance(2 * MINUTE);
    assert_eq!(app.user(&first.token()).await.status, 401, "expired");
    assert_eq!(app.user(&second.token()).await.status, 200);
}

#[tokio::test]
async fn both_families_give_a_refresh_token_only_to_those_who_ask() {
    let (app, _) = logged_in(&[]).await;
    for (path, refresh) in [
        ("/user/auth", json!(true)),
        ("/v1/auth/login", json!(true)),
        ("/user/auth", json!(false)),
        ("/v1/auth/login", json!(false)),
    ] {
        let body = json!({"username": EMAIL, "password": PASSWORD, "refresh": refresh});
        let answer = app.call(post(path, &body)).await;

        let life = claims(&answer)["exp"].as_i64().unwrap() - app.clock.now().secs();
        if refresh == true {
            assert_eq!(life, 900, "{path}");
            let answer = self::refresh(&app, &refresh_token(&answer)).await;
            assert_eq!(answer.status, 200, "{path}");
        } else {
            assert!(life >= 1800, "{path}");
            assert_eq!(answer.body["refreshToken"], Value::Null, "{path}");
        }
    }
    for wrong in [json!("true"), json!(1), json!({})] {
        let body = json!({"username": EMAIL, "password": PASSWORD, "refresh": wrong});
        let answer = app.call(post("/user/auth", &body)).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.message(), "\"refresh\" must be a boolean");
    }
}

#[tokio::test]
async fn within_the_grace_a_used_refresh_token_gives_the_same_successor() {
    let (app, first) = logged_in(&[]).await;
    let used = refresh_token(&first);
    let successor = refresh_token(&refresh(&app, &used).await);

    app.clock.advance(9 * SECOND);
    let again = refresh(&app, &used).await;

    assert_eq!(refresh_token(&again), successor);
    assert_eq!(app.user(&again.token()).await.status, 200);
    assert_eq!(refresh(&app, &successor).await.status, 200);
}

#[tokio::test]
async fn a_refresh_token_used_again_later_ends_the_session_and_raises_an_alarm() {
    let (app, first) = logged_in(&[]).await;
    let stolen = refresh_token(&first);
    let owner = refresh(&app, &stolen).await;
    app.clock.advance(10 * SECOND);
    let (lines, guard) = capture();

    let thief = refresh(&app, &stolen).await;

    assert_refused(&thief, "used before");
    let line = lines.take().pop().unwrap();
    assert_eq!(line["refresh_reuses"], 1);
    let metrics = line["_aws"]["CloudWatchMetrics"].to_string();
    assert!(metrics.contains("refresh_reuses"), "{metrics}");
    assert_eq!(line["account"], claims(&owner)["id"]);
    drop(guard);
    for token in [&first.token(), &owner.token()] {
        assert_eq!(app.user(token).await.message(), "Bad token");
    }
    assert_refused(&refresh(&app, &refresh_token(&owner)).await, "the owner");
    assert_eq!(app.session_keys().await.len(), 1, "that of the sign-up");
}

#[tokio::test]
async fn a_thief_who_refreshes_first_is_thrown_out_by_the_owner() {
    let (app, first) = logged_in(&[]).await;
    let stolen = refresh_token(&first);
    let mut thief = refresh(&app, &stolen).await;
    for _ in 0..3 {
        app.clock.advance(MINUTE);
        thief = refresh(&app, &refresh_token(&thief)).await;
        assert_eq!(thief.status, 200);
    }

    assert_refused(&refresh(&app, &stolen).await, "the owner");

    assert_eq!(app.user(&thief.token()).await.status, 401);
    assert_refused(&refresh(&app, &refresh_token(&thief)).await, "the thief");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_racing_refreshes_of_one_token_get_the_same_successor() {
    let (app, first) = logged_in(&[]).await;
    let token = refresh_token(&first);

    let racing = race_over(&app, &[], 100, |instance, _| {
        let token = token.clone();
        async move { refresh(&instance, &token).await }
    });
    let answers = racing.await;

    let successors: BTreeSet<_> = answers.iter().map(refresh_token).collect();
    assert_eq!(successors.len(), 1);
    for answer in &answers {
        assert_eq!(app.user(&answer.token()).await.status, 200);
    }
    let successor = successors.first().unwrap();
    app.clock.advance(MINUTE);
    let next = refresh(&app, successor).await;
    assert_eq!(next.status, 200);
    app.clock.advance(MINUTE);
    assert_refused(&refresh(&app, &token).await, "the thief");
    assert_eq!(app.user(&next.token()).await.message(), "Bad token");
}

#[tokio::test]
async fn a_lost_answer_of_dynamodb_is_not_taken_for_theft() {
    let (app, first) = logged_in(&[("REFRESH_GRACE", "1s")]).await;
    let clock = Arc::clone(&app.clock);
    let mut is_first = true;
    app.wire.on_request(move |operation, _| {
        let is_lost = operation == "UpdateItem" && std::mem::take(&mut is_first);
        is_lost.then(|| {
            clock.advance(2 * SECOND);
            Fault::LoseAnswer
        })
    });

    let second = refresh(&app, &refresh_token(&first)).await;

    assert_eq!(second.status, 200, "{second:?}");
    app.clock.advance(MINUTE);
    let third = refresh(&app, &refresh_token(&second)).await;
    assert_eq!(third.status, 200);
}

#[tokio::test]
async fn a_session_that_ended_cannot_be_refreshed() {
    for how in [
        "log out",
        "end all",
        "new password",
        "disable",
        "delete",
        "end by an operator",
    ] {
        let (app, first) = logged_in(&[]).await;
        let token = refresh_token(&first);
        let other = app.sign_in(EMAIL, PASSWORD).await.token();
        let id = claims(&first)["id"].clone();
        let change = json!({"oldPassword": PASSWORD, "newPassword": "battery-staple-7"});
        match how {
            "log out" => assert_eq!(app.log_out(&first.token()).await.status, 200),
            "end all" => {
                let end = Call::new("DELETE", "/user/sessions", String::new().into());
                assert_eq!(app.call(end.bearer(&other)).await.status, 200);
            }
            "new password" => {
                let change = post("/user/change-password", &change).bearer(&other);
                assert_eq!(app.call(change).await.status, 200);
            }
            "disable" => drop(app.operate("disable-account", json!({"id": id})).await),
            "delete" => drop(app.operate("delete-account", json!({"id": id})).await),
            _ => drop(app.operate("end-sessions", json!({"id": id})).await),
        }

        assert_refused(&refresh(&app, &token).await, how);
    }
}

#[tokio::test]
async fn the_session_that_changes_the_password_goes_on_and_can_be_refreshed() {
    let (app, first) = logged_in(&[]).await;
    let change = json!({"oldPassword": PASSWORD, "newPassword": "battery-staple-7"});
    let change = post("/user/change-password", &change).bearer(&first.token());
    assert_eq!(app.call(change).await.status, 200);

    assert_eq!(refresh(&app, &refresh_token(&first)).await.status, 200);
}

#[tokio::test]
async fn nothing_but_a_refresh_token_is_taken_for_one() {
    let (app, first) = logged_in(&[]).await;
    let token = refresh_token(&first);
    let plain = app.sign_in(EMAIL, PASSWORD).await;
    let key = app.api_key(&plain.token(), 15).await;
    let _ = app.cost();
    for (wrong, why) in [
        (first.token(), "an access token"),
        (key, "an API key"),
        (token.to_uppercase(), "upper case"),
        (token.replace(".1.", ".2."), "another number"),
        (format!("{token} "), "a space"),
        (token[..token.len() - 1].to_owned(), "truncated"),
        (token.replacen("refresh_", "", 1), "no prefix"),
        (String::new(), "empty"),
        ("x".repeat(10_000), "10 KB"),
        ("refresh_....".to_owned(), "dots"),
    ] {
        assert_refused(&refresh(&app, &wrong).await, why);
    }
    assert_eq!(app.cost().round_trips, 0, "no call for any of them");
    let as_bearer = app.user(&token).await;
    assert_eq!(as_bearer.status, 401);
    assert_eq!(as_bearer.message(), "Invalid JWT: Token format not valid");
    for body in [
        json!({}),
        json!({"refreshToken": null}),
        json!({"refreshToken": 1}),
    ] {
        assert_eq!(app.call(post("/v1/auth/refresh", &body)).await.status, 400);
    }
    assert_eq!(refresh(&app, &token).await.status, 200, "still current");
}

#[tokio::test]
async fn a_session_without_refresh_tokens_has_none_that_can_be_invented() {
    let (app, first) = logged_in(&[]).await;
    let plain = app.log_in(EMAIL, PASSWORD).await;
    let sid = |answer: &Answer| claims(answer)["sid"].as_str().unwrap().to_owned();
    let moved = refresh_token(&first).replace(&sid(&first), &sid(&plain));

    assert_refused(&refresh(&app, &moved).await, "another session");
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_refreshed_for_thirty_days_and_after_ninety() {
    let (app, first) = logged_in(&[]).await;
    app.clock.advance((30 * DAY).saturating_sub(SECOND));
    let mut last = refresh(&app, &refresh_token(&first)).await;
    for _ in 0..2 {
        app.clock.advance(29 * DAY);
        last = refresh(&app, &refresh_token(&last)).await;
        assert_eq!(last.status, 200);
    }
    // Two days before the end, and then minutes before it.
    app.clock.advance((2 * DAY).saturating_sub(10 * MINUTE));
    last = refresh(&app, &refresh_token(&last)).await;
    assert_eq!(last.body["expiresIn"], 601);
    app.clock.advance(HOUR);
    assert_refused(&refresh(&app, &refresh_token(&last)).await, "ninety days");
    assert_eq!(app.user(&last.token()).await.status, 401);

    let idle = log_in(&app).await;
    app.clock.advance(30 * DAY);
    assert_refused(&refresh(&app, &refresh_token(&idle)).await, "thirty days");
}

#[tokio::test]
async fn an_account_that_needs_a_verified_email_again_cannot_refresh() {
    let (app, first) = logged_in(&[]).await;
    let required = [
        ("EMAIL_VERIFICATION", "required"),
        ("MAIL_FROM", "noreply@latchkey.example"),
        ("APP_URL", "https://app.example.com"),
    ];

    let answer = refresh(&app.another(&required), &refresh_token(&first)).await;

    assert_eq!(answer.status, 403);
    assert_eq!(answer.message(), "Email address is not verified.");
    assert_eq!(refresh(&app, &refresh_token(&first)).await.status, 200);
}

#[tokio::test]
async fn a_refresh_that_dynamodb_fails_changes_nothing() {
    let (app, first) = logged_in(&[]).await;
    for operation in ["BatchGetItem", "UpdateItem"] {
        app.wire.fail_next(operation, 10, Fault::broken());
        let answer = refresh(&app, &refresh_token(&first)).await;
        assert_eq!(answer.status, 503, "{operation}: {answer:?}");
        app.wire.heal();
    }
    assert_eq!(refresh(&app, &refresh_token(&first)).await.status, 200);
}

#[tokio::test]
async fn before_the_first_rotation_of_the_ring_no_session_can_be_refreshed() {
    let app = TestApp::new().await;
    let never_rotated = with_secret(&app, &secrets().await, &[]);
    never_rotated.sign_up(EMAIL).await;

    let wrong = json!({"username": EMAIL, "password": "wrong-guess", "refresh": true});
    for body in [
        wrong,
        json!({"username": EMAIL, "password": PASSWORD, "refresh": true}),
    ] {
        let answer = never_rotated.call(post("/v1/auth/login", &body)).await;
        assert_eq!(answer.status, 503, "it says nothing of the password");
    }

    assert_eq!(app.session_keys().await.len(), 1, "that of the sign-up");
    assert_eq!(never_rotated.log_in(EMAIL, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn the_lifetime_of_tokens_and_the_grace_can_be_configured() {
    let settings = [("ACCESS_EXPIRES_IN", "1m"), ("REFRESH_GRACE", "1m")];
    let (app, first) = logged_in(&settings).await;
    let body = json!({"username": EMAIL, "password": PASSWORD, "refresh": true});
    let by_other_family = app.call(post("/user/auth", &body)).await;
    let life = claims(&by_other_family)["exp"].as_i64().unwrap() - app.clock.now().secs();
    assert_eq!((life, &first.body["expiresIn"]), (60, &json!(60)));

    let second = refresh(&app, &refresh_token(&first)).await;
    assert_eq!(second.body["expiresIn"], 60);
    app.clock.advance(59 * SECOND);
    let again = refresh(&app, &refresh_token(&first)).await;
    assert_eq!(refresh_token(&again), refresh_token(&second));
    app.clock.advance(SECOND);
    assert_refused(&refresh(&app, &refresh_token(&first)).await, "too late");

    let long = app.another(&[("ACCESS_EXPIRES_IN", "60d")]);
    let capped = log_in(&long).await;
    assert_eq!(capped.body["expiresIn"], 30 * 24 * 60 * 60);
}

#[tokio::test]
async fn a_reuse_raises_the_alarm_even_if_the_session_cannot_be_ended() {
    let (app, first) = logged_in(&[]).await;
    let second = refresh(&app, &refresh_token(&first)).await;
    app.clock.advance(MINUTE);
    let (lines, guard) = capture();
    app.wire.fail_next("DeleteItem", 10, Fault::broken());

    assert_eq!(refresh(&app, &refresh_token(&first)).await.status, 503);

    assert_eq!(lines.take().pop().unwrap()["refresh_reuses"], 1);
    drop(guard);
    app.wire.heal();
    assert_refused(&refresh(&app, &refresh_token(&first)).await, "again");
    assert_eq!(app.user(&second.token()).await.status, 401);
}

/// A refresh token that the ring of the tests issues.
async fn forged(app: &TestApp, answer: &Answer, number: u64) -> String {
    let claims = claims(answer);
    let token = RefreshToken {
        account: AccountId::parse(claims["id"].as_str().unwrap()).unwrap(),
        session: claims["sid"].as_str().unwrap().to_owned(),
        number,
    };
    let keys = app.app.keys.current(app.clock.now()).await.unwrap();
    token.issue(&keys).unwrap().expose().to_owned()
}

#[tokio::test]
async fn a_refresh_token_with_an_unissued_number_ends_the_session() {
    for number in [0, 3, 100, u64::MAX] {
        let (app, first) = logged_in(&[]).await;
        let second = refresh(&app, &refresh_token(&first)).await;

        let unknown = forged(&app, &first, number).await;
        assert_refused(&refresh(&app, &unknown).await, "a number of no token");

        assert_eq!(app.user(&second.token()).await.status, 401, "{number}");
    }
}

#[tokio::test]
async fn a_forged_first_token_does_not_refresh_a_session_without_refresh() {
    let (app, _) = logged_in(&[]).await;
    let plain = app.log_in(EMAIL, PASSWORD).await;

    let invented = forged(&app, &plain, 1).await;
    assert_refused(&refresh(&app, &invented).await, "no refresh token");

    assert_eq!(app.user(&plain.token()).await.status, 200, "it goes on");
}

#[tokio::test]
async fn rotations_keep_refresh_tokens_and_a_replacement_ends_them() {
    let (one, other, operator) = two_instances(&[]).await;
    rotate(&operator, "version-1").await;
    one.clock.advance(HOUR);
    let mut last = log_in(&one).await;
    for version in ["version-2", "version-3"] {
        rotate(&operator, version).await;
        one.clock.advance(HOUR);
        last = refresh(&other, &refresh_token(&last)).await;
        assert_eq!(last.status, 200, "{version}");
    }

    ask(&operator, json!({"action": "replace"})).await.unwrap();
    one.clock.advance(6 * MINUTE);
    assert_refused(&refresh(&one, &refresh_token(&last)).await, "replaced");

    // The other instance has not read the new ring yet.
    let new = log_in(&one).await;
    assert_eq!(refresh(&other, &refresh_token(&new)).await.status, 200);
}

/// Refreshes once for each call that a refresh makes. At that call it waits until `change` has ended the session, by
/// another instance. Whatever the answer then is, none of its tokens may work.
async fn delay_at_each_call(change: impl AsyncFn(&TestApp, &Answer)) {
    for held in 1.. {
        let (app, first) = logged_in(&[]).await;
        let slow = app.another(&[]);
        let token = refresh_token(&first);
        let of_session = format!("/{}", claims(&first)["sid"].as_str().unwrap());
        let is_there = async || {
            let keys = app.session_keys().await;
            keys.iter().any(|key| key.ends_with(&of_session))
        };
        let changing = async {
            change(&app, &first).await;
            is_there().await
        };
        let refreshing = refresh(&slow, &token);
        let (answer, was_kept) = slow.pause_at_call(held, refreshing, changing).await;

        let Some(was_kept) = was_kept else {
            assert_eq!(answer.status, 200);
            assert!(held > 2, "only {held} calls");
            return;
        };
        let successor = if answer.status == 200 {
            assert_eq!(app.user(&answer.token()).await.status, 401, "{held}");
            refresh_token(&answer)
        } else {
            token.clone()
        };
        assert_refused(&refresh(&app, &successor).await, "ended");
        assert!(was_kept || !is_there().await, "{held}: made again");
    }
}

#[tokio::test]
async fn a_refresh_delayed_at_any_call_while_the_session_ends_yields_no_token_that_works() {
    delay_at_each_call(async |app, first| {
        assert_eq!(app.log_out(&first.token()).await.status, 200);
    })
    .await;
    delay_at_each_call(async |app, first| {
        let token = refresh_token(first);
        let revoke = post_form("/oauth/revoke", &[("token", &token)]);
        assert_eq!(app.call(revoke).await.status, 200);
    })
    .await;
    delay_at_each_call(async |app, first| {
        let id = json!({"id": claims(first)["id"]});
        app.operate("end-sessions", id).await.unwrap();
    })
    .await;
    delay_at_each_call(async |app, first| {
        let id = json!({"id": claims(first)["id"]});
        app.operate("delete-account", id).await.unwrap();
        app.erase().await;
    })
    .await;
}

#[tokio::test]
async fn a_delayed_refresh_does_not_set_the_number_back() {
    let (app, first) = logged_in(&[]).await;
    let slow = app.another(&[]);
    let token = refresh_token(&first);
    let two_more = async {
        let second = refresh(&app, &token).await;
        refresh(&app, &refresh_token(&second)).await
    };

    let delayed = refresh(&slow, &token);
    let (delayed, third) = slow.pause_at("UpdateItem", delayed, two_more).await;

    let third = third.unwrap();
    assert_eq!(third.status, 200);
    assert_refused(&delayed, "used before, and its successor too");
    assert_refused(&refresh(&app, &refresh_token(&third)).await, "ended");
}
