//! Random schedules of requests, clock jumps, restarts, deployments, clean-ups and faults, against
//! the reference [`Model`] and over several instances.
//!
//! One request at a time must be answered exactly as the model says. Requests that race must be
//! answered as the model would in some order, knowing of each other's refusals or not. One fault on
//! the way to DynamoDB changes no answer: the store and the SDK ask again.
//!
//! Racing sign-ins are in [`crate::sign_in_schedules`].
//!
//! `PROPTEST_CASES` says how many schedules there are of each kind.

use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::json;
use shared::ports::Clock;
use tests::app::{Answer, PASSWORD, TestApp, get, post};
use tests::wire::Fault;

use crate::model::{Act, Model, NOBODY, Outcome, Rate, Rates};

const INSTANCES: usize = 3;

/// How many tokens and keys a schedule may end.
const PREPARED: u8 = 2;

#[derive(Debug, Clone)]
enum Step {
    /// Requests at once, each to an instance.
    Requests(Vec<(usize, Act)>),
    /// The clock moves, by so many milliseconds.
    Advance(u64),
    /// An instance is replaced by a new one.
    Restart(usize),
    /// All instances are replaced, by new ones with these limits.
    Deploy(Rates),
    /// DynamoDB deletes the counters it may.
    CleanUp,
    /// An instance's next call goes wrong.
    Fault(usize, Trouble),
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    Throttled,
    Broken,
    Cut,
    Conflict,
    /// It is executed, but the answer is lost. Counters are spared, which would count twice, and
    /// logouts, which would be refused.
    AnswerLost,
}

impl Trouble {
    fn fault(self, operation: &str) -> Option<Fault> {
        match self {
            Self::Throttled => Some(Fault::throttled()),
            Self::Broken => Some(Fault::broken()),
            Self::Cut => Some(Fault::Break),
            Self::Conflict if operation == "TransactWriteItems" => {
                Some(Fault::cancelled(&["None", "TransactionConflict"]))
            }
            Self::Conflict if operation.contains("Get") || operation == "Query" => None,
            Self::Conflict => Some(Fault::service_error("TransactionConflictException")),
            Self::AnswerLost => {
                let is_exact = ["UpdateItem", "DeleteItem"].contains(&operation);
                (!is_exact).then_some(Fault::LoseAnswer)
            }
        }
    }
}

fn rate() -> impl Strategy<Value = Rate> {
    let window = prop::sample::select(&[1, 1_500, 10_001, 25_000][..]);
    (0..=4_u64, window).prop_map(|(max, window)| Rate { max, window })
}

fn rates() -> impl Strategy<Value = Rates> {
    (rate(), rate(), rate(), 0..=3_u64, rate()).prop_map(|(ip, email, sign_in, account, total)| {
        Rates {
            sign_up_ip: ip,
            sign_up_email: email,
            sign_in_ip: sign_in,
            sign_in_account: Rate {
                max: account,
                ..sign_in
            },
            sign_in_total: total,
        }
    })
}

fn racing_act() -> impl Strategy<Value = Act> {
    let (ip, token, key) = (0..2_u8, 0..PREPARED, 0..PREPARED);
    prop_oneof![
        6 => (ip.clone(), 0..3_u8, 0..=NOBODY)
            .prop_map(|(ip, email, name)| Act::SignUp { ip, email, name }),
        2 => ip.prop_map(|ip| Act::GuessKey { ip }),
        1 => token.clone().prop_map(Act::UseToken),
        2 => token.prop_map(Act::LogOut),
        1 => Just(Act::MakeKey),
        1 => key.clone().prop_map(Act::UseKey),
        2 => key.prop_map(Act::RevokeKey),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let sign_in = (0..2_u8, 0..=NOBODY, prop::bool::weighted(0.3));
    let sign_in = sign_in.prop_map(|(ip, email, right)| Act::SignIn { ip, email, right });
    prop_oneof![racing_act(), sign_in]
}

fn steps(requests: impl Strategy<Value = Step>) -> impl Strategy<Value = Vec<Step>> {
    let jumps = [1, 750, 1_499, 1_500, 9_999, 10_000, 25_000, 3_700_000];
    let trouble = prop::sample::select(vec![
        Trouble::Throttled,
        Trouble::Broken,
        Trouble::Cut,
        Trouble::Conflict,
        Trouble::AnswerLost,
    ]);
    let step = prop_oneof![
        12 => requests,
        3 => prop::sample::select(jumps.to_vec()).prop_map(Step::Advance),
        1 => (0..INSTANCES).prop_map(Step::Restart),
        1 => rates().prop_map(Step::Deploy),
        1 => Just(Step::CleanUp),
        3 => (0..INSTANCES, trouble).prop_map(|(instance, trouble)| Step::Fault(instance, trouble)),
    ];
    vec(step, 1..40)
}

fn one_at_a_time() -> impl Strategy<Value = Vec<Step>> {
    steps((0..INSTANCES, act()).prop_map(|request| Step::Requests(vec![request])))
}

fn at_once() -> impl Strategy<Value = Vec<Step>> {
    steps(vec((0..INSTANCES, racing_act()), 1..6).prop_map(Step::Requests))
}

/// A small number of cases, unless `PROPTEST_CASES` asks for more.
#[expect(
    clippy::disallowed_methods,
    reason = "how long a test runs is no configuration"
)]
pub(crate) fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok();
    let regressions = concat!(env!("CARGO_MANIFEST_DIR"), "/it/schedules.regressions");
    ProptestConfig {
        cases: cases.and_then(|cases| cases.parse().ok()).unwrap_or(12),
        max_shrink_iters: 2_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(regressions))),
        ..Default::default()
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(future)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn one_request_after_another_is_answered_exactly_as_by_the_model(
        rates in rates(), steps in one_at_a_time(),
    ) {
        block_on(run(rates, &steps));
    }

    #[test]
    fn racing_requests_are_answered_as_by_the_model_in_some_order(
        rates in rates(), steps in at_once(),
    ) {
        block_on(run(rates, &steps));
    }
}

struct World {
    first: TestApp,
    instances: Vec<Arc<TestApp>>,
    rates: Rates,
    owner: String,
    tokens: Vec<String>,
    keys: Vec<String>,
}

impl World {
    async fn new(rates: Rates) -> Self {
        let (first, owner) = TestApp::with_user().await;
        let (mut tokens, mut keys) = (Vec::new(), Vec::new());
        for _ in 0..PREPARED {
            tokens.push(first.sign_in("abc@example.com", PASSWORD).await.token());
            keys.push(first.api_key(&owner, 1).await);
        }
        let mut world = Self {
            first,
            instances: Vec::new(),
            rates,
            owner,
            tokens,
            keys,
        };
        world.deploy(rates);
        world
    }

    fn deploy(&mut self, rates: Rates) {
        self.rates = rates;
        self.instances = (0..INSTANCES).map(|_| self.instance()).collect();
    }

    fn instance(&self) -> Arc<TestApp> {
        let rates = &self.rates;
        let settings = [
            (
                "USER_SIGNUP_RATE_LIMIT_IP",
                rates.sign_up_ip.max.to_string(),
            ),
            (
                "USER_SIGNUP_RATE_LIMIT_IP_WINDOW_MS",
                rates.sign_up_ip.window.to_string(),
            ),
            (
                "USER_SIGNUP_RATE_LIMIT_EMAIL",
                rates.sign_up_email.max.to_string(),
            ),
            (
                "USER_SIGNUP_RATE_LIMIT_EMAIL_WINDOW_MS",
                rates.sign_up_email.window.to_string(),
            ),
            ("SIGNIN_RATE_LIMIT_IP", rates.sign_in_ip.max.to_string()),
            (
                "SIGNIN_RATE_LIMIT_ACCOUNT",
                rates.sign_in_account.max.to_string(),
            ),
            (
                "SIGNIN_RATE_LIMIT_WINDOW_MS",
                rates.sign_in_ip.window.to_string(),
            ),
            (
                "SIGNIN_RATE_LIMIT_TOTAL",
                rates.sign_in_total.max.to_string(),
            ),
            (
                "SIGNIN_RATE_LIMIT_TOTAL_WINDOW_MS",
                rates.sign_in_total.window.to_string(),
            ),
            // The owner never signs in again.
            ("REAUTH_MAX_AGE", "3660d".to_owned()),
        ];
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        Arc::new(self.first.another(&settings))
    }

    fn now(&self) -> i64 {
        self.first.clock.now().millis()
    }

    /// Sends requests at once.
    async fn send(&self, requests: &[(usize, Act)]) -> Vec<Outcome> {
        let send = |&(instance, act): &(usize, Act)| {
            let app = Arc::clone(&self.instances[instance]);
            let call = self.call(act);
            tokio::spawn(async move { outcome(act, &app.call(call).await) })
        };
        let tasks: Vec<_> = requests.iter().map(send).collect();
        let mut outcomes = Vec::new();
        for task in tasks {
            outcomes.push(task.await.unwrap());
        }
        outcomes
    }

    fn call(&self, act: Act) -> tests::app::Call {
        let address = |ip: u8| format!("198.51.100.{ip}");
        let email = |email: u8| format!("user{email}@example.com");
        match act {
            Act::SignUp {
                ip,
                email: whose,
                name,
            } => {
                let mut body = json!({"email": email(whose), "password": PASSWORD});
                if name < NOBODY {
                    body["username"] = json!(format!("name{name}"));
                }
                post("/user", &body).from(&address(ip))
            }
            Act::SignIn {
                ip,
                email: whose,
                right,
            } => {
                let password = if right { PASSWORD } else { "guess1" };
                let body = json!({"username": email(whose), "password": password});
                post("/user/auth", &body).from(&address(ip))
            }
            Act::GuessKey { ip } => {
                let guess = format!("api_{}", "x".repeat(24));
                get("/user").api_key(&guess).from(&address(ip))
            }
            Act::UseToken(token) => get("/user").bearer(&self.tokens[usize::from(token)]),
            Act::LogOut(token) => {
                let call = post("/v1/auth/logout", &json!({}));
                call.bearer(&self.tokens[usize::from(token)])
            }
            Act::MakeKey => {
                let body = json!({"name": "ci", "permissions": 1});
                post("/v1/api-keys", &body).bearer(&self.owner)
            }
            Act::UseKey(key) => get("/user").api_key(&self.keys[usize::from(key)]),
            Act::RevokeKey(key) => {
                let path = format!("/v1/api-keys/{}", key + 1);
                tests::app::Call::new("DELETE", &path, "".into()).bearer(&self.owner)
            }
        }
    }

    /// Lets the next call of an instance that can suffer this do so.
    fn fail_next(&self, instance: usize, trouble: Trouble) {
        let mut is_over = false;
        self.instances[instance]
            .wire
            .on_request(move |operation, _| {
                let fault = trouble.fault(operation).filter(|_| !is_over);
                is_over |= fault.is_some();
                fault
            });
    }

    /// Deletes what DynamoDB may delete by now.
    async fn clean_up(&self) {
        let table = &self.first.app.config.tables.rate_limits;
        for (key, item) in self.first.items(table).await {
            let expires_at: i64 = item["expires_at"].as_n().unwrap().parse().unwrap();
            if expires_at * 1000 < self.now() {
                self.first.delete(table, &key).await;
            }
        }
    }
}

/// An answer in the model's words.
fn outcome(act: Act, answer: &Answer) -> Outcome {
    let message: &'static str = match answer.status {
        200 => "",
        _ => answer.message().to_owned().leak(),
    };
    let made = matches!(act, Act::MakeKey).then(|| answer.body["apiKey"]["id"].as_u64());
    let retry_after = answer.header("retry-after").map(|secs| secs.parse().ok());
    (
        answer.status,
        message,
        made.or(retry_after).flatten().unwrap_or(0),
    )
}

async fn run(rates: Rates, steps: &[Step]) {
    let mut world = World::new(rates).await;
    // All states the answers so far can have come from.
    let mut models = vec![Model::new(rates, u64::from(PREPARED))];
    for step in steps {
        match step {
            Step::Advance(millis) => world.first.clock.advance(Duration::from_millis(*millis)),
            Step::CleanUp => world.clean_up().await,
            Step::Fault(instance, trouble) => world.fail_next(*instance, *trouble),
            Step::Restart(instance) => {
                world.instances[*instance] = world.instance();
                for model in &mut models {
                    model.restart(*instance);
                }
            }
            Step::Deploy(rates) => {
                world.deploy(*rates);
                for model in &mut models {
                    model.rates = *rates;
                    for instance in 0..INSTANCES {
                        model.restart(instance);
                    }
                }
            }
            Step::Requests(requests) => {
                let outcomes = world.send(requests).await;
                let seen: Vec<_> = requests.iter().copied().zip(outcomes).collect();
                let mut after = Vec::new();
                for model in &models {
                    explain(model, model, &seen, world.now(), &mut after);
                }
                assert!(
                    !after.is_empty(),
                    "no order explains {seen:#?}\nafter {models:#?}"
                );
                models = after;
            }
        }
    }
}

/// Finds the states after all orders in which the model gives the answers seen, in a race that began
/// at `start`.
fn explain(
    start: &Model,
    model: &Model,
    seen: &[((usize, Act), Outcome)],
    now: i64,
    after: &mut Vec<Model>,
) {
    if seen.is_empty() && !after.contains(model) {
        after.push(model.clone());
    }
    for (i, ((instance, act), outcome)) in seen.iter().enumerate() {
        let (mut aware, mut unaware) = (model.clone(), model.clone());
        let answers = [
            aware.answer(*instance, *act, now),
            unaware.answer_unaware(start, *instance, *act, now),
        ];
        let rest = [&seen[..i], &seen[i + 1..]].concat();
        if answers[0] == *outcome {
            explain(start, &aware, &rest, now, after);
        }
        if answers[1] == *outcome && unaware != aware {
            explain(start, &unaware, &rest, now, after);
        }
    }
}
