//! Webhooks: who is told of what, and what becomes of those that a receiver does not take.

use std::net::{IpAddr, TcpListener};
use std::time::Duration;

use deliver_webhook::address::is_public;
use local::stream;
use serde_json::json;
use shared::ports::Clock;
use tests::app::{MAIL, PASSWORD, TestApp, post};
use tests::receiver::{KEY, Receiver, Reply};

use crate::key_rotation::HOUR;
use crate::scene::Scene;

/// Settings of the local run: this receiver is told of everything.
fn telling(url: &str) -> [(&str, &str); 5] {
    let [from, app_url] = MAIL;
    [
        from,
        app_url,
        ("WEBHOOK_USER_CREATED", url),
        ("WEBHOOK_USER_FORGOT_PASSWORD", url),
        ("WEBHOOK_ANY_ADDRESS", "true"),
    ]
}

/// An instance that tells a receiver of everything.
async fn with_receiver() -> (TestApp, Receiver) {
    let receiver = Receiver::start(KEY).await;
    let app = TestApp::with(&telling(&receiver.url())).await;
    (app, receiver)
}

/// The key of the only new webhook.
fn only_new(app: &TestApp) -> String {
    let keys = app.take_webhooks();
    assert_eq!(keys.len(), 1, "{keys:?}");
    keys[0].clone()
}

#[tokio::test]
async fn the_receiver_is_told_of_a_new_account() {
    let (app, receiver) = with_receiver().await;
    let body = json!({"username": "Ana", "email": "Ana@example.com", "password": PASSWORD});
    let account = app.call(post("/user", &body)).await;
    let created = app.clock.now().to_rfc3339().unwrap();
    app.clock.advance(HOUR);

    assert!(app.deliver_webhook(&only_new(&app), 1).await);

    let told = receiver.take();
    assert_eq!(told.len(), 1);
    let expected = json!({
        "userId": account.text("/user/id"),
        "email": "Ana@example.com",
        "username": "Ana",
        "created": created,
    });
    assert_eq!(told[0].body, expected);
    assert_eq!(told[0].timestamp, app.clock.now().secs());
    assert!(told[0].id.starts_with("msg_"), "{}", told[0].id);
    assert_eq!(app.deliver().await.len(), 1, "the mail is sent as always");
}

#[tokio::test]
async fn a_sign_up_that_is_refused_tells_nobody() {
    let (app, _) = with_receiver().await;
    app.sign_up("abc@example.com").await;
    let _ = only_new(&app);

    assert_eq!(app.sign_up("abc@example.com").await.status, 400);

    assert!(app.take_webhooks().is_empty());
}

#[tokio::test]
async fn without_urls_nothing_is_added_for_webhooks() {
    let app = TestApp::with_mail().await;
    app.sign_up("abc@example.com").await;
    app.forget_password("abc@example.com").await;

    assert!(app.take_webhooks().is_empty());
    assert_eq!(app.take_outbox().len(), 2);
}

#[tokio::test]
async fn a_code_that_resets_a_password_goes_to_the_receiver_instead_of_the_mail() {
    let (app, receiver) = with_receiver().await;
    let id = app.sign_up("abc@example.com").await.text("/user/id");
    let _ = (app.take_webhooks(), app.take_outbox());
    app.clock.advance(HOUR);

    app.forget_password("ABC@example.com").await;
    assert!(app.deliver_webhook(&only_new(&app), 1).await);

    assert!(app.take_outbox().is_empty(), "also mailed");
    let body = &receiver.take()[0].body;
    let code = body["code"].as_str().unwrap();
    let created = app.clock.now().to_rfc3339().unwrap();
    let expected = json!({
        "code": code,
        "email": "abc@example.com",
        "userId": id,
        "created": created,
        "link": format!("https://app.example.com/reset-password?code={code}"),
    });
    assert_eq!(*body, expected);
    assert_eq!(app.reset_password(code, "zyx987").await.status, 200);
    let signed_in = app.sign_in("abc@example.com", "zyx987").await;
    assert_eq!(signed_in.status, 200);
}

#[tokio::test]
async fn asking_for_a_code_costs_and_answers_the_same_for_known_and_unknown_addresses() {
    let (app, receiver) = with_receiver().await;
    app.sign_up("abc@example.com").await;
    let _ = app.take_webhooks();
    let mut seen = Vec::new();
    for email in ["abc@example.com", "def@example.com"] {
        let _ = app.wire.take_calls();
        let answer = app.forget_password(email).await;
        let cost = app.cost();
        seen.push((answer.status, answer.headers, answer.body, cost));

        assert!(app.deliver_webhook(&only_new(&app), 1).await);
    }

    assert_eq!(seen[0], seen[1]);
    assert_eq!(receiver.take().len(), 1);
}

#[tokio::test]
async fn a_webhook_that_is_not_taken_is_tried_again_after_growing_pauses_with_the_same_id() {
    let (app, receiver) = with_receiver().await;
    app.sign_up("abc@example.com").await;
    let key = only_new(&app);
    let failures = [
        Reply::Status(199),
        Reply::Redirect(301),
        Reply::Redirect(302),
        Reply::Redirect(307),
        Reply::Status(400),
        Reply::Status(410),
        Reply::Status(500),
    ];
    let pauses = [30, 45, 68, 102, 152, 228, 342];
    for (times, (reply, secs)) in (1..).zip(failures.into_iter().zip(pauses)) {
        receiver.reply_next(reply);

        assert!(!app.deliver_webhook(&key, times).await, "{reply:?}");

        let pause = ("receipt-0".to_owned(), secs);
        assert_eq!(app.mailbox().take_pauses(), [pause], "{reply:?}");
        app.clock.advance(Duration::from_secs(secs.unsigned_abs()));
    }
    assert!(app.deliver_webhook(&key, 8).await);

    let told = receiver.take();
    assert_eq!(told.len(), 8, "a redirect was followed");
    for (earlier, later) in told.iter().zip(&told[1..]) {
        assert_eq!((&later.id, &later.body), (&earlier.id, &earlier.body));
        assert!(later.timestamp > earlier.timestamp);
    }
    assert_eq!(app.mailbox().take_pauses(), []);
}

#[tokio::test]
async fn a_code_is_the_same_at_each_try_and_goes_to_the_dead_letters_once_it_has_expired() {
    let (app, receiver) = with_receiver().await;
    app.sign_up("abc@example.com").await;
    let _ = app.take_webhooks();
    app.forget_password("abc@example.com").await;
    let key = only_new(&app);
    for times in 1..=2 {
        receiver.reply_next(Reply::Status(500));
        assert!(!app.deliver_webhook(&key, times).await);
    }
    app.clock.advance(HOUR);

    assert!(!app.deliver_webhook(&key, 3).await);

    let told = receiver.take();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].body["code"], told[1].body["code"]);
}

#[tokio::test]
async fn a_receiver_that_does_not_respond_has_not_taken_the_webhook() {
    let (app, receiver) = with_receiver().await;
    app.sign_up("abc@example.com").await;
    receiver.reply_next(Reply::Never);

    let event = stream::event(&[(&only_new(&app), 1)]);
    let response = app
        .deliver_webhooks_within(Duration::from_millis(100), event)
        .await;

    let failed = response["batchItemFailures"].as_array().unwrap();
    assert_eq!(failed.len(), 1, "{response}");
}

#[tokio::test]
async fn a_slow_receiver_holds_up_no_other_webhook() {
    let (app, receiver) = with_receiver().await;
    for email in ["abc@example.com", "def@example.com"] {
        app.sign_up(email).await;
    }
    let keys = app.take_webhooks();
    receiver.reply_next(Reply::AfterAnother);

    let event = stream::event(&[(&keys[0], 1), (&keys[1], 1)]);
    let response = app.deliver_webhook_event(event).await;

    assert_eq!(response["batchItemFailures"], json!([]));
    assert_eq!(receiver.take().len(), 2);
}

#[tokio::test]
async fn nobody_is_told_of_an_account_that_is_disabled_or_deleted_by_then() {
    let receiver = Receiver::start(KEY).await;
    for operation in ["disable-account", "delete-account"] {
        let scene = Scene::with(&telling(&receiver.url()), "ana").await;
        scene.app.forget_password("ana@example.com").await;
        let keys = scene.app.take_webhooks();
        assert_eq!(keys.len(), 3);
        let request = json!({"id": scene.id});
        scene.app.operate(operation, request).await.unwrap();

        for key in &keys[1..] {
            assert!(scene.app.deliver_webhook(key, 1).await);
        }

        assert_eq!(receiver.take(), [], "{operation}");
    }
}

#[tokio::test]
async fn every_failing_call_leaves_a_webhook_to_be_tried_again() {
    let (app, receiver) = with_receiver().await;
    app.sign_up("abc@example.com").await;
    let _ = app.take_webhooks();
    app.forget_password("abc@example.com").await;
    let key = only_new(&app);
    let mut failing = 1;
    loop {
        let mut calls = 0;
        app.wire.on_request(move |_, _| {
            calls += 1;
            (calls >= failing).then(tests::wire::Fault::throttled)
        });
        if app.deliver_webhook(&key, 1).await {
            break;
        }
        assert_eq!(receiver.take(), [], "call {failing}");
        failing += 1;
    }

    // The item, the claim, the account and the code.
    assert_eq!(failing, 5);
    assert_eq!(receiver.take().len(), 1);
}

#[tokio::test]
async fn no_webhook_is_sent_to_a_host_with_a_private_address() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("https://localhost:{port}/hook");
    for (any_address, is_connected) in [("true", true), ("false", false)] {
        let settings = [
            ("WEBHOOK_USER_CREATED", url.as_str()),
            ("WEBHOOK_ANY_ADDRESS", any_address),
        ];
        let app = TestApp::with(&settings).await;
        app.sign_up("abc@example.com").await;
        let event = stream::event(&[(&only_new(&app), 1)]);

        let response = app
            .deliver_webhooks_within(Duration::from_secs(1), event)
            .await;

        assert_eq!(response["batchItemFailures"].as_array().unwrap().len(), 1);
        assert_eq!(listener.accept().is_ok(), is_connected, "{any_address}");
    }
}

#[test]
fn only_addresses_of_the_public_internet_are_public() {
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    for public in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "223.255.255.255",
        "2600::1",
        "2a00:1450:4001:800::200e",
        "::ffff:1.1.1.1",
    ] {
        assert!(is_public(address(public)), "{public}");
    }
    for other in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!is_public(address(other)), "{other}");
    }
}
