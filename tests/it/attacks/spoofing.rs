//! Spoofed addresses: limits count the address that API Gateway saw, not what a caller claims.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::app::{TestApp, post};

use super::{counted, send};
use crate::events::event;

/// Sends a sign-up from this peer with these headers. Returns the addresses it counted for.
async fn counted_for(app: &TestApp, peer: Value, headers: &[(&str, &str)]) -> BTreeSet<String> {
    let before = counted(app, "sign-up-ip").await;
    for address in before {
        let table = &app.app.config.tables.rate_limits;
        app.delete(table, &format!("sign-up-ip#{address}")).await;
    }
    let mut event = event("create-user.json", "");
    event["requestContext"]["http"]["sourceIp"] = peer;
    for (name, value) in headers {
        event["headers"][*name] = json!(value);
    }
    send(app, "create-user", &event).await;
    counted(app, "sign-up-ip").await
}

fn only(address: &str) -> BTreeSet<String> {
    BTreeSet::from([address.to_owned()])
}

#[tokio::test]
async fn no_forwarding_header_changes_the_counted_address() {
    let app = TestApp::with(&[("USER_SIGNUP_RATE_LIMIT_EMAIL", "1000")]).await;

    for name in [
        "x-forwarded-for",
        "X-Forwarded-For",
        "X-FORWARDED-FOR",
        "x-FoRwArDeD-fOr",
        "x_forwarded_for",
        "forwarded",
        "Forwarded",
        "x-forwarded",
        "forwarded-for",
        "x-real-ip",
        "X-Client-IP",
        "client-ip",
        "x-cluster-client-ip",
        "x-originating-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "fastly-client-ip",
        "x-azure-clientip",
        "cloudfront-viewer-address",
        "via",
    ] {
        for value in [
            "198.51.100.7",
            "for=198.51.100.7",
            "198.51.100.7, 127.0.0.1",
        ] {
            let counted = counted_for(&app, json!("192.0.2.1"), &[(name, value)]).await;

            assert_eq!(counted, only("192.0.2.1"), "{name}: {value}");
        }
    }
    let twice = [
        ("x-forwarded-for", "198.51.100.7"),
        ("X-Forwarded-For", "198.51.100.8"),
        ("Forwarded", "for=198.51.100.9"),
    ];
    let counted = counted_for(&app, json!("192.0.2.1"), &twice).await;
    assert_eq!(counted, only("192.0.2.1"));
}

#[tokio::test]
async fn a_spoofed_address_does_not_allow_more_guesses() {
    let (app, _) = TestApp::with_user().await;
    let attempt = |n: usize| {
        let body = json!({"username": "abc@example.com", "password": "guess1"});
        let call = post("/user/auth", &body).header("x-forwarded-for", &format!("10.0.0.{n}"));
        call.header("forwarded", &format!("for=10.0.0.{n}"))
    };

    let mut checked = 0;
    for n in 0..20 {
        checked += usize::from(app.call(attempt(n)).await.status == 403);
    }

    assert_eq!(checked, 10);
}

#[tokio::test]
async fn every_spelling_of_an_address_counts_as_one() {
    let app = TestApp::with(&[("USER_SIGNUP_RATE_LIMIT_EMAIL", "1000")]).await;

    for (peer, expected) in [
        (json!("192.0.2.1"), "192.0.2.1"),
        (json!("::ffff:192.0.2.1"), "192.0.2.1"),
        (json!("::FFFF:C000:0201"), "192.0.2.1"),
        (json!("2001:db8:1:2::9"), "2001:db8:1:2::/64"),
        (
            json!("2001:0DB8:0001:0002:ffff:ffff:ffff:ffff"),
            "2001:db8:1:2::/64",
        ),
        (json!("2001:db8:1:3::9"), "2001:db8:1:3::/64"),
        // All invalid addresses share one counter.
        (json!("192.0.2.1:4711"), "::/64"),
        (json!("[2001:db8::1]"), "::/64"),
        (json!("[2001:db8::1]:4711"), "::/64"),
        (json!("fe80::1%eth0"), "::/64"),
        (json!("192.0.2.1 "), "::/64"),
        (json!("192.0.2.1, 198.51.100.7"), "::/64"),
        (json!("192.000.002.001"), "::/64"),
        (json!("0xc0.0.2.1"), "::/64"),
        (json!("3221225985"), "::/64"),
        (json!("192.0.2"), "::/64"),
        (json!("unknown"), "::/64"),
        (json!(""), "::/64"),
        (json!(null), "::/64"),
    ] {
        let counted = counted_for(&app, peer.clone(), &[]).await;

        assert_eq!(counted, only(expected), "{peer}");
    }
}

/// An app that trusts one proxy in 10.0.0.0/8. API Gateway appends the proxy's address to the list.
async fn behind_a_proxy() -> TestApp {
    TestApp::with(&[
        ("USER_SIGNUP_RATE_LIMIT_EMAIL", "1000"),
        ("TRUSTED_PROXY_HOPS", "1"),
        ("TRUSTED_PROXY_CIDRS", "10.0.0.0/8"),
    ])
    .await
}

#[tokio::test]
async fn entries_before_the_one_added_by_a_trusted_proxy_are_ignored() {
    let app = behind_a_proxy().await;

    for spoofed in [
        "",
        "203.0.113.9, ",
        "203.0.113.9,203.0.113.8,,",
        "127.0.0.1, 10.0.0.1, 10.0.0.2, ",
        "\"203.0.113.9\", ",
        "é, ",
    ] {
        let list = format!("{spoofed}198.51.100.7, 10.0.0.1");
        let headers = [
            ("x-forwarded-for", list.as_str()),
            ("forwarded", "for=1.2.3.4"),
        ];
        let counted = counted_for(&app, json!("10.0.0.1"), &headers).await;

        assert_eq!(counted, only("198.51.100.7"), "{list}");
    }
    for (written, expected) in [
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:DB8:1:2::9", "2001:db8:1:2::/64"),
        (" 198.51.100.7\t", "198.51.100.7"),
    ] {
        let list = format!("{written}, 10.0.0.1");
        let counted = counted_for(&app, json!("10.0.0.1"), &[("x-forwarded-for", &list)]).await;

        assert_eq!(counted, only(expected), "{written:?}");
    }
}

#[tokio::test]
async fn a_forwarded_entry_that_is_no_address_counts_for_the_proxy() {
    let app = behind_a_proxy().await;

    for entry in [
        "198.51.100.7:4711",
        "[2001:db8::1]",
        "[2001:db8::1]:4711",
        "fe80::1%eth0",
        "\"198.51.100.7\"",
        "for=198.51.100.7",
        "198.51.100.7/32",
        "198.051.100.007",
        "0xc6.51.100.7",
        "198.51.100",
        "١٩٨.51.100.7",
        "unknown",
        "_hidden",
        "-",
        "",
    ] {
        let list = format!("203.0.113.9, {entry}, 10.0.0.1");
        let counted = counted_for(&app, json!("10.0.0.1"), &[("x-forwarded-for", &list)]).await;

        assert_eq!(counted, only("10.0.0.1"), "{entry:?}");
    }
    let short = counted_for(&app, json!("10.0.0.1"), &[("x-forwarded-for", "10.0.0.1")]).await;
    assert_eq!(short, only("10.0.0.1"), "a short list");
}

#[tokio::test]
async fn forwarding_headers_from_an_untrusted_peer_are_ignored() {
    let app = behind_a_proxy().await;

    for peer in ["192.0.2.1", "11.0.0.1", "::ffff:192.0.2.1"] {
        let list = format!("198.51.100.7, {peer}");
        let counted = counted_for(&app, json!(peer), &[("x-forwarded-for", &list)]).await;

        assert!(!counted.contains("198.51.100.7"), "{peer}: {counted:?}");
    }
    let list = [("x-forwarded-for", "198.51.100.7, 10.0.0.1")];
    let mapped = counted_for(&app, json!("::ffff:10.0.0.1"), &list).await;
    assert_eq!(mapped, only("198.51.100.7"), "the same proxy in IPv6");
}
