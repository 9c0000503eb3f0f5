//! Attacks, as tests: what a stranger, a neighbour and a thief try, and what becomes of it.
//!
//! | module | what is tried |
//! | --- | --- |
//! | [`enumeration`] | finding out who has an account, by what is answered |
//! | [`floods`] | sign-ups from 10,000 addresses |
//! | [`guessing`] | passwords, and locking a stranger out |
//! | [`injection`] | text that is to be taken for a header, a line of log, a metric or a key |
//! | [`json_bombs`] | JSON made to exhaust whoever parses it |
//! | [`jwt`], [`jwt_claims`] | what RFC 8725 warns of, section by section |
//! | [`look_alikes`] | names that look like another's |
//! | [`pollution`] | parameters from where they do not belong |
//! | [`replay`] | sending once more what was sent before |
//! | [`spoofing`] | another source address than one's own |
//! | [`timing`] | telling apart by a clock what is answered alike |
//!
//! No test asserts how long something took: machines are noisy. What could be told apart by a
//! clock is compared by what it does instead: its calls to DynamoDB, its hashes, its answer, its
//! line of log.

use std::collections::BTreeSet;

use axum::http::HeaderMap;
use serde_json::{Value, json};
use tests::app::{Answer, Call, TestApp, post};
use tests::logs::capture;
use tests::wire::Use;

pub(crate) use crate::events::send;

mod enumeration;
mod floods;
mod guessing;
mod injection;
mod json_bombs;
mod jwt;
mod jwt_claims;
mod look_alikes;
mod pollution;
mod replay;
mod spoofing;
mod timing;

/// All that shows of a request: to its caller, to DynamoDB, to a stopwatch and to an operator.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u16,
    headers: HeaderMap,
    body: Value,
    /// Operation, units read and written, and what was touched; in no order.
    calls: Vec<(String, String, Vec<Use>)>,
    /// How many password hashes were computed.
    hashes: u64,
    line: Value,
}

/// Sends a request, and returns all that shows of it, but for what differs between any two: its
/// id and how long it took.
async fn see(app: &TestApp, call: Call) -> Seen {
    let _ = app.wire.take_calls();
    let hashes = app.app.hasher.computed();
    let (lines, guard) = capture();
    let answer = app.call(call).await;
    drop(guard);
    let mut calls: Vec<_> = app
        .wire
        .take_calls()
        .into_iter()
        .map(|call| {
            let units = format!("{} read, {} written", call.read_units, call.write_units);
            (call.operation, units, call.uses.into_iter().collect())
        })
        .collect();
    calls.sort();
    let mut lines = lines.take();
    // The embedded DynamoDB logs into the same process.
    lines.retain(|line| line["_aws"].is_object());
    assert_eq!(lines.len(), 1, "a request is one line: {lines:?}");
    let mut line = lines.remove(0);
    for name in ["request_id", "latency", "cold_start"] {
        line.as_object_mut().unwrap().remove(name);
    }
    Seen {
        status: answer.status,
        headers: answer.headers,
        body: answer.body,
        calls,
        hashes: app.app.hasher.computed() - hashes,
        line,
    }
}

/// Signs up with a username.
async fn sign_up_as(app: &TestApp, username: &str, email: &str, password: &str) -> Answer {
    let body = json!({"username": username, "email": email, "password": password});
    app.call(post("/user", &body)).await
}

/// The id of the account that an answer shows.
fn id_of(answer: &Answer) -> String {
    answer.text("/user/id")
}

/// What has a counter of this policy.
async fn counted(app: &TestApp, policy: &str) -> BTreeSet<String> {
    let counters = app.items(&app.app.config.tables.rate_limits).await;
    let subjects = counters.keys().filter_map(|key| {
        let subject = key.strip_prefix(policy)?.strip_prefix('#')?;
        Some(subject.to_owned())
    });
    subjects.collect()
}
