//! Floods: sign-ups from ten thousand addresses.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::app::{PASSWORD, TestApp};
use tests::wire::Fault;

use super::{counted, send};
use crate::events::event;

const ADDRESSES: usize = 10_000;

/// The nth address of 10.0.0.0/8.
fn address(n: usize) -> String {
    format!("10.{}.{}.{}", n / 62_500, n / 250 % 250, n % 250 + 1)
}

/// Sends sign-ups as Lambda events.
struct Flood<'a> {
    app: &'a TestApp,
    event: Value,
}

impl<'a> Flood<'a> {
    fn of(app: &'a TestApp) -> Self {
        let event = event("create-user.json", "");
        Self { app, event }
    }

    /// Signs up from this address and returns the status.
    async fn sign_up(&self, address: String, email: &str) -> i64 {
        let mut event = self.event.clone();
        event["requestContext"]["http"]["sourceIp"] = address.into();
        event["body"] = json!({"email": email, "password": PASSWORD})
            .to_string()
            .into();
        send(self.app, "create-user", &event).await.0
    }

    /// Signs up from each of ten thousand addresses, a hundred at a time. Counts the responses by
    /// status.
    async fn run(
        &self,
        from: impl Fn(usize) -> String,
        email: impl Fn(usize) -> String,
    ) -> BTreeMap<i64, usize> {
        let mut statuses = BTreeMap::new();
        for start in (0..ADDRESSES).step_by(100) {
            let emails: Vec<_> = (start..start + 100).map(&email).collect();
            let attempts = (start..).zip(&emails);
            let attempts = attempts.map(|(n, email)| self.sign_up(from(n), email));
            for status in join_all(attempts).await {
                *statuses.entry(status).or_insert(0) += 1;
            }
        }
        statuses
    }
}

/// Answers each request for an address's counter as the first of a new window, without DynamoDB,
/// which would take half a minute for so many. `races` tests that the counters are exact. Returns
/// the number of such requests.
fn every_address_is_new(app: &TestApp) -> Arc<AtomicUsize> {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    app.wire.on_request(move |_, body| {
        let counter = body["Key"]["pk"]["S"].as_str()?;
        counter.strip_prefix("sign-up-ip#")?;
        count.fetch_add(1, Ordering::Relaxed);
        let values = &body["ExpressionAttributeValues"];
        let first = json!({"opened": values[":now"], "v": values[":v"], "n": {"N": "1"}});
        Some(Fault::Answer(200, json!({ "Attributes": first })))
    });
    asked
}

#[tokio::test]
async fn ten_thousand_addresses_get_ten_attempts_and_one_account_for_one_email() {
    let app = TestApp::new().await;
    let asked = every_address_is_new(&app);

    let statuses = Flood::of(&app)
        .run(address, |_| "abc@example.com".to_owned())
        .await;

    assert_eq!(asked.load(Ordering::Relaxed), ADDRESSES);
    assert_eq!(statuses[&200], 1);
    assert_eq!(statuses[&400], 9);
    assert_eq!(statuses[&429], ADDRESSES - 10);
    assert_eq!(app.app.hasher.computed(), 10, "refused ones cost no hash");
    assert_eq!(app.account_count().await, 1);
    assert_eq!(counted(&app, "sign-up-email").await.len(), 1);
}

#[tokio::test]
async fn ten_thousand_ipv6_addresses_of_one_64_prefix_count_as_one() {
    let app = TestApp::new().await;
    let from = |n: usize| format!("2001:db8:1:2:{n:x}::{n:x}");

    let statuses = Flood::of(&app)
        .run(from, |n| format!("user{n}@example.com"))
        .await;

    assert_eq!(statuses[&200], 50);
    assert_eq!(statuses[&429], ADDRESSES - 50);
    assert_eq!(app.account_count().await, 50);
    assert_eq!(counted(&app, "sign-up-ip").await.len(), 1);
    let hashes = app.app.hasher.computed();
    assert_eq!(hashes, 50);
}

/// With a limit of zero, the table refuses each address once, and the instance remembers it. One
/// address more replaces the least recently used one: see `ExceededLimits` for the bound.
#[tokio::test]
async fn an_instance_remembers_at_most_ten_thousand_refused_addresses() {
    let app = TestApp::with(&[("USER_SIGNUP_RATE_LIMIT_IP", "0")]).await;
    let asked = every_address_is_new(&app);
    let ask = async |n: usize| {
        let before = asked.load(Ordering::Relaxed);
        let status = Flood::of(&app).sign_up(address(n), "abc@example.com").await;
        assert_eq!(status, 429);
        asked.load(Ordering::Relaxed) - before
    };

    let statuses = Flood::of(&app)
        .run(address, |_| "abc@example.com".to_owned())
        .await;

    assert_eq!(statuses[&429], ADDRESSES);
    assert_eq!(ask(0).await, 0, "now the most recently used");
    assert_eq!(ask(ADDRESSES).await, 1, "a new address is counted");
    assert_eq!(ask(1).await, 1, "the least recently used is forgotten");
    assert_eq!(ask(0).await, 0);
    assert_eq!(app.app.hasher.computed(), 0);
    assert!(app.users().await.is_empty());
}
