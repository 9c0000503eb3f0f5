//! The cost of each request: sequential round trips, and capacity units as the engine counts them.
//!
//! The figures are part of the design: a figure that grows is a design change.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use tests::app::{PASSWORD, TestApp, post};
use tests::costs;
use tests::wire::Cost;

use crate::profiles::TEXTS;

fn cost(round_trips: usize, read_units: f64, write_units: f64) -> Cost {
    Cost {
        round_trips,
        read_units,
        write_units,
    }
}

/// The expected cost of each kind of request. A write in a transaction costs twice its units; a
/// read of a missing item costs one unit.
const COSTS: [(&str, usize, f64, f64); 54] = [
    ("GET /user", 1, 3.0, 0.0),
    ("GET /user by API key", 2, 3.0, 0.0),
    ("GET /user by a guessed API key", 2, 1.0, 1.0),
    ("GET /user, malformed token", 0, 0.0, 0.0),
    // Two counters, then the account, its claim and its session, and the index.
    ("POST /user", 3, 0.0, 9.0),
    ("POST /user with a username", 3, 0.0, 11.0),
    // Two units more for each kilobyte of it.
    ("POST /user with metadata", 3, 0.0, 11.0),
    ("POST /user by an admin", 2, 2.0, 7.0),
    ("POST /user with other credentials", 4, 2.0, 9.0),
    // The claim, beside it whether the source is familiar; three counters; then the account and the session, and
    // the source becomes familiar.
    ("POST /user/auth from a new source", 3, 5.0, 3.0),
    // Here the account and the session are written beside the read of the counters.
    ("POST /user/auth", 2, 5.0, 2.0),
    // The claim, beside it whether the source is familiar; two counters; and the total.
    ("POST /user/auth, wrong password", 3, 2.0, 3.0),
    ("POST /user/auth, unknown user", 3, 2.0, 3.0),
    ("POST /v1/auth/login", 2, 5.0, 2.0),
    ("GET /v1/auth/user", 1, 3.0, 0.0),
    ("GET /v1/auth/user by API key", 2, 3.0, 0.0),
    ("POST /v1/auth/user, a field", 2, 3.0, 2.0),
    // The limit; the setting and the number of settings, in a transaction.
    ("POST /v1/auth/user, a new setting", 2, 3.0, 5.0),
    ("POST /v1/auth/user, nothing new", 1, 3.0, 1.0),
    // The key, its entry, and a check of the account.
    ("POST /v1/api-keys", 2, 3.0, 8.0),
    ("GET /v1/api-keys", 1, 3.0, 0.0),
    ("DELETE /v1/api-keys/{id}", 2, 3.0, 4.0),
    ("POST /v1/auth/logout", 2, 2.0, 1.0),
    // One unit for each partition of the index, and one for the metadata of each account.
    ("GET /users", 3, 11.0, 0.0),
    ("GET /users/count", 2, 4.0, 0.0),
    ("GET /users/{id}", 2, 4.0, 0.0),
    // The account, the index, and the administrator's session.
    ("PUT /users/{id}, a field", 3, 4.0, 5.0),
    ("PUT /users/{id}, metadata", 3, 4.0, 7.0),
    // The hash is read from the old claim.
    ("PUT /users/{id}, another email", 4, 5.0, 9.0),
    ("POST /user/reset-password", 5, 4.0, 10.0),
    ("GET /user/sessions", 2, 3.0, 0.0),
    ("GET /user/export", 2, 4.0, 0.0),
    ("DELETE /user/sessions/{id}", 2, 2.0, 1.0),
    // The account, its claim, the session that goes on, and the index.
    ("DELETE /user/sessions?except=current", 2, 2.0, 7.0),
    // The claim; two counters; the same transaction; then the total and the familiar source.
    ("POST /user/change-password", 5, 6.0, 9.0),
    // The limit; the claim; the counters; the account, both claims and the session.
    ("POST /user/change-username", 5, 7.0, 9.0),
    // The caller; whether the username knows the source; the claim; the counters; a transaction over the account
    // and the index, both claims, the session and the tombstone.
    ("DELETE /user", 5, 7.0, 11.0),
    // The caller; the account; a transaction over the account and the index, both claims, the tombstone, and the
    // administrator's account and session.
    ("DELETE /users/{id}", 3, 3.0, 13.0),
    // For each of two partitions a query, a batch and a note; and a batch for API keys.
    ("erase-account, one key and session", 7, 2.0, 5.0),
    ("GET /users/{id}/delete-status/{ticket}", 2, 3.0, 0.0),
    // Two units more, for the mail.
    ("POST /user with a username, mail on", 3, 0.0, 13.0),
    // The caller; two counters; the mail.
    ("POST /user/verify-email", 4, 2.0, 3.0),
    // The code; the account; a transaction over the account and the index.
    ("POST /user/verify-email/confirm", 3, 2.0, 3.0),
    // Two counters; the mail.
    ("POST /user/forgot-password", 3, 0.0, 3.0),
    // The caller; whether the username knows the source; the claim; the counters; the familiar source; two
    // counters; two mails.
    ("POST /user/change-email", 8, 7.0, 7.0),
    // The caller; the code; the claim; a transaction over the account and the index, three claims, the session,
    // the code and a notice.
    ("POST /user/change-email/confirm", 4, 4.0, 15.0),
    // The code; the account; a transaction over both, the claims and a notice; the totals and the familiar
    // source.
    ("POST /user/forgot-password/reset", 5, 2.0, 15.0),
    // Two units more, for the webhook.
    (
        "POST /user with a username, mail and a webhook on",
        3,
        0.0,
        15.0,
    ),
    // The account and the session.
    ("authorize, a token", 1, 2.0, 0.0),
    ("GET /.well-known/jwks.json", 0, 0.0, 0.0),
    // The account and the session; then the number of the next refresh token.
    ("POST /v1/auth/refresh", 2, 2.0, 1.0),
    // The account and the session of the caller, and those of the token, at the same time.
    ("POST /oauth/introspect", 1, 4.0, 0.0),
    ("POST /oauth/introspect by API key", 2, 4.0, 0.0),
    ("POST /oauth/revoke", 1, 0.0, 1.0),
];

#[tokio::test]
async fn every_request_costs_what_the_design_says() {
    let designed = COSTS.map(|(request, round_trips, read_units, write_units)| {
        (request, cost(round_trips, read_units, write_units))
    });

    let measured = costs::measure().await.into_iter();
    let measured: Vec<_> = measured.map(|row| (row.request, row.cost)).collect();

    assert_eq!(measured, designed);
}

#[tokio::test]
async fn a_rehash_adds_one_round_trip() {
    let (app, _) = TestApp::with_user().await;
    let stronger = app.another(&[("ARGON2_ITERATIONS", "2")]);

    assert_eq!(
        stronger.sign_in("abc@example.com", PASSWORD).await.status,
        200
    );

    assert_eq!(stronger.cost().round_trips, 4);
}

#[tokio::test]
async fn an_expired_rate_limit_window_adds_one_round_trip() {
    let app = TestApp::new().await;
    app.sign_up("abc@example.com").await;
    app.clock.advance(Duration::from_hours(1));
    let _ = app.cost();

    app.sign_up_from("192.0.2.2", "abc@example.com").await;
    let by_email = app.cost();
    app.sign_up_from("192.0.2.1", "def@example.com").await;
    let by_ip = app.cost();

    assert_eq!(by_email.round_trips, 4);
    assert_eq!(by_ip.round_trips, 4);
}

#[tokio::test]
async fn a_refusal_the_instance_remembers_costs_nothing() {
    let settings = [
        ("USER_SIGNUP_RATE_LIMIT_EMAIL", "1"),
        ("SIGNIN_RATE_LIMIT_ACCOUNT", "1"),
    ];
    let app = TestApp::with(&settings).await;
    for _ in 0..2 {
        app.sign_up("abc@example.com").await;
        app.sign_in("abc@example.com", "guess1").await;
    }
    let _ = app.cost();

    for password in ["guess1", PASSWORD] {
        assert_eq!(app.sign_in("abc@example.com", password).await.status, 429);
        assert_eq!(app.cost(), cost(0, 0.0, 0.0));
    }

    assert_eq!(app.sign_up("abc@example.com").await.status, 429);
    // The limit of the address is checked first, and still admits the request.
    assert_eq!(app.cost().round_trips, 1);
}

#[tokio::test]
async fn requests_from_a_refused_address_cost_nothing_until_its_window_ends() {
    let app = TestApp::with(&[("USER_SIGNUP_RATE_LIMIT_IP", "1")]).await;
    app.sign_up("a@example.com").await;
    app.sign_up("b@example.com").await;
    let _ = app.cost();

    for n in 0..100 {
        app.clock.advance(Duration::from_secs(30));
        assert_eq!(
            app.sign_up(&format!("user{n}@example.com")).await.status,
            429
        );
    }

    assert_eq!(app.cost(), cost(0, 0.0, 0.0));
}

#[tokio::test]
async fn an_account_with_every_field_at_its_maximum_stays_under_two_kilobytes() {
    let vendor = "v".repeat(64);
    let app = TestApp::with(&[("DEFAULT_USER_VENDOR", vendor.as_str())]).await;
    let username = "𠮷".repeat(128);
    let email = format!("{}@example.com", "a".repeat(242));
    let body = json!({"username": username, "email": email, "password": PASSWORD});
    assert_eq!(app.call(post("/user", &body)).await.status, 200);
    assert_eq!(app.sign_in(&username, PASSWORD).await.status, 200);

    let _ = app.cost();
    assert_eq!(app.sign_in(&username, PASSWORD).await.status, 200);
    let sign_in = app.cost();
    let token = app.sign_in(&username, PASSWORD).await.token();
    let _ = app.cost();
    assert_eq!(app.user(&token).await.status, 200);

    assert_eq!(app.cost(), cost(1, 3.0, 0.0));
    // DynamoDB charges an update by the kilobyte: this one costs a unit more than usual.
    assert_eq!(sign_in, cost(2, 5.0, 3.0));
    let account = app.account_item().await;

    let size: usize = account
        .iter()
        .map(|(name, value)| name.len() + format!("{value:?}").len())
        .sum();
    assert!(size < 2048, "{size} bytes");
}

/// The size of a value as DynamoDB counts it, in bytes, without a few bytes of overhead.
fn size_of(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len(),
        AttributeValue::M(map) => map
            .iter()
            .map(|(name, value)| name.len() + size_of(value) + 1)
            .sum::<usize>(),
        AttributeValue::L(list) => list.iter().map(|value| size_of(value) + 1).sum(),
        _ => 1,
    }
}

#[tokio::test]
async fn a_profile_with_every_field_at_its_maximum_can_be_changed_at_once() {
    let (app, token) = TestApp::with_user().await;
    let text = |bytes: usize| "ä".repeat(bytes / 2);
    let mut user = json!({
        "notes": text(4096), "countryCode": "DE", "birthDate": "2000-01-01T00:00:00.001Z",
        "lastDismissMessages": "2000-01-01T00:00:00.001Z",
        "image": format!("https://example.com/{}", "a".repeat(48 * 1024 - 20)),
        "settings": vec![json!({
            "category": text(128), "group": text(128), "name": text(128), "value": text(1024),
            "type": "string", "description": text(256),
        }); 100],
    });
    for name in TEXTS {
        user[name] = json!(text(256));
    }
    let key = json!({"name": text(128), "description": text(256), "permissions": 15,
                     "expireDate": "9999-12-31T23:59:59.999Z"});
    for id in 1..=100 {
        app.clock.advance(Duration::from_secs(1));
        assert_eq!(app.create_api_key(&token, key.clone()).await.status, 200);
        if id <= 50 {
            app.revoke_api_key(&token, id).await;
        }
    }

    let answer = app.update_profile(&token, user).await;

    assert_eq!(answer.status, 200);
    let items = app.users().await.into_iter();
    let own = items.filter(|(key, _)| key.starts_with("own#"));
    let size: usize = own.map(|(_, item)| size_of(&AttributeValue::M(item))).sum();
    assert!((250_000..320_000).contains(&size), "{size} bytes");
    // The whole profile can still be written, with every setting changed at once.
    let mut changed = answer.body["user"].clone();
    for setting in changed["settings"].as_array_mut().unwrap() {
        setting["value"] = json!("b".repeat(1024));
    }
    assert_eq!(app.update_profile(&token, changed).await.status, 200);
    assert_eq!(app.profile(&token).await.status, 200);
}

#[tokio::test]
async fn a_change_of_a_full_profile_costs_what_it_changes_and_one_unit_for_its_limit() {
    let (app, token) = TestApp::with_user().await;
    let mut full = json!({
        "notes": "n".repeat(4096), "countryCode": "DE", "birthDate": "2000-01-01T00:00:00.001Z",
        "lastDismissMessages": "2000-01-01T00:00:00.001Z",
        "image": format!("https://example.com/{}", "a".repeat(48 * 1024 - 20)),
        "settings": vec![json!({"category": "a", "name": "b", "value": "c".repeat(500)}); 100],
    });
    for name in TEXTS {
        full[name] = json!("x".repeat(256));
    }
    assert_eq!(app.update_profile(&token, full).await.status, 200);
    let _ = app.cost();

    for name in TEXTS {
        let change = json!({name: "y".repeat(256)});
        assert_eq!(app.update_profile(&token, change).await.status, 200);
        let cost = app.cost();
        assert_eq!((cost.round_trips, cost.write_units), (2, 2.0), "{name}");
    }
    for (change, write_units) in [
        (json!({"settings": [{"id": 7, "value": "d"}]}), 2.0),
        (json!({"notes": "m".repeat(4096)}), 6.0),
        (json!({"birthDate": null, "firstName": "Ada"}), 2.0),
        // Two items in a transaction.
        (json!({"city": "Berlin", "title": "Dr."}), 5.0),
        (json!({"settings": [{"id": 7, "value": null}]}), 5.0),
        (json!({"settings": [{"category": "a", "name": "b"}]}), 5.0),
    ] {
        let text = change.to_string();
        assert_eq!(app.update_profile(&token, change).await.status, 200);
        let cost = app.cost();
        assert_eq!(
            (cost.round_trips, cost.write_units),
            (2, write_units),
            "{text:.60}"
        );
    }
}

#[tokio::test]
async fn revoking_a_revoked_api_key_costs_one_read_and_no_write() {
    let (app, token) = TestApp::with_user().await;
    app.api_key(&token, 1).await;
    assert_eq!(app.revoke_api_key(&token, 1).await.status, 200);
    let _ = app.cost();

    let answer = app.revoke_api_key(&token, 1).await;

    assert_eq!(answer.status, 200);
    assert_eq!(app.cost(), cost(1, 3.0, 0.0));
}
