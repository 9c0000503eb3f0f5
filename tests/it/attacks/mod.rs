//! Attacks and their results.
//!
//! | module | attack |
//! | --- | --- |
//! | [`decoys`] | learn from the cost of a hash which accounts exist |
//! | [`enumeration`] | learn from responses which accounts exist |
//! | [`floods`] | send sign-ups from 10,000 addresses |
//! | [`guessing`] | guess passwords, or lock the owner out by guessing |
//! | [`injection`] | inject headers, log fields, metrics or table keys |
//! | [`json_bombs`] | exhaust the JSON parser |
//! | [`jwt`], [`jwt_claims`] | forge tokens, by section of RFC 8725 |
//! | [`look_alikes`] | use names that look like another account's |
//! | [`pollution`] | send parameters in the wrong part of a request |
//! | [`replay`] | send an earlier request again |
//! | [`spoofing`] | pretend to have another source address |
//! | [`timing`] | tell equal responses apart by their latency |
//!
//! No test measures time, because machines are noisy. The tests compare the work that decides
//! the latency: calls to DynamoDB, password hashes, the response and the log line.

use std::collections::BTreeSet;

use axum::http::HeaderMap;
use serde_json::{Value, json};
use tests::app::{Answer, Call, TestApp, post};
use tests::logs::capture;
use tests::wire::Use;

pub(crate) use crate::events::send;

mod decoys;
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

/// Everything that a caller or DynamoDB can observe of a request, and its log line without its account.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u16,
    headers: HeaderMap,
    body: Value,
    /// Operation, capacity units, and actions with their keys; sorted, since the order may vary.
    calls: Vec<(String, String, Vec<Use>)>,
    /// How many password hashes were computed.
    hashes: u64,
    /// The memory that they passed over.
    work: u64,
    line: Value,
}

/// Sends a request and returns what can be observed of it.
async fn see(app: &TestApp, call: Call) -> Seen {
    let _ = app.wire.take_calls();
    let hashes = app.app.hasher.computed();
    let work = app.app.hasher.work();
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
    // Skip the lines of the embedded DynamoDB, which logs in the same process.
    lines.retain(|line| line["_aws"].is_object());
    assert_eq!(lines.len(), 1, "one log line per request: {lines:?}");
    let mut line = lines.remove(0);
    for name in [
        "request_id",
        "latency",
        "cold_start",
        "account",
        "pseudonym",
    ] {
        line.as_object_mut().unwrap().remove(name);
    }
    Seen {
        status: answer.status,
        headers: answer.headers,
        body: answer.body,
        calls,
        hashes: app.app.hasher.computed() - hashes,
        work: app.app.hasher.work() - work,
        line,
    }
}

async fn sign_up_as(app: &TestApp, username: &str, email: &str, password: &str) -> Answer {
    let body = json!({"username": username, "email": email, "password": password});
    app.call(post("/user", &body)).await
}

fn id_of(answer: &Answer) -> String {
    answer.text("/user/id")
}

/// The subjects (addresses or identifiers) that have a counter of this policy.
pub(crate) async fn counted(app: &TestApp, policy: &str) -> BTreeSet<String> {
    let counters = app.items(&app.app.config.tables.rate_limits).await;
    let subjects = counters.keys().filter_map(|key| {
        let subject = key.strip_prefix(policy)?.strip_prefix('#')?;
        Some(subject.to_owned())
    });
    subjects.collect()
}
