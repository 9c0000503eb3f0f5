//! API keys: creation, use, expiry, revocation, and the limit on guesses.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use serde_json::{Value, json};
use shared::crypto::digest;
use tests::app::{Answer, Call, PASSWORD, TestApp, get, post};
use tests::wire::Fault;

use crate::races::{count, race_over};

#[tokio::test]
async fn a_new_api_key_is_returned_in_full_once_and_masked_afterwards() {
    let (app, token) = TestApp::with_user().await;
    let body = json!({"name": "ci", "permissions": 5, "description": "builds",
                      "expireDate": "2027-02-01T00:00:00+01:00"});

    let created = app.create_api_key(&token, body).await;

    assert_eq!(created.status, 200);
    let key = created.body["apiKey"]["key"].as_str().unwrap().to_owned();
    assert!(key.starts_with("api_") && key.len() == 28, "{key}");
    let owner = app.user_id(&token).await;
    let mut expected = json!({
        "id": 1, "name": "ci", "key": key, "clientSecret": null,
        "createdDate": "2027-01-15T08:00:00.250Z", "expireDate": "2027-01-31T23:00:00Z",
        "ownerId": owner, "revoked": false, "permissions": 5, "description": "builds",
    });
    assert_eq!(
        created.body,
        json!({"success": true, "code": 0, "message": "", "apiKey": expected})
    );
    expected["key"] = json!(format!("{}…", &key[..8]));
    assert_eq!(app.api_keys(&token).await, [expected.clone()]);
    let profile = app.profile(&token).await;
    assert_eq!(profile.body["user"]["apiKeys"], json!([expected]));
}

#[tokio::test]
async fn only_the_digest_of_an_api_key_is_stored() {
    let (app, token) = TestApp::with_user().await;

    let key = app.api_key(&token, 1).await;

    let users = format!("{:?}", app.users().await);
    assert!(users.contains(&digest(&key)));
    assert!(!users.contains(&key));
    assert!(!users.contains(&key[8..]));
}

#[tokio::test]
async fn an_api_key_with_an_invalid_field_is_refused() {
    let (app, token) = TestApp::with_user().await;
    let with = |name: &str, value: Value| {
        let mut body = json!({"name": "ci", "permissions": 1});
        body[name] = value;
        body
    };
    let not_a_date = "\"expireDate\" must be an RFC 3339 date-time of the years 1 to 9999";

    for (body, message) in [
        (json!({"permissions": 1}), "\"name\" is required"),
        (json!({"name": "ci"}), "\"permissions\" is required"),
        (
            with("name", json!("")),
            "\"name\" is not allowed to be empty",
        ),
        (
            with("name", json!("x".repeat(129))),
            "\"name\" length must be less than or equal to 128 bytes",
        ),
        (
            with("description", json!("ä".repeat(129))),
            "\"description\" length must be less than or equal to 256 bytes",
        ),
        (
            with("permissions", json!(-1)),
            "\"permissions\" must be a mask from 0 to 15",
        ),
        (
            with("permissions", json!(16)),
            "\"permissions\" must be a mask from 0 to 15",
        ),
        (
            with("permissions", json!("1")),
            "\"permissions\" must be an integer",
        ),
        (
            with("permissions", json!(1.5)),
            "\"permissions\" must be an integer",
        ),
        (with("expireDate", json!("tomorrow")), not_a_date),
        (with("expireDate", json!("")), not_a_date),
        (
            with("expireDate", json!("2027-01-15T08:00:00.250Z")),
            "\"expireDate\" must be in the future",
        ),
    ] {
        let answer = app.create_api_key(&token, body.clone()).await;

        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.message(), message, "{body}");
    }
    assert!(app.api_keys(&token).await.is_empty());
}

#[tokio::test]
async fn an_api_key_is_created_from_a_body_within_api_key_too() {
    let (app, token) = TestApp::with_user().await;
    let fields = json!({"name": "ci", "permissions": 5, "description": "builds",
                        "expireDate": "2027-02-01T00:00:00Z"});
    let wrapped = json!({"apiKey": fields, "name": "beside", "permissions": 15});
    let mut plain = fields.clone();
    plain["apiKey"] = Value::Null;

    for (id, body) in [(1, wrapped), (2, plain)] {
        let created = app.create_api_key(&token, body).await;

        assert_eq!(created.status, 200);
        let created = &created.body["apiKey"];
        assert_eq!(created["id"], id);
        for (name, value) in fields.as_object().unwrap() {
            assert_eq!(created[name], *value);
        }
    }
    for (body, message) in [
        (json!([fields]), "\"apiKey\" must be of type object"),
        (json!({}), "\"name\" is required"),
    ] {
        let answer = app.create_api_key(&token, json!({"apiKey": body})).await;

        assert_eq!(answer.status, 400);
        assert_eq!(answer.message(), message);
    }
    assert_eq!(app.api_keys(&token).await.len(), 2);
}

#[tokio::test]
async fn an_api_key_for_another_owner_is_refused() {
    let (app, token) = TestApp::with_user().await;
    let eve = app.sign_up("eve@example.com").await.token();
    let owned_by = |owner: Value| json!({"name": "ci", "permissions": 1, "ownerId": owner});
    let mine = app.user_id(&token).await;

    for other in [app.user_id(&eve).await, "x".to_owned(), String::new()] {
        for body in [
            owned_by(json!(other)),
            json!({"apiKey": owned_by(json!(other))}),
        ] {
            let refused = app.create_api_key(&token, body).await;

            assert_eq!(refused.status, 403);
            assert_eq!(refused.body["code"], 3000);
        }
    }
    assert!(app.api_keys(&token).await.is_empty());
    assert!(app.api_keys(&eve).await.is_empty());

    for own in [json!(mine), Value::Null] {
        for body in [
            owned_by(own.clone()),
            json!({"apiKey": owned_by(own.clone())}),
        ] {
            let created = app.create_api_key(&token, body).await;

            assert_eq!(created.body["apiKey"]["ownerId"], json!(mine), "{own}");
        }
    }
}

#[tokio::test]
async fn an_api_key_allows_only_what_its_permissions_grant_in_both_families() {
    let (app, token) = TestApp::with_user().await;
    let read = app.api_key(&token, 1).await;
    let write = app.api_key(&token, 2).await;

    assert_eq!(app.call(get("/user").api_key(&read)).await.status, 200);
    assert_eq!(
        app.call(get("/v1/auth/user").api_key(&read)).await.status,
        200
    );
    let update = || post("/v1/auth/user", &json!({"user": {"city": "Berlin"}}));
    let refused = app.call(update().api_key(&read)).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.body["code"], 3000);
    assert_eq!(app.call(update().api_key(&write)).await.status, 200);
    let refused = app.call(get("/user").api_key(&write)).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.body["statusCode"], 403);
    assert_eq!(refused.message(), "Insufficient scope");
}

#[tokio::test]
async fn an_api_key_never_has_more_rights_than_its_owner() {
    let (app, token) = TestApp::with_user().await;
    let key = app.api_key(&token, 15).await;
    let guarded = app.another(&[("API_USER_CREATE_SCOPE", "admin")]);
    let sign_up = || {
        let body = json!({"email": "def@example.com", "password": "abc321"});
        post("/user", &body).api_key(&key)
    };

    assert_eq!(guarded.call(sign_up()).await.status, 403);

    let id = app.user_id(&token).await;
    app.grant(&id, &["admin"]).await;
    assert_eq!(guarded.call(sign_up()).await.status, 200);
}

#[tokio::test]
async fn creating_an_api_key_needs_a_recent_sign_in() {
    let (app, signed_up) = TestApp::with_user().await;
    let logged_in = app.log_in("abc@example.com", PASSWORD).await.token();
    let signed_in = app.sign_in("abc@example.com", PASSWORD).await.token();
    let older = [&signed_up, &logged_in, &signed_in];
    let body = json!({"name": "ci", "permissions": 1});
    // `auth_time` is in whole seconds.
    let age = Duration::from_mins(15).saturating_sub(Duration::from_millis(250));
    app.clock.advance(age);
    for token in older {
        let created = app.create_api_key(token, body.clone()).await;
        assert_eq!(created.status, 200, "15 minutes ago");
    }
    let key = app.api_key(&signed_up, 1).await;

    app.clock.advance(Duration::from_millis(1));

    for token in older {
        let refused = app.create_api_key(token, body.clone()).await;
        assert_eq!(refused.status, 401);
        assert_eq!(refused.body["code"], 2009);
        assert_eq!(refused.message(), "A recent sign-in is required");
        assert_eq!(
            refused.header("www-authenticate"),
            Some("Bearer error=\"insufficient_user_authentication\", max_age=900")
        );
        assert_eq!(app.user(token).await.status, 200);
        assert_eq!(app.revoke_api_key(token, 1).await.status, 200);
    }
    assert_eq!(app.api_keys(&signed_up).await.len(), 4);
    let both = post("/v1/api-keys", &body).bearer(&signed_up).api_key(&key);
    assert_eq!(app.call(both).await.status, 403);
    let lenient = app.another(&[("REAUTH_MAX_AGE", "30m")]);
    let created = lenient.create_api_key(&signed_up, body.clone()).await;
    assert_eq!(created.status, 200);
    let anew = app.log_in("abc@example.com", PASSWORD).await.token();
    assert_eq!(app.create_api_key(&anew, body).await.status, 200);
}

#[tokio::test]
async fn an_api_key_expires_at_the_latest_at_the_maximum_lifetime() {
    let (app, token) = TestApp::with_user().await;
    let app = app.another(&[("API_KEY_MAX_EXPIRES_IN", "2h")]);
    let latest = "2027-01-15T10:00:00.250Z";

    let mut keys = Vec::new();
    for (asked, expected) in [
        (json!(null), latest),
        (json!("2999-01-01T00:00:00Z"), latest),
        (json!("2027-01-15T10:00:00.251Z"), latest),
        (json!("2027-01-15T10:00:00.250Z"), latest),
        (
            json!("2027-01-15T10:00:00.249Z"),
            "2027-01-15T10:00:00.249Z",
        ),
    ] {
        let body = json!({"name": "ci", "permissions": 1, "expireDate": asked});
        let created = app.create_api_key(&token, body).await;
        assert_eq!(created.status, 200, "{asked}");
        assert_eq!(created.text("/apiKey/expireDate"), expected, "{asked}");
        keys.push(created.text("/apiKey/key"));
    }

    for key in app.api_keys(&token).await {
        assert!(key["expireDate"].as_str().unwrap() <= latest, "{key}");
    }
    app.clock
        .advance(Duration::from_hours(2).saturating_sub(Duration::from_millis(1)));
    assert_eq!(app.call(get("/user").api_key(&keys[0])).await.status, 200);
    app.clock.advance(Duration::from_millis(1));
    for key in &keys {
        assert_eq!(app.call(get("/user").api_key(key)).await.status, 401);
        let unlimited = app.another(&[]);
        assert_eq!(unlimited.call(get("/user").api_key(key)).await.status, 401);
    }
}

#[tokio::test]
async fn an_api_key_is_refused_from_the_millisecond_it_expires() {
    let (app, token) = TestApp::with_user().await;
    let body = json!({"name": "ci", "permissions": 1, "expireDate": "2027-01-15T08:00:10Z"});
    let created = app.create_api_key(&token, body).await;
    let key = created.body["apiKey"]["key"].as_str().unwrap();

    app.clock.advance(Duration::from_millis(9_749));
    assert_eq!(app.call(get("/user").api_key(key)).await.status, 200);

    app.clock.advance(Duration::from_millis(1));
    assert_eq!(app.call(get("/user").api_key(key)).await.status, 401);
    let listed = app.api_keys(&token).await;
    assert_eq!(listed[0]["revoked"], false, "expired, not revoked");
    assert_eq!(app.revoke_api_key(&token, 1).await.status, 200);
    assert_eq!(app.api_keys(&token).await[0]["revoked"], true);
}

#[tokio::test]
async fn a_revoked_api_key_is_refused_at_once_and_stays_listed() {
    let (app, token) = TestApp::with_user().await;
    let key = app.api_key(&token, 1).await;
    let other = app.api_key(&token, 1).await;
    let elsewhere = app.another(&[]);

    for _ in 0..2 {
        let answer = app.revoke_api_key(&token, 1).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.body,
            json!({"success": true, "code": 0, "message": ""})
        );
    }

    let refused = elsewhere.call(get("/user").api_key(&key)).await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.message(), "Invalid API key");
    assert_eq!(
        elsewhere.call(get("/user").api_key(&other)).await.status,
        200
    );
    let revoked: Vec<_> = app.api_keys(&token).await;
    let revoked: Vec<_> = revoked.iter().map(|key| key["revoked"].clone()).collect();
    assert_eq!(revoked, [json!(true), json!(false)]);
}

#[tokio::test]
async fn an_account_can_revoke_only_its_own_api_keys() {
    let (app, token) = TestApp::with_user().await;
    let eve = app.sign_up("eve@example.com").await.token();
    let key = app.api_key(&token, 1).await;

    let delete = |path: &str| Call::new("DELETE", path, Body::empty()).bearer(&eve);
    for id in [
        "1",
        "0",
        "2",
        "-1",
        "x",
        "1.0",
        "%31x",
        "18446744073709551616",
        "%C3%A9",
    ] {
        let answer = app.call(delete(&format!("/v1/api-keys/{id}"))).await;

        assert_eq!(answer.status, 404, "{id}");
        assert_eq!(answer.body["code"], 1009);
        assert_eq!(answer.message(), "API key not found");
    }
    assert_eq!(app.call(get("/user").api_key(&key)).await.status, 200);
}

#[tokio::test]
async fn managing_api_keys_requires_a_bearer_token_without_an_api_key() {
    let (app, token) = TestApp::with_user().await;
    let key = app.api_key(&token, 15).await;
    let calls = || {
        [
            post("/v1/api-keys", &json!({"name": "x", "permissions": 15})),
            get("/v1/api-keys"),
            Call::new("DELETE", "/v1/api-keys/1", Body::empty()),
        ]
    };

    for call in calls().into_iter().map(|call| call.api_key(&key)) {
        assert_token_required(&app.call(call).await);
    }
    for call in calls() {
        assert_token_required(&app.call(call.bearer(&token).api_key(&key)).await);
    }
    assert_eq!(app.api_keys(&token).await.len(), 1);
}

fn assert_token_required(answer: &Answer) {
    assert_eq!(answer.status, 403);
    assert_eq!(answer.body["code"], 3001);
    assert_eq!(
        answer.message(),
        "A bearer token without an API key is required"
    );
}

#[tokio::test]
async fn an_account_has_at_most_fifty_live_api_keys_and_ids_are_never_reused() {
    let (app, token) = TestApp::with_user().await;
    for id in 1..=50 {
        let body = json!({"name": "ci", "permissions": 1});
        let answer = app.create_api_key(&token, body).await;
        assert_eq!(answer.body["apiKey"]["id"], id);
    }
    let one_more = || app.create_api_key(&token, json!({"name": "ci", "permissions": 1}));

    let answer = one_more().await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.body["code"], 4003);
    assert_eq!(answer.message(), "Too many API keys. Revoke one first.");

    app.revoke_api_key(&token, 50).await;
    assert_eq!(one_more().await.body["apiKey"]["id"], 51);
}

#[tokio::test]
async fn the_last_fifty_revoked_api_keys_are_listed_and_older_ones_stay_revoked() {
    let (app, token) = TestApp::with_user().await;
    let first = app.api_key(&token, 1).await;
    app.revoke_api_key(&token, 1).await;
    for id in 2..=52 {
        app.clock.advance(Duration::from_secs(1));
        app.api_key(&token, 1).await;
        app.revoke_api_key(&token, id).await;
    }

    let listed = app.api_keys(&token).await;
    let ids: Vec<_> = listed
        .iter()
        .map(|key| key["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids, (3..=52).collect::<Vec<_>>());
    assert_eq!(app.call(get("/user").api_key(&first)).await.status, 401);
    assert_eq!(app.revoke_api_key(&token, 1).await.status, 200);
}

#[tokio::test]
async fn keys_that_end_all_at_once_again_and_again_do_not_pile_up() {
    let (app, token) = TestApp::with_user().await;
    let in_9999 = json!({"name": "ci", "permissions": 1, "expireDate": "9999-12-31T00:00:00Z"});
    let end_all = json!({"oldPassword": PASSWORD, "newPassword": PASSWORD, "revokeApiKeys": true});
    for _ in 0..4 {
        for _ in 0..25 {
            app.api_key(&token, 1).await;
            let created = app.create_api_key(&token, in_9999.clone()).await;
            assert_eq!(created.status, 200);
        }
        let ended = post("/user/change-password", &end_all).bearer(&token);
        assert_eq!(app.call(ended).await.status, 200);
        app.clock.advance(Duration::from_secs(1));
    }

    let users = app.users().await;
    let with = |part: &str| users.keys().filter(|key| key.contains(part)).count();
    assert_eq!((with("/key#"), with("apikey#")), (100, 100));
    assert_eq!(app.api_keys(&token).await.len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_creations_leave_at_most_fifty_live_api_keys_with_distinct_ids() {
    let (app, token) = TestApp::with_user().await;
    for _ in 0..44 {
        app.api_key(&token, 1).await;
    }

    let answers = race_over(&app, &[], 12, |app, _| {
        let token = token.clone();
        let body = json!({"name": "ci", "permissions": 1});
        async move { app.create_api_key(&token, body).await }
    })
    .await;

    assert_eq!(count(&answers, 200), 6, "{answers:?}");
    assert_eq!(count(&answers, 409), 6);
    let listed = app.api_keys(&token).await;
    let ids: BTreeSet<_> = listed
        .iter()
        .map(|key| key["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids, (1..=50).collect());
}

#[tokio::test]
async fn a_session_that_ends_meanwhile_creates_no_api_key() {
    let (app, token) = TestApp::with_user().await;
    let slow = app.another(&[]);
    let new = json!({"name": "backup", "permissions": 15});

    let (created, ended) = slow
        .pause_at(
            "TransactWriteItems",
            slow.create_api_key(&token, new),
            app.log_out(&token),
        )
        .await;

    assert_eq!(ended.unwrap().status, 200);
    assert_eq!((created.status, created.message()), (401, "Bad token"));
    let token = app.sign_in("abc@example.com", "abc321").await.token();
    assert!(app.api_keys(&token).await.is_empty());
}

#[tokio::test]
async fn a_lost_answer_does_not_create_an_api_key_twice() {
    let (app, token) = TestApp::with_user().await;
    app.wire
        .fail_next("TransactWriteItems", 1, Fault::LoseAnswer);

    let key = app.api_key(&token, 1).await;

    assert_eq!(app.call(get("/user").api_key(&key)).await.status, 200);
    assert_eq!(app.api_keys(&token).await.len(), 1);
}

#[tokio::test]
async fn an_api_key_is_revoked_although_an_answer_was_lost() {
    let (app, token) = TestApp::with_user().await;
    let key = app.api_key(&token, 1).await;
    app.wire
        .fail_next("TransactWriteItems", 1, Fault::LoseAnswer);

    assert_eq!(app.revoke_api_key(&token, 1).await.status, 200);

    assert_eq!(app.call(get("/user").api_key(&key)).await.status, 401);
    assert_eq!(app.api_keys(&token).await[0]["revoked"], true);
}

#[tokio::test]
async fn an_api_key_whose_item_is_missing_can_still_be_revoked() {
    let (app, token) = TestApp::with_user().await;
    let key = app.api_key(&token, 1).await;
    let users = &app.app.config.tables.users;
    app.delete(users, &format!("apikey#{}/key", digest(&key)))
        .await;

    assert_eq!(app.revoke_api_key(&token, 1).await.status, 200);

    assert_eq!(app.api_keys(&token).await[0]["revoked"], true);
}

const GUESS: &str = "api_ABCDEFGHIJKLMNOPQRSTUVWX";

#[tokio::test]
async fn guessed_api_keys_are_limited_by_address_and_do_not_block_a_live_key() {
    let (app, token) = TestApp::with_user().await;
    let key = app.api_key(&token, 1).await;
    let guess = || app.call(get("/user").api_key(GUESS));

    for _ in 0..100 {
        assert_eq!(guess().await.status, 401);
    }

    let refused = guess().await;
    assert_eq!(refused.status, 429);
    assert_eq!(
        refused.message(),
        "Too many sign-in attempts. Please try again later."
    );
    assert_eq!(refused.header("retry-after"), Some("900"));
    assert!(refused.header("ratelimit").is_none());
    assert_eq!(app.call(get("/user").api_key(&key)).await.status, 200);
    let elsewhere = app.call(get("/user").api_key(GUESS).from("192.0.2.7"));
    assert_eq!(elsewhere.await.status, 401);
    assert_eq!(
        app.sign_in("abc@example.com", "abc321").await.status,
        200,
        "guessed API keys do not block sign-ins"
    );
    app.clock.advance(Duration::from_mins(15));
    assert_eq!(guess().await.status, 401);
}

#[tokio::test]
async fn sources_of_one_ipv6_network_may_guess_ten_times_as_many_api_keys_as_one_of_them() {
    let app = TestApp::with(&[("SIGNIN_RATE_LIMIT_IP", "1")]).await;
    let guess = |n: usize| {
        get("/user")
            .api_key(GUESS)
            .from(&format!("2001:db8:1:{n:x}::1"))
    };

    for n in 0..10 {
        assert_eq!(app.call(guess(n)).await.status, 401);
    }

    assert_eq!(app.call(guess(10)).await.status, 429);
    let elsewhere = get("/user").api_key(GUESS).from("2001:db8:2::1");
    assert_eq!(app.call(elsewhere).await.status, 401);
}

#[tokio::test]
async fn guessed_api_keys_over_the_limit_cause_no_writes() {
    let (app, token) = TestApp::with_user().await;
    for _ in 0..101 {
        app.call(get("/user").api_key(GUESS)).await;
    }
    let _ = app.cost();

    for _ in 0..10 {
        app.call(get("/user").api_key(GUESS)).await;
    }

    assert!(app.cost().write_units < 0.1);
    assert_eq!(app.user(&token).await.status, 200);
}

#[tokio::test]
async fn revoked_and_malformed_api_keys_do_not_count_as_guesses() {
    let (app, token) = TestApp::with_user().await;
    let revoked = app.api_key(&token, 1).await;
    app.revoke_api_key(&token, 1).await;
    let _ = app.cost();

    let joined = format!("{revoked},{revoked}");
    for key in [&*revoked, "", "x", "api_x", &joined] {
        let answer = app.call(get("/user").api_key(key)).await;

        assert_eq!(answer.status, 401);
        assert_eq!(answer.message(), "Invalid API key");
    }
    let twice = get("/user").api_key(&revoked).api_key(&revoked);
    assert_eq!(app.call(twice).await.status, 401);
    assert!(app.cost().write_units < 0.1);
}
