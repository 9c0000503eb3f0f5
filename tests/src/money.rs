//! The cost of requests in dollars: measured capacity units, and estimated time and logs, at AWS
//! prices.

use std::fmt::Write;
use std::sync::LazyLock;

use local::functions::ENDPOINTS;
use local::template::Template;

use crate::costs::{self, Row};

/// On-demand prices in dollars in us-east-1, without free tiers. docs/costs.md gives their date.
mod price {
    /// A million requests to an HTTP API.
    pub(super) const API: f64 = 1.00;
    /// A million Lambda invocations.
    pub(super) const INVOCATIONS: f64 = 0.20;
    /// A gigabyte of memory for a second, on x86.
    pub(super) const GB_SECOND: f64 = 0.000_016_666_7;
    /// A million read units.
    pub(super) const READS: f64 = 0.125;
    /// A million write units.
    pub(super) const WRITES: f64 = 0.625;
    /// A gigabyte of ingested logs.
    pub(super) const LOGS: f64 = 0.50;
    /// A million traces.
    pub(super) const TRACES: f64 = 5.00;
    /// A gigabyte stored for a month, with point-in-time recovery.
    pub(super) const STORED: f64 = 0.25 + 0.20;
    /// A month of the fixed costs: the secrets, the dashboard, the 17 metrics of the alarms, and Lambda's polls of
    /// two queues: five pollers, each three times a minute, at $0.40 a million.
    pub(super) const STANDING: f64 = 2.0 * 0.40 + 3.00 + 17.0 * 0.10 + 2.0 * 0.657 * 0.40;
    /// A month of a custom metric.
    pub(super) const METRIC: f64 = 0.30;
}

static TEMPLATE: LazyLock<Template> = LazyLock::new(|| Template::checked_in().expect("a template"));

/// The line before the figures in docs/costs.md.
pub const BEGIN: &str = "<!-- figures, by `make costs` -->\n";
/// The line after them.
pub const END: &str = "<!-- end of figures -->\n";

/// How long a round trip to DynamoDB takes, in milliseconds.
const ROUND_TRIP_MS: f64 = 5.0;
/// How long hashing a password takes with 1024 MB of memory, in milliseconds.
const HASH_MS: f64 = 25.0;
/// The maximum size of a request's log line, in bytes.
pub const LINE: usize = 600;
/// The API Gateway access log line and three Lambda log lines of a request, in bytes.
const OTHER_LOGS: usize = 600;
/// The stored size of an account with its claims and a small profile, in bytes.
const ACCOUNT: f64 = 3_000.0;
/// The size of all log lines of a request, in gigabytes.
#[expect(clippy::cast_precision_loss, reason = "a thousand bytes are no loss")]
const LOG_GB: f64 = (LINE + OTHER_LOGS) as f64 / 1e9;
/// How many metrics there are beside the latency of each route: the counts, and the reasons and limits that occur.
const COUNTS: usize = 20;
const SECONDS_A_MONTH: f64 = 30.0 * 24.0 * 3600.0;

/// How often a user sends each request in a month.
const A_MONTH: [(&str, f64); 9] = [
    ("GET /user", 100.0),
    ("GET /v1/auth/user", 20.0),
    ("POST /user/auth from a new source", 0.5),
    ("POST /user/auth", 4.0),
    ("POST /v1/auth/login", 4.0),
    ("POST /v1/auth/logout", 4.0),
    ("POST /v1/auth/user, a field", 1.0),
    ("POST /user/auth, wrong password", 0.5),
    ("POST /user", 0.1),
];

/// The cost of a million requests of one kind, in dollars.
struct Million {
    api: f64,
    dynamodb: f64,
    lambda: f64,
    logs: f64,
}

impl Million {
    fn of(row: &Row) -> Self {
        let cost = &row.cost;
        let (function, is_route) = function_of(row.request);
        let memory_gb = f64::from(TEMPLATE.memory_mb[&function]) / 1024.0;
        let hashing_ms = f64::from(u32::try_from(row.hashes).unwrap_or(u32::MAX)) * HASH_MS;
        Self {
            // AWS itself calls the others.
            api: if is_route { price::API } else { 0.0 },
            dynamodb: cost.read_units * price::READS + cost.write_units * price::WRITES,
            lambda: lambda(memory_gb, 1.0 + hashing_ms, cost.round_trips),
            logs: 1e6 * LOG_GB * price::LOGS,
        }
    }

    fn total(&self) -> f64 {
        self.api + self.dynamodb + self.lambda + self.logs
    }
}

/// The Lambda cost of a million requests, in dollars. The time of each request, for computation and
/// for round trips to DynamoDB, is rounded up to a millisecond.
#[must_use]
pub fn lambda(memory_gb: f64, working_ms: f64, round_trips: usize) -> f64 {
    let round_trips = f64::from(u32::try_from(round_trips).unwrap_or(u32::MAX));
    let seconds = (working_ms + round_trips * ROUND_TRIP_MS).ceil() / 1000.0;
    price::INVOCATIONS + 1e6 * seconds * memory_gb * price::GB_SECOND
}

/// The function that serves a row's request, and whether it has a route.
fn function_of(request: &str) -> (String, bool) {
    let mut words = request.split([' ', ',', '?']);
    let mut next = || words.next().unwrap_or_default();
    let first = next();
    if TEMPLATE.memory_mb.contains_key(first) {
        return (first.to_owned(), false);
    }
    let path = next();
    let mut routes = TEMPLATE.routes.iter();
    let route = routes.find(|route| route.method == first && route.path == path);
    (route.expect("a route").function.clone(), true)
}

/// The tables of docs/costs.md.
pub async fn figures() -> String {
    let rows = costs::measure().await;
    let mut text = String::from(
        "| a million of | read units | write units | DynamoDB | Lambda | logs | in all |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for row in &rows {
        let million = Million::of(row);
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | ${:.2} | ${:.2} | ${:.2} | ${:.2} |",
            row.request,
            row.cost.read_units,
            row.cost.write_units,
            million.dynamodb,
            million.lambda,
            million.logs,
            million.total(),
        );
    }
    text.push_str(
        "\n| users a month | requests | requests cost | traces | storage | standing | a month | for 1,000 users |\n\
         | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for (users, name) in [
        (1e3, "1 thousand"),
        (1e6, "1 million"),
        (1e8, "100 million"),
    ] {
        let mut requests = 0.0;
        let mut money = 0.0;
        for (request, times) in A_MONTH {
            let row = rows.iter().find(|row| row.request == request);
            let million = Million::of(row.expect("a row of the table"));
            requests += times * users;
            money += times * users / 1e6 * million.total();
        }
        let sampled = requests.min(SECONDS_A_MONTH + requests * 0.05);
        let traces = sampled / 1e6 * price::TRACES;
        let storage = users * ACCOUNT / 1e9 * price::STORED;
        let metrics = u32::try_from(ENDPOINTS.len() + COUNTS).unwrap_or(u32::MAX);
        let standing = price::STANDING + f64::from(metrics) * price::METRIC;
        let total = money + traces + storage + standing;
        let _ = writeln!(
            text,
            "| {name} | {:.1} million | ${money:.2} | ${traces:.2} | ${storage:.2} | ${standing:.2} | ${total:.2} | ${:.2} |",
            requests / 1e6,
            total / users * 1e3,
        );
    }
    text
}
