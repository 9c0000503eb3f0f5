//! Timing: requests that must not be told apart do the same work.
//!
//! The tests compare what decides the latency: the calls to DynamoDB, the number of password hashes
//! and the response. `make bench` measures the latency itself.

use std::sync::{Arc, Mutex};

use serde_json::json;
use shared::crypto::digest;
use tests::app::{MAIL, TestApp, get, post};

use super::see;

const ROUTES: [&str; 2] = ["/user/auth", "/v1/auth/login"];

#[tokio::test]
async fn an_unknown_user_costs_the_same_work_as_a_wrong_password() {
    let (app, _) = TestApp::with_user().await;

    for path in ROUTES {
        // Each request has its own address, and so its own windows.
        let attempt = |address: &str, body| post(path, &body).from(address);
        let wrong = json!({"username": "abc@example.com", "password": "guess1"});
        let wrong = see(&app, attempt("192.0.2.20", wrong)).await;
        assert_eq!(wrong.hashes, 1);
        let calls = "a claim, whether the source is familiar, and three counters";
        assert_eq!(wrong.calls.len(), 5, "{calls}");

        let others = [
            ("192.0.2.21", "nobody@example.com", "guess1".to_owned()),
            ("192.0.2.22", "abd@example.com", "guess1".to_owned()),
            ("192.0.2.23", "abc@example.com", String::new()),
            ("192.0.2.24", "abc@example.com", "x".repeat(1025)),
            ("192.0.2.25", "abc@example.com", "abc32".to_owned()),
            ("192.0.2.26", "abc@example.com", "abc3211".to_owned()),
        ];
        for (address, username, password) in others {
            let body = json!({"username": username, "password": password});
            let other = see(&app, attempt(address, body)).await;

            assert_eq!(other, wrong, "{path} {username}");
        }
    }
}

#[tokio::test]
async fn an_unknown_user_costs_the_same_work_as_a_wrong_password_of_an_unverified_account() {
    let app = TestApp::with(&[MAIL[0], MAIL[1], ("EMAIL_VERIFICATION", "required")]).await;
    app.sign_up("abc@example.com").await;

    for path in ROUTES {
        let attempt = |address: &str, username: &str| {
            let body = json!({"username": username, "password": "guess1"});
            post(path, &body).from(address)
        };
        let unverified = see(&app, attempt("192.0.2.20", "abc@example.com")).await;
        let unknown = see(&app, attempt("192.0.2.21", "abd@example.com")).await;

        assert_eq!((unverified.hashes, unverified.calls.len()), (1, 5));
        assert_eq!(unverified, unknown, "{path}");
    }
}

#[tokio::test]
async fn an_unknown_username_costs_the_same_work_as_a_known_one() {
    let app = TestApp::new().await;
    super::sign_up_as(&app, "alice", "alice@example.com", "abc321").await;

    for path in ROUTES {
        let attempt = |address: &str, username: &str| {
            let body = json!({"username": username, "password": "guess1"});
            post(path, &body).from(address)
        };
        let known = see(&app, attempt("192.0.2.20", "alice")).await;
        let unknown = see(&app, attempt("192.0.2.21", "alicf")).await;

        assert_eq!((known.hashes, known.calls.len()), (1, 5));
        assert_eq!(known, unknown, "{path}");
    }
}

#[tokio::test]
async fn an_invalid_identifier_still_costs_a_password_hash() {
    let (app, _) = TestApp::with_user().await;

    for (n, username) in ["no body", "", "a@b@c", "\u{202e}"].into_iter().enumerate() {
        let body = json!({"username": username, "password": "guess1"});
        let call = post("/user/auth", &body).from(&format!("192.0.2.{}", 20 + n));
        let seen = see(&app, call).await;

        assert_eq!((seen.status, seen.hashes), (403, 1), "{username:?}");
    }
}

#[tokio::test]
async fn a_throttled_attempt_takes_as_many_round_trips_for_any_password() {
    for limit in [
        "SIGNIN_RATE_LIMIT_ACCOUNT",
        "SIGNIN_RATE_LIMIT_IP",
        "SIGNIN_RATE_LIMIT_TOTAL",
    ] {
        let settings = [(limit, "1")];
        let app = TestApp::with(&settings).await;
        app.sign_up("abc@example.com").await;
        app.sign_in("abc@example.com", "guess1").await;
        let attempt = async |instance: &TestApp, password: &str| {
            let hashes = instance.app.hasher.computed();
            let _ = instance.cost();
            let answer = instance.sign_in("abc@example.com", password).await;
            let hashes = instance.app.hasher.computed() - hashes;
            (
                answer.status,
                answer.headers,
                answer.body,
                hashes,
                instance.cost().round_trips,
            )
        };

        // First with instances that have not cached the refusal, then with instances that have.
        let (first, second) = (app.another(&settings), app.another(&settings));
        let wrong = attempt(&first, "guess1").await;
        let right = attempt(&second, "abc321").await;
        assert_eq!((wrong.0, wrong.3), (429, 1), "{limit}");
        assert_eq!(wrong, right, "{limit}");
        let wrong = attempt(&first, "guess1").await;
        let right = attempt(&second, "abc321").await;
        assert_eq!(wrong, right, "{limit}");
        let is_remembered = limit != "SIGNIN_RATE_LIMIT_TOTAL";
        assert_eq!((wrong.3, wrong.4) == (0, 0), is_remembered, "{limit}");
    }
}

#[tokio::test]
async fn a_wrong_signature_costs_the_same_work_however_much_of_it_matches() {
    let (app, token) = TestApp::with_user().await;
    let (message, tag) = token.rsplit_once('.').unwrap();
    let with_prefix = |right: usize| {
        let wrong: String = tag.chars().skip(right).map(swapped).collect();
        get("/user").bearer(&format!("{message}.{}{wrong}", &tag[..right]))
    };

    let none_right = see(&app, with_prefix(0)).await;
    assert_eq!(none_right.status, 401);
    assert_eq!(none_right.calls, [], "no table is read");
    for right in 1..tag.len() - 1 {
        assert_eq!(see(&app, with_prefix(right)).await, none_right, "{right}");
    }
}

/// A different character that is valid in both alphabets.
fn swapped(c: char) -> char {
    if c == 'A' { 'B' } else { 'A' }
}

#[tokio::test]
async fn an_api_key_is_looked_up_by_its_digest_alone() {
    let (app, token) = TestApp::with_user().await;
    let key = app.api_key(&token, 1).await;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&asked);
    app.wire.on_request(move |_, body| {
        notes.lock().unwrap().push(body.to_string());
        None
    });

    let (start, last) = key.split_at(key.len() - 1);
    let guess = format!("{start}{}", last.chars().map(swapped).collect::<String>());
    let answer = app.call(get("/user").api_key(&guess)).await;

    assert_eq!(answer.message(), "Invalid API key");
    let asked = asked.lock().unwrap().clone();
    assert!(asked[0].contains(&format!("apikey#{}", digest(&guess))));
    assert!(asked.iter().all(|call| !call.contains(start)), "{asked:?}");
}

#[tokio::test]
async fn a_wrong_api_key_costs_the_same_work_however_much_of_it_matches() {
    let (app, token) = TestApp::with_user().await;
    let key = app.api_key(&token, 1).await;
    // Each request has its own address, and so its own window.
    let with_prefix = |right: usize| {
        let wrong: String = key.chars().skip(right).map(swapped).collect();
        let guess = format!("{}{wrong}", &key[..right]);
        let call = get("/user").api_key(&guess);
        call.from(&format!("192.0.2.{}", 20 + right))
    };

    let none_right = see(&app, with_prefix(4)).await;
    assert_eq!((none_right.status, none_right.calls.len()), (401, 2));
    for right in 5..key.len() {
        assert_eq!(see(&app, with_prefix(right)).await, none_right, "{right}");
    }
}
