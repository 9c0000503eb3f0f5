//! The functions for operators: an account is found, disabled, enabled, let back in and deleted.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tests::app::{PASSWORD, TestApp, get, post};
use tests::logs::capture;
use tests::wire::Fault;

/// An account with a username, its id and a token.
async fn with_named_user() -> (TestApp, String, String) {
    let app = TestApp::new().await;
    let body = json!({"username": "abc", "email": "abc@example.com", "password": PASSWORD});
    let signed_up = app.call(post("/user", &body)).await;
    (app, signed_up.text("/user/id"), signed_up.token())
}

async fn find(app: &TestApp, id: &str) -> Value {
    let found = app.operate("find-account", json!({"id": id})).await;
    found.unwrap()
}

#[tokio::test]
async fn an_account_is_found_by_each_of_its_names_with_its_live_sessions_and_keys() {
    let (app, id, token) = with_named_user().await;
    app.clock.advance(Duration::from_millis(1500));
    app.log_in("abc", PASSWORD).await;
    let ended = app.sign_in("abc", PASSWORD).await.token();
    app.log_out(&ended).await;
    for _ in 0..3 {
        app.api_key(&token, 1).await;
    }
    app.revoke_api_key(&token, 2).await;

    let expected = json!({
        "id": id,
        "username": "abc",
        "email": "abc@example.com",
        "createdAt": app.profile(&token).await.body["user"]["createdAt"],
        "lastLogIn": app.profile(&token).await.body["user"]["lastLogIn"],
        "state": "enabled",
        "scope": ["user"],
        "sessions": 2,
        "apiKeys": 2,
    });
    for name in [
        json!({"id": id}),
        json!({"username": "ABC"}),
        json!({"email": "ABC@example.com"}),
        json!({"username": "abc@EXAMPLE.com"}),
    ] {
        let found = app.operate("find-account", name.clone()).await;
        assert_eq!(found.unwrap(), expected, "{name}");
    }

    app.clock.advance(Duration::from_mins(30));
    assert_eq!(find(&app, &id).await["sessions"], 1, "one has expired");
    let all = json!({"id": id, "apiKeys": true});
    app.operate("end-sessions", all).await.unwrap();
    let found = find(&app, &id).await;
    assert_eq!(
        (&found["sessions"], &found["apiKeys"]),
        (&json!(0), &json!(0))
    );
}

#[tokio::test]
async fn an_invalid_request_of_an_operator_is_refused_and_changes_nothing() {
    let (app, id, _) = with_named_user().await;
    let before = app.users().await;
    let unknown = "there is no such account";
    let not_an_id = "an id is 24 hexadecimal digits, lower case";

    for function in [
        "find-account",
        "set-password",
        "end-sessions",
        "disable-account",
        "enable-account",
        "delete-account",
    ] {
        for (name, refusal) in [
            ("000000000000000000000000", unknown),
            ("", not_an_id),
            ("abc@example.com", not_an_id),
            (&*id.to_uppercase(), not_an_id),
        ] {
            let done = app.operate(function, json!({"id": name})).await;
            assert_eq!(done, Err(refusal.to_owned()), "{function} {name}");
        }
        for request in [
            json!({}),
            json!([]),
            json!({"id": 1}),
            json!({"id": id, "scope": "admin"}),
            json!({"id": id, "force": "true"}),
        ] {
            let done = app.operate(function, request.clone()).await;
            assert!(done.is_err(), "{function} {request}");
        }
    }
    for names in [
        json!({"email": "nobody@example.com"}),
        json!({"username": "no body"}),
        json!({"id": id, "email": "abc@example.com"}),
    ] {
        let done = app.operate("find-account", names.clone()).await;
        assert!(done.is_err(), "{names}");
    }
    assert_eq!(app.users().await, before);
}

#[tokio::test]
async fn a_disabled_account_is_answered_like_a_wrong_password_and_its_tokens_and_keys_are_dead() {
    let (app, id, token) = with_named_user().await;
    let key = app.api_key(&token, 15).await;
    let elsewhere = app.another(&[]);
    let wrong = elsewhere.sign_in_from("192.0.2.2", "abc", "guess1").await;
    let cost_of_wrong = elsewhere.cost();

    let disabled = app.operate("disable-account", json!({"id": id})).await;
    assert_eq!(disabled, Ok(json!({"id": id, "disabled": true})));

    assert_eq!(find(&app, &id).await["state"], "disabled");
    let _ = elsewhere.cost();
    let right = elsewhere.sign_in_from("192.0.2.3", "abc", PASSWORD).await;
    assert_eq!(elsewhere.cost(), cost_of_wrong);
    assert_eq!((right.status, &right.body), (403, &wrong.body));
    assert_eq!(right.headers, wrong.headers);
    for path in ["/user", "/v1/auth/user", "/v1/api-keys"] {
        let by_token = elsewhere.call(get(path).bearer(&token)).await;
        assert_eq!(by_token.message(), "Bad token", "{path}");
    }
    for path in ["/user", "/v1/auth/user"] {
        let by_key = elsewhere.call(get(path).api_key(&key)).await;
        assert_eq!(by_key.message(), "Invalid API key", "{path}");
        let by_both = elsewhere.call(get(path).api_key(&key).bearer(&token)).await;
        assert_eq!(by_both.message(), "Bad token", "{path}");
    }

    let enabled = app.operate("enable-account", json!({"id": id})).await;
    assert_eq!(enabled, Ok(json!({"id": id, "disabled": false})));
    assert_eq!(elsewhere.user(&token).await.message(), "Bad token");
    let by_key = elsewhere.call(get("/user").api_key(&key)).await;
    assert_eq!(by_key.status, 200);
    let anew = elsewhere.sign_in_from("192.0.2.3", "abc", PASSWORD).await;
    assert_eq!(elsewhere.user(&anew.token()).await.status, 200);
}

#[tokio::test]
async fn a_right_password_of_a_disabled_account_counts_as_a_failure() {
    let (app, id, _) = with_named_user().await;
    app.operate("disable-account", json!({"id": id}))
        .await
        .unwrap();

    for _ in 0..10 {
        assert_eq!(app.sign_in("abc", PASSWORD).await.status, 403);
    }

    assert_eq!(app.sign_in("abc", PASSWORD).await.status, 429);
}

#[tokio::test]
async fn disabling_twice_keeps_the_account_disabled_until_it_is_enabled_once() {
    let (app, id, _) = with_named_user().await;
    for function in ["disable-account", "disable-account", "enable-account"] {
        app.operate(function, json!({"id": id})).await.unwrap();
    }

    let token = app.sign_in("abc", PASSWORD).await.token();
    assert_eq!(app.user(&token).await.status, 200);
}

#[tokio::test]
async fn a_password_set_by_an_operator_is_the_only_one_that_signs_in() {
    let (app, id, token) = with_named_user().await;
    let key = app.api_key(&token, 1).await;

    let set = app.operate("set-password", json!({"id": id})).await;
    let password = set.unwrap()["password"].as_str().unwrap().to_owned();

    assert_eq!(password.len(), 20);
    assert_eq!(app.user(&token).await.message(), "Bad token");
    assert_eq!(app.call(get("/user").api_key(&key)).await.status, 200);
    for name in ["abc", "abc@example.com"] {
        assert_eq!(app.sign_in(name, PASSWORD).await.status, 403, "{name}");
        let token = app.sign_in(name, &password).await.token();
        assert_eq!(app.user(&token).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn a_generated_password_is_as_long_as_the_policy_wants() {
    let (app, id, _) = with_named_user().await;
    let strict = [
        ("PASSWORD_MIN_LENGTH", "64"),
        ("PASSWORD_REJECT_COMMON", "true"),
    ];

    let strict = app.another(&strict);
    let set = strict.operate("set-password", json!({"id": id}));

    assert_eq!(set.await.unwrap()["password"].as_str().unwrap().len(), 64);
}

#[tokio::test]
async fn setting_a_password_lets_strangers_try_again_by_either_name() {
    let (app, id, _) = with_named_user().await;
    for name in ["abc", "abc@example.com"] {
        for n in 0..51 {
            let ip = format!("198.51.100.{n}");
            app.sign_in_from(&ip, name, "guess1").await;
        }
        let stranger = app.sign_in_from("203.0.113.1", name, PASSWORD).await;
        assert_eq!(stranger.status, 429, "{name}");
    }

    let set = app.operate("set-password", json!({"id": id})).await;
    let password = set.unwrap()["password"].as_str().unwrap().to_owned();

    for name in ["abc", "abc@example.com"] {
        let stranger = app.sign_in_from("203.0.113.2", name, &password).await;
        assert_eq!(stranger.status, 200, "{name}");
    }
}

#[tokio::test]
async fn a_source_is_familiar_only_with_the_password_that_it_signed_in_with() {
    let (app, id, _) = with_named_user().await;
    assert_eq!(app.sign_in("abc", PASSWORD).await.status, 200);
    let set = app.operate("set-password", json!({"id": id})).await;
    let password = set.unwrap()["password"].as_str().unwrap().to_owned();
    for n in 0..51 {
        let ip = format!("198.51.100.{n}");
        app.sign_in_from(&ip, "abc", "guess1").await;
    }

    let known_before = app.sign_in_from("192.0.2.1", "abc", &password).await;

    assert_eq!(known_before.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_racing_new_passwords_exactly_one_signs_in() {
    let (app, id, _) = with_named_user().await;
    let app = Arc::new(app);
    let racers: Vec<_> = (0..6)
        .map(|_| {
            let (app, id) = (Arc::clone(&app), id.clone());
            tokio::spawn(async move { app.operate("set-password", json!({"id": id})).await })
        })
        .collect();
    let set = futures_util::future::try_join_all(racers).await.unwrap();

    let mut admitted = 0;
    for password in set.iter().flatten() {
        let password = password["password"].as_str().unwrap();
        for name in ["abc", "abc@example.com"] {
            admitted += usize::from(app.sign_in(name, password).await.status == 200);
        }
    }

    assert_eq!(admitted, 2, "one password, by both names");
}

/// The ids in the item that names the administrators.
async fn administrators(app: &TestApp) -> Vec<String> {
    let users = app.users().await;
    let ids = users.get("admins/set").and_then(|set| set.get("ids"));
    ids.map_or_else(Vec::new, |ids| ids.as_ss().unwrap().clone())
}

/// An instance with this many administrators, and their ids.
async fn with_administrators(count: usize) -> (TestApp, Vec<String>) {
    let app = TestApp::new().await;
    let mut ids = Vec::new();
    for n in 0..count {
        let id = app
            .sign_up(&format!("a{n}@example.com"))
            .await
            .text("/user/id");
        let grant = json!({"id": id, "scopes": ["user", "admin"]});
        app.operate("grant-scopes", grant).await.unwrap();
        ids.push(id);
    }
    (app, ids)
}

#[tokio::test]
async fn the_last_administrator_is_removed_only_by_force() {
    for (function, request) in [
        ("grant-scopes", json!({"scopes": ["user"]})),
        ("disable-account", json!({})),
        ("delete-account", json!({})),
    ] {
        let (app, ids) = with_administrators(2).await;
        let of = |id: &str| {
            let mut request = request.clone();
            request["id"] = json!(id);
            request
        };
        app.operate(function, of(&ids[0])).await.unwrap();
        assert_eq!(administrators(&app).await, ids[1..], "{function}");
        let before = app.users().await;

        let refused = app.operate(function, of(&ids[1])).await;

        let text = "The last administrator cannot be removed.";
        assert_eq!(refused, Err(text.to_owned()), "{function}");
        assert_eq!(app.users().await, before, "{function}");

        let mut forced = of(&ids[1]);
        forced["force"] = json!(true);
        app.operate(function, forced).await.unwrap();
        assert!(administrators(&app).await.is_empty(), "{function}");
    }
}

#[tokio::test]
async fn an_administrator_who_is_disabled_counts_again_when_enabled() {
    let (app, ids) = with_administrators(2).await;
    let [first, second] = &ids[..] else {
        unreachable!("two were made")
    };
    app.operate("disable-account", json!({"id": first}))
        .await
        .unwrap();
    let grant = json!({"id": first, "scopes": ["admin", "user"]});
    app.operate("grant-scopes", grant).await.unwrap();
    assert_eq!(administrators(&app).await, std::slice::from_ref(second));

    app.operate("enable-account", json!({"id": first}))
        .await
        .unwrap();

    assert_eq!(administrators(&app).await, ids);
    app.operate("delete-account", json!({"id": second}))
        .await
        .unwrap();
    assert_eq!(administrators(&app).await, std::slice::from_ref(first));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_administrators_removed_at_once_one_stays() {
    for function in ["disable-account", "delete-account"] {
        let (app, ids) = with_administrators(4).await;
        let app = Arc::new(app);
        let racers: Vec<_> = ids
            .iter()
            .map(|id| {
                let (app, request) = (Arc::clone(&app), json!({"id": id}));
                tokio::spawn(async move { app.operate(function, request).await })
            })
            .collect();

        let done = futures_util::future::try_join_all(racers).await.unwrap();

        let refused = done.iter().filter(|done| done.is_err()).count();
        assert_eq!((refused, administrators(&app).await.len()), (1, 1));
    }
}

#[tokio::test]
async fn a_deleted_account_is_gone_and_its_names_are_free() {
    let (app, id, token) = with_named_user().await;
    let key = app.api_key(&token, 1).await;

    let deleted = app.operate("delete-account", json!({"id": id})).await;

    assert_eq!(deleted, Ok(json!({"id": id, "deleted": true})));
    let elsewhere = app.another(&[]);
    assert_eq!(elsewhere.user(&token).await.message(), "Bad token");
    let by_key = elsewhere.call(get("/user").api_key(&key)).await;
    assert_eq!(by_key.message(), "Invalid API key");
    assert_eq!(elsewhere.sign_in("abc", PASSWORD).await.status, 403);
    for function in ["find-account", "enable-account", "set-password"] {
        let done = app.operate(function, json!({"id": id})).await;
        assert_eq!(done, Err("there is no such account".to_owned()));
    }

    let body = json!({"username": "abc", "email": "abc@example.com", "password": "another1"});
    let anew = app.call(post("/user", &body)).await;
    assert_eq!(anew.status, 200);
    assert_ne!(anew.text("/user/id"), id);
    let again = app.operate("delete-account", json!({"id": id})).await;
    assert!(again.is_ok());
    assert_eq!(app.user(&anew.token()).await.status, 200);
}

#[tokio::test]
async fn a_claim_of_another_account_is_never_changed() {
    let (app, id, _) = with_named_user().await;
    let users = &app.app.config.tables.users;
    let mut claim = app.users().await["username#abc/claim"].clone();
    let other = AttributeValue::S("0123456789abcdef01234567".to_owned());
    claim.insert("account_id".to_owned(), other);
    app.tamper(users, claim).await;
    let before = app.users().await;

    for function in ["set-password", "disable-account", "delete-account"] {
        let done = app.operate(function, json!({"id": id})).await;
        assert!(done.is_err(), "{function}");
    }

    assert_eq!(app.users().await, before);
}

#[tokio::test]
async fn a_grant_that_is_under_way_does_not_enable_an_account_that_was_disabled_meanwhile() {
    let (app, id, _) = with_named_user().await;
    let slow = app.another(&[]);

    let grant = slow.operate("grant-scopes", json!({"id": id, "scopes": ["admin"]}));
    let disabling = app.operate("disable-account", json!({"id": id}));
    let (granted, disabled) = slow.pause_at("TransactWriteItems", grant, disabling).await;

    assert!(granted.is_ok() && disabled.is_some_and(|done| done.is_ok()));
    let found = find(&app, &id).await;
    assert_eq!(found["state"], "disabled");
    assert_eq!(found["scope"], json!(["admin"]));
    assert!(administrators(&app).await.is_empty());
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_logged_as_possibly_made() {
    for (function, operation) in [
        ("set-password", "TransactWriteItems"),
        ("disable-account", "TransactWriteItems"),
        ("delete-account", "TransactWriteItems"),
    ] {
        let (app, id, _) = with_named_user().await;
        app.wire.fail_next(operation, usize::MAX, Fault::LoseAnswer);
        let (lines, _guard) = capture();

        let done = app.operate(function, json!({"id": id})).await;

        assert!(done.is_err(), "{function}");
        let logged = lines.take();
        let is_ours = |line: &&Value| line["fields"]["message"] == "account may have changed";
        let ours: Vec<_> = logged.iter().filter(is_ours).collect();
        assert_eq!(ours.len(), 1, "{function}: {logged:?}");
        assert_eq!(ours[0]["fields"]["account"], json!(id));
    }
}

#[tokio::test]
async fn each_change_by_an_operator_leaves_one_line_with_what_was_done_to_which_account() {
    let (app, id, _) = with_named_user().await;
    let (lines, _guard) = capture();

    for (function, message) in [
        ("grant-scopes", "scopes granted"),
        ("set-password", "password set"),
        ("end-sessions", "sessions ended"),
        ("disable-account", "account disabled"),
        ("enable-account", "account enabled"),
        ("delete-account", "account deleted"),
    ] {
        let mut request = json!({"id": id});
        if function == "grant-scopes" {
            request["scopes"] = json!(["user"]);
        }
        app.operate(function, request).await.unwrap();

        let logged = lines.take();
        assert_eq!(logged.len(), 1, "{function}: {logged:?}");
        assert_eq!(logged[0]["fields"]["message"], message);
        assert_eq!(logged[0]["fields"]["account"], json!(id), "{function}");
    }
}
