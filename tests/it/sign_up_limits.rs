//! The limits on sign-ups, by email and by source address.

use std::time::Duration;

use serde_json::json;
use tests::app::{Answer, Call, PASSWORD, TestApp, post, post_bytes};

const EMAIL_LIMIT: &str =
    "Too many signup attempts for this email address. Please try again later.";
const IP_LIMIT: &str = "Too many signup attempts from your IP address. Please try again later.";

fn sign_up(email: &str) -> Call {
    post("/user", &json!({"email": email, "password": PASSWORD}))
}

fn assert_refused(answer: &Answer, message: &str) {
    answer.assert_refused(429, "Too Many Requests", message);
}

#[tokio::test]
async fn an_admitted_sign_up_reports_its_rate_limits() {
    let app = TestApp::new().await;

    let first = app.sign_up("abc@example.com").await;
    assert_eq!(
        first.header("ratelimit-policy"),
        Some(r#""ip";q=50;w=3600, "email";q=10;w=3600"#)
    );
    assert_eq!(
        first.header("ratelimit"),
        Some(r#""ip";r=49;t=3600, "email";r=9;t=3600"#)
    );

    app.clock.advance(Duration::from_millis(1500));
    let second = app.sign_up("def@example.com").await;
    assert_eq!(
        second.header("ratelimit"),
        Some(r#""ip";r=48;t=3599, "email";r=9;t=3600"#)
    );
}

#[tokio::test]
async fn the_eleventh_sign_up_for_an_email_is_refused_from_any_address() {
    let app = TestApp::new().await;
    for n in 1..=10 {
        let answer = app
            .sign_up_from(&format!("192.0.2.{n}"), "abc@example.com")
            .await;
        assert_eq!(answer.status, if n == 1 { 200 } else { 400 });
    }

    let refused = app.sign_up_from("192.0.2.11", "ABC@example.com").await;

    assert_refused(&refused, EMAIL_LIMIT);
    assert_eq!(refused.header("retry-after"), Some("3600"));
    assert_eq!(
        refused.header("ratelimit-policy"),
        Some(r#""email";q=10;w=3600"#)
    );
    assert_eq!(refused.header("ratelimit"), Some(r#""email";r=0;t=3600"#));
    let other = app.sign_up_from("192.0.2.11", "def@example.com").await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn the_fifty_first_sign_up_from_an_address_is_refused() {
    let app = TestApp::new().await;
    for n in 1..=50 {
        assert_eq!(
            app.sign_up(&format!("user{n}@example.com")).await.status,
            200
        );
    }

    let refused = app.sign_up("another@example.com").await;

    assert_refused(&refused, IP_LIMIT);
    assert_eq!(
        refused.header("ratelimit-policy"),
        Some(r#""ip";q=50;w=3600"#)
    );
    assert_eq!(
        app.sign_up_from("192.0.2.2", "another@example.com")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_sign_up_refused_by_address_does_not_count_for_its_email() {
    let settings = [
        ("USER_SIGNUP_RATE_LIMIT_IP", "1"),
        ("USER_SIGNUP_RATE_LIMIT_EMAIL", "1"),
    ];
    let app = TestApp::with(&settings).await;
    app.sign_up("abc@example.com").await;

    assert_refused(&app.sign_up("victim@example.com").await, IP_LIMIT);

    let victim = app.sign_up_from("192.0.2.2", "victim@example.com").await;
    assert_eq!(victim.status, 200);
}

#[tokio::test]
async fn a_sign_up_refused_by_email_still_counts_for_its_address() {
    let settings = [
        ("USER_SIGNUP_RATE_LIMIT_IP", "2"),
        ("USER_SIGNUP_RATE_LIMIT_EMAIL", "1"),
    ];
    let app = TestApp::with(&settings).await;
    app.sign_up("abc@example.com").await;

    assert_refused(&app.sign_up("abc@example.com").await, EMAIL_LIMIT);

    assert_refused(&app.sign_up("def@example.com").await, IP_LIMIT);
}

#[tokio::test]
async fn an_invalid_sign_up_does_not_count() {
    let app = TestApp::with(&[("USER_SIGNUP_RATE_LIMIT_IP", "1")]).await;

    for body in ["{", "{}", r#"{"email":"abc@example.com","password":"x"}"#] {
        assert_eq!(app.call(post_bytes("/user", body)).await.status, 400);
    }

    assert_eq!(app.sign_up("abc@example.com").await.status, 200);
}

#[tokio::test]
async fn a_window_ends_to_the_millisecond_and_the_next_has_the_full_limit() {
    let settings = [
        ("USER_SIGNUP_RATE_LIMIT_EMAIL", "2"),
        ("USER_SIGNUP_RATE_LIMIT_EMAIL_WINDOW_MS", "1500"),
    ];
    let app = TestApp::with(&settings).await;
    let status = async || app.sign_up("abc@example.com").await.status;
    assert_eq!(
        [status().await, status().await, status().await],
        [200, 400, 429]
    );

    app.clock.advance(Duration::from_millis(1499));
    let refused = app.sign_up("abc@example.com").await;
    assert_refused(&refused, EMAIL_LIMIT);
    assert_eq!(refused.header("retry-after"), Some("1"));

    app.clock.advance(Duration::from_millis(1));
    assert_eq!(
        [status().await, status().await, status().await],
        [400, 400, 429]
    );
}

#[tokio::test]
async fn sign_up_limits_are_shared_by_all_instances() {
    let app = TestApp::with(&[("USER_SIGNUP_RATE_LIMIT_EMAIL", "1")]).await;
    let other = app.another(&[("USER_SIGNUP_RATE_LIMIT_EMAIL", "1")]);
    app.sign_up("abc@example.com").await;

    assert_refused(&other.sign_up("abc@example.com").await, EMAIL_LIMIT);
}

#[tokio::test]
async fn a_limit_of_zero_refuses_every_sign_up() {
    let app = TestApp::with(&[("USER_SIGNUP_RATE_LIMIT_IP", "0")]).await;

    let answer = app.sign_up("abc@example.com").await;

    assert_refused(&answer, IP_LIMIT);
    assert_eq!(answer.header("retry-after"), Some("3600"));
    assert!(app.users().await.is_empty());
}

#[tokio::test]
async fn only_sign_ups_by_an_admin_are_exempt_from_the_limits() {
    let app = TestApp::with(&[("USER_SIGNUP_RATE_LIMIT_IP", "2")]).await;
    let admin = app.sign_up("admin@example.com").await;
    let user = app.sign_up("user@example.com").await;
    let id = &admin.text("/user/id");
    app.grant(id, &["user", "admin"]).await;

    for n in 0..3 {
        let call = sign_up(&format!("made{n}@example.com")).bearer(&admin.token());
        let answer = app.call(call).await;

        assert_eq!(answer.status, 200);
        assert!(answer.header("ratelimit").is_none());
    }
    let by_user = app
        .call(sign_up("more@example.com").bearer(&user.token()))
        .await;
    assert_refused(&by_user, IP_LIMIT);
}

#[tokio::test]
async fn forwarding_headers_are_ignored_without_trusted_proxies() {
    let app = TestApp::with(&[("USER_SIGNUP_RATE_LIMIT_IP", "1")]).await;
    app.sign_up("abc@example.com").await;

    for (name, value) in [
        ("x-forwarded-for", "198.51.100.1"),
        ("x-forwarded-for", "198.51.100.1, 198.51.100.2"),
        ("forwarded", "for=198.51.100.1"),
        ("x-real-ip", "198.51.100.1"),
        ("true-client-ip", "198.51.100.1"),
        ("cf-connecting-ip", "198.51.100.1"),
    ] {
        let call = sign_up("def@example.com").header(name, value);

        assert_refused(&app.call(call).await, IP_LIMIT);
    }
}

#[tokio::test]
async fn behind_trusted_proxies_limits_count_the_forwarded_address() {
    let settings = [
        ("USER_SIGNUP_RATE_LIMIT_IP", "1"),
        ("TRUSTED_PROXY_HOPS", "1"),
        ("TRUSTED_PROXY_CIDRS", "10.0.0.0/8"),
    ];
    let app = TestApp::with(&settings).await;
    let status = async |peer: &str, forwarded: Option<&str>, email: &str| {
        let mut call = sign_up(email).from(peer);
        if let Some(list) = forwarded {
            call = call.header("x-forwarded-for", list);
        }
        app.call(call).await.status
    };

    assert_eq!(
        status("10.0.0.1", Some("198.51.100.1"), "a@example.com").await,
        200
    );
    let spoofed = Some("203.0.113.9, 198.51.100.1");
    assert_eq!(
        status("10.0.0.1", spoofed, "b@example.com").await,
        429,
        "one client"
    );
    assert_eq!(
        status("10.0.0.1", Some("198.51.100.2"), "b@example.com").await,
        200
    );
    assert_eq!(
        status("192.0.2.9", Some("198.51.100.3"), "c@example.com").await,
        200
    );
    assert_eq!(
        status("192.0.2.9", Some("198.51.100.4"), "d@example.com").await,
        429,
        "not a trusted proxy"
    );
    assert_eq!(
        status("10.0.0.7", None, "e@example.com").await,
        200,
        "no list: the proxy counts"
    );
    assert_eq!(
        status("10.0.0.7", Some("nonsense"), "f@example.com").await,
        429
    );
}

#[tokio::test]
async fn ipv6_addresses_of_one_64_prefix_count_as_one() {
    let app = TestApp::with(&[("USER_SIGNUP_RATE_LIMIT_IP", "1")]).await;

    let first = app.sign_up_from("2001:db8:1:2::1", "a@example.com").await;
    let neighbour = app
        .sign_up_from("2001:db8:1:2:ffff::9", "b@example.com")
        .await;
    let stranger = app.sign_up_from("2001:db8:1:3::1", "c@example.com").await;

    assert_eq!(
        [first.status, neighbour.status, stranger.status],
        [200, 429, 200]
    );
}
