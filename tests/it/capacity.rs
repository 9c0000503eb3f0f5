//! What a request costs: round trips in sequence and capacity units, as the engine counts them.
//!
//! These are figures of the design. One that grows is a change of the design.

use std::time::Duration;

use serde_json::json;
use tests::app::{PASSWORD, TestApp, get, post};
use tests::wire::Cost;

fn cost(round_trips: usize, read_units: f64, write_units: f64) -> Cost {
    Cost {
        round_trips,
        read_units,
        write_units,
    }
}

#[tokio::test]
async fn get_user_costs_one_round_trip() {
    let (app, token) = TestApp::with_user().await;
    let _ = app.cost();

    assert_eq!(app.user(&token).await.status, 200);

    assert_eq!(app.cost(), cost(1, 2.0, 0.0));
}

#[tokio::test]
async fn a_request_refused_for_its_token_costs_nothing() {
    let app = TestApp::new().await;

    app.user("a.b.c").await;
    app.call(get("/user")).await;

    assert_eq!(app.cost(), cost(0, 0.0, 0.0));
}

#[tokio::test]
async fn a_sign_in_costs_two_round_trips() {
    let (app, _) = TestApp::with_user().await;
    let _ = app.cost();

    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);

    // The claim and two places; the login, one place given back and one counter cleared.
    assert_eq!(app.cost(), cost(2, 1.0, 5.0));
}

#[tokio::test]
async fn a_failed_sign_in_costs_one_round_trip() {
    let (app, _) = TestApp::with_user().await;
    let _ = app.cost();

    assert_eq!(app.sign_in("abc@example.com", "guess1").await.status, 403);
    let wrong = app.cost();
    assert_eq!(
        app.sign_in("nobody@example.com", "guess1").await.status,
        403
    );
    let unknown = app.cost();

    assert_eq!(wrong, cost(1, 1.0, 2.0));
    assert_eq!(unknown, wrong);
}

#[tokio::test]
async fn a_rehash_adds_one_round_trip() {
    let (app, _) = TestApp::with_user().await;
    let stronger = app.another(&[("ARGON2_ITERATIONS", "2")]);

    assert_eq!(
        stronger.sign_in("abc@example.com", PASSWORD).await.status,
        200
    );

    assert_eq!(stronger.cost().round_trips, 3);
}

#[tokio::test]
async fn a_sign_up_costs_three_round_trips() {
    let app = TestApp::new().await;

    assert_eq!(app.sign_up("abc@example.com").await.status, 200);
    // Two counters; the account and its claim at twice the units, in a transaction.
    assert_eq!(app.cost(), cost(3, 0.0, 6.0));

    let body = json!({"username": "def", "email": "def@example.com", "password": PASSWORD});
    assert_eq!(app.call(post("/user", &body)).await.status, 200);
    assert_eq!(app.cost(), cost(3, 0.0, 8.0), "with a username of its own");
}

#[tokio::test]
async fn a_window_reopened_adds_one_round_trip() {
    let app = TestApp::new().await;
    app.sign_up("abc@example.com").await;
    app.clock.advance(Duration::from_hours(1));
    let _ = app.cost();

    app.sign_up_from("192.0.2.2", "abc@example.com").await;
    let email_reopened = app.cost();
    app.sign_up_from("192.0.2.1", "def@example.com").await;
    let ip_reopened = app.cost();

    assert_eq!(email_reopened.round_trips, 4);
    assert_eq!(ip_reopened.round_trips, 4);
}

#[tokio::test]
async fn a_sign_up_by_an_admin_costs_two_round_trips_and_with_other_credentials_four() {
    let (app, token) = TestApp::with_user().await;
    let id = app.user(&token).await.body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let sign_up =
        |email: &str| post("/user", &json!({"email": email, "password": PASSWORD})).bearer(&token);
    let _ = app.cost();

    assert_eq!(app.call(sign_up("b@example.com")).await.status, 200);
    assert_eq!(app.cost(), cost(4, 2.0, 6.0));

    app.grant(&id, &["admin"]).await;
    assert_eq!(app.call(sign_up("c@example.com")).await.status, 200);
    assert_eq!(app.cost(), cost(2, 2.0, 4.0));
}

#[tokio::test]
async fn a_refusal_this_instance_knows_costs_nothing() {
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

    assert_eq!(app.sign_in("abc@example.com", "guess1").await.status, 429);
    assert_eq!(app.cost(), cost(0, 0.0, 0.0));

    assert_eq!(app.sign_up("abc@example.com").await.status, 429);
    // The address is asked first, and does not refuse.
    assert_eq!(app.cost().round_trips, 1);
}

#[tokio::test]
async fn a_flood_from_an_address_that_is_refused_costs_nothing() {
    let app = TestApp::with(&[("USER_SIGNUP_RATE_LIMIT_IP", "1")]).await;
    app.sign_up("a@example.com").await;
    app.sign_up("b@example.com").await;
    let _ = app.cost();

    for n in 0..100 {
        assert_eq!(
            app.sign_up(&format!("user{n}@example.com")).await.status,
            429
        );
    }

    assert_eq!(app.cost(), cost(0, 0.0, 0.0));
}

#[tokio::test]
async fn an_account_at_every_limit_stays_under_two_kilobytes() {
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

    assert_eq!(app.cost(), cost(1, 2.0, 0.0));
    // An update is charged by the kilobyte: one unit more than that of a usual account.
    assert_eq!(sign_in, cost(2, 1.0, 6.0));
    let users = app.users().await;
    let (_, account) = users
        .iter()
        .find(|(key, _)| key.starts_with("user#"))
        .unwrap();

    let size: usize = account
        .iter()
        .map(|(name, value)| name.len() + format!("{value:?}").len())
        .sum();
    assert!(size < 2048, "{size} bytes");
}
