//! A request's log line: JSON with metrics in CloudWatch's embedded metric format.

use std::time::Duration;

use serde::{Serialize, Serializer};

use super::Notes;
use super::subscriber::REQUESTS;
use crate::domain::{AccountId, Timestamp};

const NAMESPACE: &str = "Latchkey";

const SECONDS_A_DAY: u64 = 24 * 60 * 60;

/// The outcome of a request.
#[derive(Debug)]
pub struct RequestOutcome<'a> {
    /// A dimension of every metric.
    pub stack: &'a str,
    pub at: Timestamp,
    /// Such as `GET /user`.
    pub route: &'a str,
    pub status: u16,
    /// In milliseconds.
    pub latency: f64,
    /// Whether it is the first request of its process (a cold start).
    pub is_first: bool,
    /// How long ago the key ring was rotated, if it was read since the last report.
    pub ring_age: Option<Duration>,
    /// Why the request failed.
    pub reason: Option<&'static str>,
    /// The limit that refused the request.
    pub limit: Option<&'static str>,
    /// An internal error, which is logged and not sent to the caller.
    pub error: Option<String>,
}

/// Logs the request's line.
pub fn log_request(outcome: &RequestOutcome<'_>, notes: &Notes) {
    let line = Line::new(outcome, notes);
    match serde_json::to_string(&line) {
        Ok(line) if outcome.error.is_some() => tracing::error!(target: REQUESTS, "{line}"),
        Ok(line) => tracing::info!(target: REQUESTS, "{line}"),
        Err(error) => tracing::error!(%error, "the log line could not be serialized"),
    }
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
#[derive(Serialize)]
struct Line<'a> {
    level: &'static str,
    message: &'static str,
    request_id: &'a str,
    stack: &'a str,
    route: &'a str,
    status: u16,
    #[serde(serialize_with = "to_microseconds")]
    latency: f64,
    #[serde(skip_serializing_if = "is_false")]
    cold_start: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Displayed<'a, AccountId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pseudonym: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    panicked_at: Option<&'a str>,
    #[serde(skip_serializing_if = "is_zero")]
    sign_ups: u32,
    #[serde(skip_serializing_if = "is_zero")]
    sign_ins: u32,
    #[serde(skip_serializing_if = "is_zero")]
    refresh_reuses: u32,
    #[serde(skip_serializing_if = "is_zero")]
    failures: u32,
    #[serde(skip_serializing_if = "is_zero")]
    refusals: u32,
    #[serde(skip_serializing_if = "is_zero")]
    retries: u32,
    #[serde(skip_serializing_if = "is_zero")]
    rings_unread: u32,
    /// Whole days.
    #[serde(skip_serializing_if = "Option::is_none")]
    ring_age_days: Option<u64>,
    #[serde(rename = "_aws")]
    metadata: Metadata,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    timestamp: i64,
    cloud_watch_metrics: Vec<Directive>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: &'static [&'static [&'static str]],
    metrics: [Metric; 1],
}

#[derive(Serialize, Clone, Copy)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: &'static str,
    unit: &'static str,
}

impl<'a> Line<'a> {
    fn new(outcome: &'a RequestOutcome<'_>, notes: &'a Notes) -> Self {
        let is_refused = outcome.limit.is_some();
        let mut line = Self {
            level: if outcome.error.is_some() {
                "ERROR"
            } else {
                "INFO"
            },
            message: "answered",
            request_id: &notes.request_id,
            stack: outcome.stack,
            route: outcome.route,
            status: outcome.status,
            latency: outcome.latency,
            cold_start: outcome.is_first,
            account: notes.account.as_ref().map(Displayed),
            pseudonym: notes.pseudonym.as_deref(),
            reason: outcome.reason,
            limit: outcome.limit,
            error: outcome.error.as_deref(),
            panicked_at: notes.panicked_at.as_deref(),
            sign_ups: notes.signed_up.into(),
            sign_ins: notes.signed_in.into(),
            refresh_reuses: notes.refresh_token_reused.into(),
            failures: (outcome.reason.is_some() && !is_refused).into(),
            refusals: is_refused.into(),
            retries: notes.retries,
            rings_unread: notes.rings_unread,
            ring_age_days: outcome.ring_age.map(|age| age.as_secs() / SECONDS_A_DAY),
            metadata: Metadata {
                timestamp: outcome.at.millis(),
                cloud_watch_metrics: Vec::with_capacity(2),
            },
        };
        line.metadata.cloud_watch_metrics = line.directives();
        line
    }

    /// The metrics of this request and their dimensions.
    fn directives(&self) -> Vec<Directive> {
        let counts: [(u32, &str, &'static [&'static [&'static str]]); 7] = [
            (self.sign_ups, "sign_ups", &[&["stack"]]),
            (self.sign_ins, "sign_ins", &[&["stack"]]),
            (self.refresh_reuses, "refresh_reuses", &[&["stack"]]),
            (self.failures, "failures", &[&["stack", "reason"]]),
            (
                self.refusals,
                "refusals",
                &[&["stack"], &["stack", "limit"]],
            ),
            (self.retries, "retries", &[&["stack"]]),
            (self.rings_unread, "rings_unread", &[&["stack"]]),
        ];
        let latency = directive("latency", "Milliseconds", &[&["stack", "route"]]);
        let counted = counts
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(_, name, dimensions)| directive(name, "Count", dimensions));
        let age = self.ring_age_days;
        let age = age.map(|_| directive("ring_age_days", "None", &[&["stack"]]));
        std::iter::once(latency).chain(counted).chain(age).collect()
    }
}

fn directive(
    name: &'static str,
    unit: &'static str,
    dimensions: &'static [&'static [&'static str]],
) -> Directive {
    Directive {
        namespace: NAMESPACE,
        dimensions,
        metrics: [Metric { name, unit }],
    }
}

/// Serializes a value as its `Display` output.
struct Displayed<'a, T>(&'a T);

impl<T: std::fmt::Display> Serialize for Displayed<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

/// Rounds milliseconds to microseconds.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn to_microseconds<S: Serializer>(latency: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((latency * 1000.0).round() / 1000.0)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(value: &u32) -> bool {
    *value == 0
}
