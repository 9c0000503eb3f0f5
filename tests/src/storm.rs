//! Thousands of mixed requests by several instances, a few at a time, through a wire that fails by
//! seed; what every answer promised is held against what is found afterwards.
//!
//! | module | what is there |
//! | --- | --- |
//! | `luck` | which faults a request suffers: drawn from the seed and the request's number |
//! | `actions` | the requests, and what may be answered to each |
//! | `ledger` | what was attempted and promised, and which promises contradict each other |
//! | `limits` | how many attempts were admitted, against how many may be |
//! | `audit` | whether the tables hold what was promised, and nothing half-made |
//! | `report` | the counts |
//!
//! An answer of 503 leaves open whether the change was made; every other answer is held to. One
//! fault alone must not reach the caller: the store and the SDK ride it out.
//!
//! Requests run in rounds. The clock moves by a millisecond with each call, and between rounds,
//! when nothing is under way, past the end of every window, so that each round is one window of
//! each limit; then other instances take over, which remember nothing.

mod actions;
mod audit;
mod ledger;
mod limits;
mod luck;
mod report;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::config::Builder as SdkConfig;
use aws_sdk_dynamodb::config::retry::{RetryPartition, TokenBucket};
use shared::config::Config;

pub use self::report::Report;

use self::actions::Action;
use self::ledger::Ledger;
use self::limits::SETTINGS;
use self::luck::Luck;
use crate::app::TestApp;
use crate::wire::lock;

/// How long a function of the template may take.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(10);

const ROUND: u64 = 250;
const INSTANCES: usize = 4;
const AT_ONCE: usize = 12;

/// How DynamoDB is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// As the functions do; some calls are never answered, and each request is timed.
    OfTheFunctions,
    /// Longer than any test; every call is answered, and nothing is timed.
    OfTests,
}

/// A storm under way.
struct Storm {
    seed: u64,
    patience: Patience,
    ticks: AtomicU64,
    ledger: Mutex<Ledger>,
    report: Mutex<Report>,
}

/// Sends so many requests through a wire that fails as the seed says.
pub async fn run(seed: u64, requests: u64, patience: Patience) -> Report {
    let base = TestApp::with(&SETTINGS).await;
    let storm = Arc::new(Storm {
        seed,
        patience,
        ticks: AtomicU64::new(0),
        ledger: Mutex::default(),
        report: Mutex::new(Report::new(seed)),
    });
    let mut first = 0;
    while first < requests {
        let end = requests.min(first + ROUND);
        storm.round(&base, first, end).await;
        let refuted = limits::check(&lock(&storm.ledger).take_asked());
        lock(&storm.report).violations.extend(refuted);
        lock(&storm.ledger).end_sessions();
        base.clock.advance(Duration::from_hours(1));
        first = end;
    }
    let ledger = lock(&storm.ledger).clone();
    let refuted = audit::audit(&base, &ledger).await;
    let mut report = lock(&storm.report).clone();
    report.violations.extend(refuted);
    report
}

impl Storm {
    async fn round(self: &Arc<Self>, base: &TestApp, first: u64, end: u64) {
        let instances: Vec<_> = (0..INSTANCES)
            .map(|n| Arc::new(self.instance(base, n)))
            .collect();
        let next = Arc::new(AtomicU64::new(first));
        let workers: Vec<_> = (0..AT_ONCE)
            .map(|n| {
                let instance = Arc::clone(&instances[n % INSTANCES]);
                let (storm, next) = (Arc::clone(self), Arc::clone(&next));
                tokio::spawn(async move {
                    loop {
                        let number = next.fetch_add(1, Ordering::SeqCst);
                        if number >= end {
                            break;
                        }
                        storm.request(&instance, number).await;
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.expect("a worker");
        }
    }

    /// An instance behind the failing wire. The last one makes hashes of another cost, and so
    /// replaces those it signs in by.
    fn instance(&self, base: &TestApp, n: usize) -> TestApp {
        let cost = if n + 1 == INSTANCES { "16" } else { "8" };
        let mut settings = SETTINGS.to_vec();
        settings.push(("ARGON2_MEMORY_KIB", cost));
        let instance = base.another_with(&settings, |config, sdk| self.adjust(config, sdk));
        let clock = Arc::clone(&instance.clock);
        instance.wire.on_request(move |operation, body| {
            clock.advance(Duration::from_millis(1));
            luck::strike(operation, body)
        });
        instance
    }

    /// Retries of its own: what tests in the same process exhaust, others would miss.
    fn adjust(&self, config: &Config, sdk: SdkConfig) -> SdkConfig {
        let retries = TokenBucket::builder().capacity(1_000_000).build();
        let partition = RetryPartition::custom("storm").token_bucket(retries);
        let sdk = sdk.retry_partition(partition.build());
        match self.patience {
            Patience::OfTests => sdk,
            Patience::OfTheFunctions => {
                let shared = config.aws.sdk_config(&config.keys);
                let timeouts = shared.timeout_config().expect("time-outs");
                sdk.timeout_config(timeouts.clone())
            }
        }
    }

    async fn request(&self, instance: &TestApp, number: u64) {
        let mut dice = fastrand::Rng::with_seed(self.seed ^ number.wrapping_mul(0x9e37_79b9));
        let action = Action::draw(&mut dice, number, &lock(&self.ledger));
        let luck = Luck::draw(&mut dice, self.patience == Patience::OfTheFunctions);
        let start = self.ticks.fetch_add(1, Ordering::SeqCst);
        let began = tokio::time::Instant::now();
        let (answer, suffered) = luck::with(luck, instance.call(action.call())).await;
        let took = began.elapsed();
        let end = self.ticks.fetch_add(1, Ordering::SeqCst);
        let mut report = lock(&self.report);
        report.count(action.name(), answer.status, &suffered);
        let mut complain = |why: &str| {
            let status = answer.status;
            let what = format!("request {number}: {why}: {status} after {suffered:?}: {action:?}");
            report.violations.push(what);
        };
        if !action.allows(answer.status) {
            complain("no such answer");
        }
        // What took so long was slow by itself: the machine is.
        let is_slow = took > Duration::from_millis(1500);
        if answer.status == 503 && suffered.is_ridden_out() && !is_slow {
            complain("a fault or none, and not ridden out");
        }
        if self.patience == Patience::OfTheFunctions {
            if took >= FUNCTION_TIMEOUT {
                complain("longer than a function may take");
            }
            report.time(action.name(), took);
        }
        drop(report);
        let span = ledger::Span { start, end };
        let refuted = lock(&self.ledger).enter(&action, &answer, span, &suffered);
        lock(&self.report).violations.extend(refuted);
    }
}
