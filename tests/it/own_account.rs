//! What users change of their own accounts: password, username, sessions, and the end of the account.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use serde_json::{Value, json};
use tests::app::{Answer, Call, MAIL, PASSWORD, TestApp, get, post};
use tests::call::claim_of;
use tests::logs::capture;

const NEW: &str = "battery-staple-7";

async fn with_named_user() -> (TestApp, String) {
    let app = TestApp::new().await;
    let body = json!({"username": "abc", "email": "abc@example.com", "password": PASSWORD});
    let token = app.call(post("/user", &body)).await.token();
    (app, token)
}

fn change_password(token: &str, old: &str, new: &str) -> Call {
    let body = json!({"oldPassword": old, "newPassword": new});
    post("/user/change-password", &body).bearer(token)
}

fn change_username(token: &str, username: &str) -> Call {
    let body = json!({"username": username, "password": PASSWORD});
    post("/user/change-username", &body).bearer(token)
}

fn delete_user(token: &str, password: &str) -> Call {
    let body = json!({ "password": password }).to_string();
    Call::new("DELETE", "/user", body.into()).bearer(token)
}

fn delete(path: &str, token: &str) -> Call {
    Call::new("DELETE", path, Body::empty()).bearer(token)
}

fn assert_done(answer: &Answer) {
    assert_eq!((answer.status, &answer.body), (200, &json!({})));
}

fn session_of(token: &str) -> Option<String> {
    claim_of(token, "sid")
}

async fn sessions(app: &TestApp, token: &str) -> Vec<Value> {
    let answer = app.call(get("/user/sessions").bearer(token)).await;
    assert_eq!(answer.status, 200);
    answer.body.as_array().unwrap().clone()
}

#[tokio::test]
async fn a_changed_password_signs_in_by_both_names_and_the_old_one_does_not() {
    let (app, token) = with_named_user().await;

    assert_done(&app.call(change_password(&token, PASSWORD, NEW)).await);

    for name in ["abc", "abc@example.com"] {
        assert_eq!(app.sign_in(name, NEW).await.status, 200);
        let old = app.sign_in(name, PASSWORD).await;
        old.assert_refused(403, "Forbidden", "Invalid username or password.");
    }
}

#[tokio::test]
async fn a_change_of_password_ends_every_session_but_the_one_in_use() {
    let (app, token) = with_named_user().await;
    let elsewhere = app.another(&[]);
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(app.sign_in("abc", PASSWORD).await.token());
    }

    assert_done(&app.call(change_password(&token, PASSWORD, NEW)).await);

    assert_eq!(elsewhere.user(&token).await.status, 200);
    for other in others {
        assert_eq!(elsewhere.user(&other).await.message(), "Bad token");
    }
    assert_eq!(sessions(&app, &token).await.len(), 1);
}

#[tokio::test]
async fn a_change_of_password_ends_api_keys_only_if_asked() {
    let (app, token) = with_named_user().await;
    let key = app.api_key(&token, 1).await;
    let use_key = || get("/user").api_key(&key);

    app.call(change_password(&token, PASSWORD, NEW)).await;
    assert_eq!(app.call(use_key()).await.status, 200);

    let body = json!({"oldPassword": NEW, "newPassword": PASSWORD, "revokeApiKeys": true});
    let change = post("/user/change-password", &body).bearer(&token);
    assert_done(&app.call(change).await);

    assert_eq!(app.call(use_key()).await.message(), "Invalid API key");
    assert_eq!(app.user(&token).await.status, 200);
}

#[tokio::test]
async fn a_refused_change_of_password_changes_nothing() {
    let (app, token) = with_named_user().await;
    let before = app.users().await;
    let is_short = "\"newPassword\" length must be at least 6 characters long";
    let is_no_boolean = "\"revokeApiKeys\" must be a boolean";
    for (body, status, message) in [
        (
            json!({"oldPassword": "guess1", "newPassword": NEW}),
            403,
            "Invalid username or password.",
        ),
        (
            json!({"oldPassword": PASSWORD, "newPassword": "short"}),
            400,
            is_short,
        ),
        (
            json!({"newPassword": NEW}),
            400,
            "\"oldPassword\" is required",
        ),
        (
            json!({"oldPassword": PASSWORD}),
            400,
            "\"newPassword\" is required",
        ),
        (
            json!({"oldPassword": PASSWORD, "newPassword": NEW, "revokeApiKeys": "yes"}),
            400,
            is_no_boolean,
        ),
    ] {
        let call = post("/user/change-password", &body).bearer(&token);
        let answer = app.call(call).await;

        assert_eq!((answer.status, answer.message()), (status, message));
        assert_eq!(app.users().await, before);
    }
}

#[tokio::test]
async fn a_common_password_is_refused_by_every_route_that_changes_one() {
    let settings = [&MAIL[..], &[("PASSWORD_REJECT_COMMON", "true")]].concat();
    let app = TestApp::with(&settings).await;
    let user = json!({"username": "grace", "email": "abc@example.com", "password": NEW});
    let user = app.call(post("/user", &user)).await;
    let (token, id) = (user.token(), user.text("/user/id"));
    app.grant(&id, &["user", "admin"]).await;
    app.deliver().await;
    app.forget_password("abc@example.com").await;
    let code = app.mailed_code().await;
    let set = |path: &str, body| post(path, &body).bearer(&token);
    let put =
        |id: &str, body: Value| Call::new("PUT", &format!("/users/{id}"), body.to_string().into());
    for (password, why) in [
        ("qwerty", "is among the most common passwords"),
        ("my-GRACE-7", "must not contain the email or username"),
    ] {
        for call in [
            change_password(&token, NEW, password),
            set(
                "/user/forgot-password/reset",
                json!({"code": code, "password": password}),
            ),
            set(
                "/user/reset-password",
                json!({"email": "abc@example.com", "password": password}),
            ),
            put(&id, json!({"password": password})).bearer(&token),
        ] {
            let answer = app.call(call).await;

            assert_eq!(answer.status, 400, "{answer:?}");
            assert!(answer.message().ends_with(why), "{answer:?}");
        }
    }
    assert_eq!(app.sign_in("grace", NEW).await.status, 200);
}

#[tokio::test]
async fn guesses_of_the_current_password_are_limited_like_sign_ins_on_every_route() {
    let (app, token) = with_named_user().await;
    let rename = |password: &str| {
        let body = json!({"username": "def", "password": password});
        post("/user/change-username", &body).bearer(&token)
    };
    let move_to = |password: &str| {
        let body = json!({"email": "def@example.com", "password": password});
        post("/user/change-email", &body).bearer(&token)
    };
    let of_each_route = |password: &str| {
        [
            change_password(&token, password, NEW),
            rename(password),
            move_to(password),
            delete_user(&token, password),
        ]
    };
    for guess in (0..3).flat_map(|_| of_each_route("guess1")) {
        app.call(guess).await;
    }

    for right in of_each_route(PASSWORD) {
        let answer = app.call(right).await;
        assert_eq!(answer.status, 429);
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 429);
    assert_eq!(app.user(&token).await.text("/username"), "abc");
}

#[tokio::test]
async fn a_change_of_password_clears_the_totals_and_makes_its_source_familiar() {
    let app = TestApp::with(&[("SIGNIN_RATE_LIMIT_TOTAL", "2")]).await;
    let token = app.sign_up("abc@example.com").await.token();
    app.sign_in("abc@example.com", PASSWORD).await;
    let guess = async |ip: &str| app.sign_in_from(ip, "abc@example.com", "guess1").await;
    for ip in ["192.0.2.7", "192.0.2.8", "192.0.2.9"] {
        guess(ip).await;
    }
    let stranger = async || app.sign_in_from("192.0.2.5", "abc@example.com", NEW).await;

    assert_done(&app.call(change_password(&token, PASSWORD, NEW)).await);
    assert_eq!(stranger().await.status, 200, "the total is cleared");

    for ip in ["192.0.2.17", "192.0.2.18", "192.0.2.19"] {
        guess(ip).await;
    }
    assert_eq!(guess("192.0.2.20").await.status, 429);
    assert_eq!(app.sign_in("abc@example.com", NEW).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_racing_changes_of_one_password_exactly_one_wins_and_only_its_password_signs_in() {
    let app = Arc::new(TestApp::with(&[("SIGNIN_RATE_LIMIT_ACCOUNT", "1000")]).await);
    let token = app.sign_up("abc@example.com").await.token();
    let changes = (0..20).map(|n| {
        let (app, token) = (Arc::clone(&app), token.clone());
        let new = format!("new-password-{n}");
        tokio::spawn(async move {
            let answer = app.call(change_password(&token, PASSWORD, &new)).await;
            (answer.status, new)
        })
    });
    let changes: Vec<_> = changes.collect();

    let answers = futures_util::future::try_join_all(changes).await.unwrap();

    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|one| one.0 == 200);
    assert_eq!(won.len(), 1, "{won:?} {lost:?}");
    assert!(lost.iter().all(|(status, _)| *status == 403), "{lost:?}");
    assert_eq!(app.user(&token).await.status, 200);
    assert_eq!(app.sign_in("abc@example.com", &won[0].1).await.status, 200);
    for (_, password) in lost {
        assert_eq!(app.sign_in("abc@example.com", &password).await.status, 403);
    }
}

#[tokio::test]
async fn a_change_through_a_session_that_ends_meanwhile_changes_nothing() {
    for end in ["log-out", "end-sessions", "set-password", "delete-account"] {
        for call in ["change", "rename", "end", "end-all", "delete"] {
            let (app, token) = with_named_user().await;
            app.sign_in("abc@example.com", PASSWORD).await;
            let id = app.user_id(&token).await;
            let slow = app.another(&[]);
            let request = match call {
                "change" => change_password(&token, PASSWORD, NEW),
                "rename" => change_username(&token, "def"),
                "end" => delete("/user/sessions?except=current", &token),
                "end-all" => delete("/user/sessions", &token),
                _ => delete_user(&token, PASSWORD),
            };

            let ending = async {
                if end == "log-out" {
                    app.log_out(&token).await;
                } else {
                    app.operate(end, json!({ "id": id })).await.unwrap();
                }
                app.users().await
            };
            let change = slow.call(request);
            let (answer, before) = slow.pause_at("TransactWriteItems", change, ending).await;

            assert!(
                [401, 403].contains(&answer.status),
                "{end} {call}: {answer:?}"
            );
            assert_eq!(Some(app.users().await), before, "{end} {call}");
        }
    }
}

#[tokio::test]
async fn a_changed_username_signs_in_and_the_old_one_is_free_at_once() {
    let (app, token) = with_named_user().await;

    let renamed = app.call(change_username(&token, "Ada")).await;

    assert_eq!(renamed.text("/username"), "Ada");
    assert_eq!(renamed.body, app.user(&token).await.body);
    assert_eq!(app.sign_in("ADA", PASSWORD).await.status, 200);
    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);
    assert_eq!(app.sign_in("abc", PASSWORD).await.status, 403);
    let other = json!({"username": "abc", "email": "def@example.com", "password": PASSWORD});
    assert_eq!(app.call(post("/user", &other)).await.status, 200);
}

#[tokio::test]
async fn a_username_can_become_the_email_and_a_name_of_its_own_again() {
    let (app, token) = with_named_user().await;
    for (name, claims) in [
        ("abc@example.com", 1),
        ("ABC@example.com", 1),
        ("abc", 2),
        ("ABC", 2),
        ("abc", 2),
    ] {
        let renamed = app.call(change_username(&token, name)).await;

        assert_eq!(renamed.text("/username"), name);
        assert_eq!(app.sign_in(name, PASSWORD).await.status, 200);
        let users = app.users().await.into_keys();
        assert_eq!(users.filter(|key| key.ends_with("/claim")).count(), claims);
    }
    // Both claims have the password of a later change.
    assert_done(&app.call(change_password(&token, PASSWORD, NEW)).await);
    for name in ["abc", "abc@example.com"] {
        assert_eq!(app.sign_in(name, NEW).await.status, 200);
    }
}

#[tokio::test]
async fn a_taken_username_is_refused_and_counts_as_a_sign_up() {
    let app = TestApp::with(&[("USER_SIGNUP_RATE_LIMIT_IP", "4")]).await;
    let body = json!({"username": "abc", "email": "abc@example.com", "password": PASSWORD});
    let token = app.call(post("/user", &body)).await.token();
    app.sign_up("def@example.com").await;
    let other = json!({"username": "def", "email": "d@example.com", "password": PASSWORD});
    app.call(post("/user", &other)).await;
    let elsewhere = app.another(&[("USER_SIGNUP_RATE_LIMIT_IP", "4")]);

    let refused = app.call(change_username(&token, "DEF")).await;
    refused.assert_refused(400, "Bad Request", "User already exists.");
    assert!(refused.header("ratelimit").is_some());

    for name in ["def", "a-free-name"] {
        let limited = elsewhere.call(change_username(&token, name)).await;
        assert_eq!(limited.status, 429, "{name}");
    }
    let from_elsewhere = change_username(&token, "a-free-name").from("192.0.2.9");
    assert_eq!(app.call(from_elsewhere).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_racing_changes_to_one_username_exactly_one_wins() {
    let app = Arc::new(TestApp::new().await);
    let mut tokens = Vec::new();
    for n in 0..8 {
        tokens.push(app.sign_up(&format!("u{n}@example.com")).await.token());
    }
    let changes = tokens.iter().map(|token| {
        let (app, token) = (Arc::clone(&app), token.clone());
        tokio::spawn(async move { app.call(change_username(&token, "ada")).await.status })
    });
    let changes: Vec<_> = changes.collect();

    let mut statuses = futures_util::future::try_join_all(changes).await.unwrap();

    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(
        statuses[1..].iter().all(|status| *status == 400),
        "{statuses:?}"
    );
    assert_eq!(app.sign_in("ada", PASSWORD).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_username_and_a_password_that_change_at_once_leave_both_claims_with_one_password() {
    for _ in 0..10 {
        let app = Arc::new(TestApp::new().await);
        let token = app.sign_up("abc@example.com").await.token();
        let (by_password, by_name) = (Arc::clone(&app), Arc::clone(&app));
        let (first, second) = (token.clone(), token.clone());
        let password = tokio::spawn(async move {
            by_password
                .call(change_password(&first, PASSWORD, NEW))
                .await
        });
        let name = tokio::spawn(async move { by_name.call(change_username(&second, "ada")).await });

        let (password, name) = (password.await.unwrap(), name.await.unwrap());

        assert_eq!(password.status, 200);
        assert!([200, 403].contains(&name.status), "{name:?}");
        let by_username = app.sign_in("ada", NEW).await.status;
        assert_eq!(by_username == 200, name.status == 200);
        assert_eq!(app.sign_in("abc@example.com", NEW).await.status, 200);
        assert_eq!(app.sign_in("ada", PASSWORD).await.status, 403);
    }
}

#[tokio::test]
async fn sessions_are_listed_newest_first_with_where_they_come_from() {
    let (app, first) = with_named_user().await;
    app.clock.advance(Duration::from_mins(1));
    let body = json!({"username": "abc", "password": PASSWORD});
    let sign_in = post("/user/auth", &body).header("user-agent", "curl/8.5.0");
    let second = app.call(sign_in.from("2001:db8::1")).await.token();

    let listed = sessions(&app, &second).await;

    let ids = listed
        .iter()
        .map(|one| one["id"].as_str().map(str::to_owned));
    assert!(ids.eq([session_of(&second), session_of(&first)]));
    assert_eq!(listed[0]["current"], true);
    assert_eq!(listed[1]["current"], false);
    assert_eq!(listed[0]["ip"], "2001:db8::/64");
    assert_eq!(listed[1]["ip"], "192.0.2.1");
    assert_eq!(listed[0]["userAgent"], "curl/8.5.0");
    assert_eq!(listed[1]["userAgent"], Value::Null);
    assert_eq!(listed[0]["lastRefreshed"], listed[0]["created"]);
    assert!(listed[0]["created"].as_str() > listed[1]["created"].as_str());
}

#[tokio::test]
async fn only_the_newest_hundred_live_sessions_of_the_account_are_listed() {
    let (app, _) = with_named_user().await;
    app.sign_up("def@example.com").await;
    let ended = app.sign_in("abc", PASSWORD).await.token();
    app.log_out(&ended).await;
    let mut token = String::new();
    for _ in 0..105 {
        app.clock.advance(Duration::from_millis(1));
        token = app.sign_in("abc", PASSWORD).await.token();
    }

    let listed = sessions(&app, &token).await;

    assert_eq!(listed.len(), 100);
    assert_eq!(listed[0]["id"].as_str(), session_of(&token).as_deref());
    app.clock.advance(Duration::from_hours(24 * 30 - 1));
    let fresh = app.sign_in("abc", PASSWORD).await.token();
    app.clock.advance(Duration::from_hours(1));
    assert_eq!(sessions(&app, &fresh).await.len(), 1, "the others expired");
}

#[tokio::test]
async fn an_ended_session_is_refused_at_once_and_the_others_are_not() {
    let (app, first) = with_named_user().await;
    let second = app.sign_in("abc", PASSWORD).await.token();
    let elsewhere = app.another(&[]);
    let end = || {
        delete(
            &format!("/user/sessions/{}", session_of(&first).unwrap()),
            &second,
        )
    };

    assert_done(&app.call(end()).await);

    assert_eq!(elsewhere.user(&first).await.message(), "Bad token");
    assert_eq!(elsewhere.user(&second).await.status, 200);
    let again = app.call(end()).await;
    again.assert_refused(404, "Not Found", "Session not found");
}

#[tokio::test]
async fn nobody_ends_the_session_of_another_account() {
    let (app, token) = with_named_user().await;
    let other = app.sign_up("def@example.com").await.token();
    let of_other = session_of(&other).unwrap();
    let long = "a".repeat(2000);
    for id in [&of_other, "x", "%20", "ABCDEF", "..", "account", &long] {
        let answer = app
            .call(delete(&format!("/user/sessions/{id}"), &token))
            .await;
        answer.assert_refused(404, "Not Found", "Session not found");
    }
    assert_eq!(app.user(&other).await.status, 200);
}

#[tokio::test]
async fn two_hundred_sessions_end_at_once_with_or_without_the_one_in_use() {
    for keeps_current in [false, true] {
        let (app, _) = with_named_user().await;
        let elsewhere = app.another(&[]);
        let key = {
            let token = app.sign_in("abc", PASSWORD).await.token();
            app.api_key(&token, 1).await
        };
        let mut tokens = Vec::new();
        for _ in 0..200 {
            tokens.push(app.sign_in("abc", PASSWORD).await.token());
        }
        let current = tokens.pop().unwrap();
        let query = if keeps_current { "?except=current" } else { "" };

        let ended = app
            .call(delete(&format!("/user/sessions{query}"), &current))
            .await;

        assert_done(&ended);
        for token in tokens {
            assert_eq!(elsewhere.user(&token).await.message(), "Bad token");
        }
        let expected = if keeps_current { 200 } else { 401 };
        assert_eq!(elsewhere.user(&current).await.status, expected);
        assert_eq!(app.call(get("/user").api_key(&key)).await.status, 200);
        assert_eq!(app.sign_in("abc", PASSWORD).await.status, 200);
    }
}

#[tokio::test]
async fn an_unknown_or_repeated_exception_ends_no_session() {
    let (app, token) = with_named_user().await;
    for (query, message) in [
        ("except=newest", "\"except\" must be current"),
        ("except=", "\"except\" must be current"),
        (
            "except=current&except=current",
            "\"except\" must appear only once",
        ),
    ] {
        let answer = app
            .call(delete(&format!("/user/sessions?{query}"), &token))
            .await;
        assert_eq!((answer.status, answer.message()), (400, message));
        assert_eq!(app.user(&token).await.status, 200);
    }
}

#[tokio::test]
async fn a_deleted_account_is_dead_at_once_and_its_names_are_free() {
    let (app, token) = with_named_user().await;
    let id = app.user_id(&token).await;
    let key = app.api_key(&token, 15).await;
    app.update_profile(&token, json!({"city": "Berlin"})).await;
    let second = app.sign_in("abc", PASSWORD).await.token();
    let elsewhere = app.another(&[]);

    assert_done(&app.call(delete_user(&token, PASSWORD)).await);

    for token in [&token, &second] {
        assert_eq!(elsewhere.user(token).await.message(), "Bad token");
    }
    let by_key = elsewhere.call(get("/user").api_key(&key)).await;
    assert_eq!(by_key.message(), "Invalid API key");
    assert_eq!(elsewhere.sign_in("abc", PASSWORD).await.status, 403);
    let body = json!({"username": "abc", "email": "abc@example.com", "password": NEW});
    let again = app.call(post("/user", &body)).await;
    assert_ne!(again.text("/user/id"), id);
}

#[tokio::test]
async fn a_wrong_password_deletes_nothing() {
    let (app, token) = with_named_user().await;
    let before = app.users().await;

    let answer = app.call(delete_user(&token, "guess1")).await;

    answer.assert_refused(403, "Forbidden", "Invalid username or password.");
    assert_eq!(app.users().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_cannot_delete_the_account_even_in_a_race() {
    let app = Arc::new(TestApp::new().await);
    let mut tokens = Vec::new();
    for name in ["a", "b"] {
        let signed_up = app.sign_up(&format!("{name}@example.com")).await;
        let grant = json!({"id": signed_up.text("/user/id"), "scopes": ["admin"]});
        app.operate("grant-scopes", grant).await.unwrap();
        tokens.push(signed_up.token());
    }
    let deletions = tokens.iter().map(|token| {
        let (app, token) = (Arc::clone(&app), token.clone());
        tokio::spawn(async move { app.call(delete_user(&token, PASSWORD)).await })
    });
    let deletions: Vec<_> = deletions.collect();

    let mut answers = futures_util::future::try_join_all(deletions).await.unwrap();

    answers.sort_unstable_by_key(|answer| answer.status);
    assert_done(&answers[0]);
    let message = "The last administrator cannot be removed.";
    answers[1].assert_refused(409, "Conflict", message);
}

#[tokio::test]
async fn an_export_has_all_that_is_stored_and_no_secret() {
    let (app, token) = with_named_user().await;
    let key = app.api_key(&token, 1).await;
    let profile = json!({"city": "Berlin", "settings": [{"category": "ui", "name": "theme"}]});
    app.update_profile(&token, profile).await;
    app.clock.advance(Duration::from_millis(1));
    let ended = app.sign_in("abc", PASSWORD).await.token();
    app.call(delete("/user/sessions?except=current", &token))
        .await;

    let exported = app.call(get("/user/export").bearer(&token)).await;

    assert_eq!(exported.status, 200);
    assert_eq!(exported.text("/account/email"), "abc@example.com");
    assert_eq!(
        exported.body["profile"],
        app.profile(&token).await.body["user"]
    );
    let sessions = exported.body["sessions"].as_array().unwrap().iter();
    let sessions: Vec<_> = sessions
        .map(|one| (one["id"].as_str().map(str::to_owned), one["live"] == true))
        .collect();
    let expected = [(session_of(&ended), false), (session_of(&token), true)];
    assert_eq!(sessions, expected);
    let text = exported.body.to_string();
    for secret in [key.as_str(), "argon2", "digest", PASSWORD] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn an_export_needs_a_recent_sign_in() {
    let (app, token) = with_named_user().await;
    app.clock.advance(Duration::from_mins(16));

    let exported = app.call(get("/user/export").bearer(&token)).await;

    exported.assert_refused(401, "Unauthorized", "A recent sign-in is required");
}

#[tokio::test]
async fn a_rehash_that_races_a_change_of_username_leaves_one_hash_in_both_claims() {
    let app = TestApp::new().await;
    let token = app.sign_up("abc@example.com").await.token();
    let stronger = app.another(&[("ARGON2_ITERATIONS", "2")]);

    let sign_in = stronger.sign_in("abc@example.com", PASSWORD);
    let renaming = app.call(change_username(&token, "ada"));
    let (signed_in, renamed) = stronger
        .pause_at("TransactWriteItems", sign_in, renaming)
        .await;

    assert_eq!((renamed.unwrap().status, signed_in.status), (200, 200));
    let users = app.users().await.into_iter();
    let hashes = users.filter_map(|(_, item)| item.get("password_hash").cloned());
    let hashes: Vec<_> = hashes.collect();
    assert_eq!(hashes.len(), 2);
    assert_eq!(hashes[0], hashes[1]);
}

#[tokio::test]
async fn strangers_do_not_keep_the_owner_from_a_change_at_an_address_familiar_to_the_username() {
    let app = TestApp::with(&[("SIGNIN_RATE_LIMIT_TOTAL", "2")]).await;
    let body = json!({"username": "abc", "email": "abc@example.com", "password": PASSWORD});
    app.call(post("/user", &body)).await;
    let token = app.sign_in("abc", PASSWORD).await.token();
    for ip in ["192.0.2.7", "192.0.2.8", "192.0.2.9"] {
        app.sign_in_from(ip, "abc@example.com", "guess1").await;
    }
    let change = || change_password(&token, PASSWORD, NEW);

    assert_eq!(app.call(change().from("192.0.2.10")).await.status, 429);
    assert_done(&app.call(change()).await);
}

#[tokio::test]
async fn each_change_leaves_a_line_that_names_the_account() {
    let (app, token) = with_named_user().await;
    let id = app.user_id(&token).await;
    for (call, message) in [
        (
            change_password(&token, PASSWORD, PASSWORD),
            "password changed",
        ),
        (change_username(&token, "ada"), "username changed"),
        (
            delete("/user/sessions?except=current", &token),
            "sessions ended by their owner",
        ),
        (delete_user(&token, PASSWORD), "account deleted"),
    ] {
        let (lines, _guard) = capture();

        assert_eq!(app.call(call).await.status, 200);

        let logged = lines.take();
        let ours = logged
            .iter()
            .filter(|line| line["fields"]["message"] == message);
        let accounts: Vec<_> = ours.map(|line| line["fields"]["account"].clone()).collect();
        assert_eq!(accounts, [json!(id)], "{message}: {logged:?}");
    }
}
