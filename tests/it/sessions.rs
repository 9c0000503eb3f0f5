//! Sessions and their generations: what ends a session, and that nothing revives it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use shared::auth::{WithApiKeys, end_sessions};
use shared::domain::AccountId;
use tests::app::{PASSWORD, TestApp, post};
use tests::wire::Fault;

/// An account with a username, its id and a token.
async fn with_named_user() -> (TestApp, AccountId, String) {
    let app = TestApp::new().await;
    let body = json!({"username": "abc", "email": "abc@example.com", "password": PASSWORD});
    let signed_up = app.call(post("/user", &body)).await;
    let id = AccountId::parse(&signed_up.text("/user/id")).unwrap();
    (app, id, signed_up.token())
}

#[tokio::test]
async fn ending_all_sessions_raises_the_generation_of_the_account_and_its_claims() {
    let (app, id, token) = with_named_user().await;

    end_sessions(&app.app, &id, WithApiKeys::No).await.unwrap();

    let users = app.users().await;
    let generations: Vec<_> = users
        .iter()
        .filter_map(|(key, item)| Some((key.as_str(), item.get("session_generation")?)))
        .collect();
    let second = AttributeValue::N("2".to_owned());
    let account = format!("user#{id}/account");
    let raised = [
        "email#abc@example.com/claim",
        &account,
        "username#abc/claim",
    ];
    assert_eq!(generations, raised.map(|key| (key, &second)));
    assert_eq!(app.user(&token).await.message(), "Bad token");
    for name in ["abc", "abc@example.com"] {
        let token = app.sign_in(name, PASSWORD).await.token();
        assert_eq!(app.user(&token).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_that_starts_after_the_sessions_ended_is_admitted() {
    let (app, id, token) = with_named_user().await;
    let app = Arc::new(app);
    let ended = Arc::new(AtomicBool::new(false));
    let storm = (0..40).map(|_| {
        let (app, token, ended) = (Arc::clone(&app), token.clone(), Arc::clone(&ended));
        tokio::spawn(async move {
            let mut started_after = 0;
            while started_after < 3 {
                let is_after = ended.load(Ordering::SeqCst);
                let status = app.user(&token).await.status;
                assert!(status == 401 || (status == 200 && !is_after), "{status}");
                started_after += usize::from(is_after);
            }
        })
    });
    let storm: Vec<_> = storm.collect();

    end_sessions(&app.app, &id, WithApiKeys::No).await.unwrap();
    ended.store(true, Ordering::SeqCst);

    futures_util::future::try_join_all(storm).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_ends_of_all_sessions_all_succeed() {
    let (app, id, token) = with_named_user().await;
    let app = Arc::new(app);
    let ends = (0..8).map(|_| {
        let (app, id) = (Arc::clone(&app), id.clone());
        tokio::spawn(async move { end_sessions(&app.app, &id, WithApiKeys::No).await })
    });

    let ends: Vec<_> = ends.collect();
    let ends = futures_util::future::try_join_all(ends).await.unwrap();

    assert!(ends.into_iter().all(|ended| ended.is_ok()));
    assert_eq!(app.user(&token).await.status, 401);
    let token = app.sign_in("abc", PASSWORD).await.token();
    assert_eq!(app.user(&token).await.status, 200);
}

/// Signs in once for each call that a sign-in makes. At that call it waits until `change` is done, by
/// another instance. Then its token, if it gets one, must not work.
async fn delay_at_each_call(change: impl AsyncFn(&TestApp, &AccountId)) {
    for held in 1.. {
        let (app, id, _) = with_named_user().await;
        let slow = app.another(&[]);

        let sign_in = slow.sign_in("abc", PASSWORD);
        let (answer, changed) = slow.pause_at_call(held, sign_in, change(&app, &id)).await;

        if changed.is_none() {
            assert_eq!(answer.status, 200);
            assert!(held > 5, "only {held} calls");
            return;
        }
        if answer.status == 200 {
            let user = app.user(&answer.token()).await;
            assert_eq!(user.message(), "Bad token", "{held}");
        } else {
            assert_eq!(answer.status, 403, "{held}");
        }
    }
}

#[tokio::test]
async fn a_sign_in_delayed_at_any_call_while_the_password_changes_yields_no_token_that_works() {
    delay_at_each_call(async |app, id| {
        let set = app
            .operate("set-password", json!({"id": id.as_str()}))
            .await;
        let password = set.unwrap()["password"].as_str().unwrap().to_owned();
        let token = app.sign_in("abc", &password).await.token();
        assert_eq!(app.user(&token).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_delayed_at_any_call_while_the_account_is_disabled_yields_no_token_that_works() {
    delay_at_each_call(async |app, id| {
        let request = json!({"id": id.as_str()});
        app.operate("disable-account", request).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_delayed_at_any_call_while_the_account_is_deleted_yields_no_token_that_works() {
    delay_at_each_call(async |app, id| {
        let request = json!({"id": id.as_str()});
        app.operate("delete-account", request).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn generations_that_differ_within_a_batch_are_read_again_before_a_401() {
    let (app, _, token) = with_named_user().await;
    let older: fn(&mut Value) = |answer| {
        let items = answer["Responses"]["latchkey-users"]
            .as_array_mut()
            .unwrap();
        for item in items {
            if item.get("session_generation").is_some() {
                item["session_generation"] = json!({"N": "0"});
            }
        }
    };
    app.wire.fail_next("BatchGetItem", 1, Fault::Change(older));

    assert_eq!(app.user(&token).await.status, 200);
}

#[tokio::test]
async fn a_refused_sign_in_leaves_no_session() {
    let settings = [("SIGNIN_RATE_LIMIT_ACCOUNT", "1")];
    let app = TestApp::with(&settings).await;
    app.sign_up("abc@example.com").await;
    app.sign_in("abc@example.com", "guess1").await;
    let sessions = app.session_keys().await;

    let another = app.another(&settings);
    let refused = another.sign_in("abc@example.com", PASSWORD).await;

    assert_eq!(refused.status, 429);
    assert_eq!(app.session_keys().await, sessions);
}

#[tokio::test]
async fn an_api_key_created_while_sessions_and_keys_end_does_not_work() {
    for held in ["BatchGetItem", "TransactWriteItems"] {
        let (app, id, token) = with_named_user().await;
        let slow = app.another(&[]);
        let body = json!({"name": "ci", "permissions": 1});

        let creation = slow.create_api_key(&token, body);
        let ending = end_sessions(&app.app, &id, WithApiKeys::Yes);
        let (created, ended) = slow.pause_at(held, creation, ending).await;

        ended.unwrap().unwrap();
        assert_eq!(created.message(), "Bad token", "{held}");
        let token = app.sign_in("abc", PASSWORD).await.token();
        assert!(app.api_keys(&token).await.is_empty());
    }
}

#[tokio::test]
async fn keys_that_have_ended_count_no_longer_as_live_ones() {
    let (app, id, token) = with_named_user().await;
    for _ in 0..50 {
        app.api_key(&token, 1).await;
    }
    let one_more = json!({"name": "ci", "permissions": 1});
    let refused = app.create_api_key(&token, one_more.clone()).await;
    assert_eq!(refused.status, 409);

    end_sessions(&app.app, &id, WithApiKeys::Yes).await.unwrap();

    let token = app.sign_in("abc", PASSWORD).await.token();
    assert_eq!(app.create_api_key(&token, one_more).await.status, 200);
    let keys = app.api_keys(&token).await;
    let revoked = keys.iter().filter(|key| key["revoked"] == true).count();
    assert_eq!((keys.len(), revoked), (51, 50));
    let profile = app.profile(&token).await;
    let listed = profile.body["user"]["apiKeys"].as_array().unwrap();
    assert_eq!(
        listed.iter().filter(|key| key["revoked"] == true).count(),
        50
    );
    let updated = app.update_profile(&token, json!({"city": "Bonn"})).await;
    let listed = updated.body["user"]["apiKeys"].as_array().unwrap();
    assert_eq!(
        listed.iter().filter(|key| key["revoked"] == true).count(),
        50
    );
}
