//! Random schedules of racing sign-ins with right and wrong passwords, from two sources over three
//! instances, with crashes and clock jumps. They are held to the promise of the limits.

use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use tests::app::{PASSWORD, TestApp};
use tests::wire::Fault;

use crate::schedules::{block_on, config};

const WINDOW: u64 = 10_000;

#[derive(Debug, Clone)]
enum Step {
    /// Attempts at once.
    Attempts(Vec<Attempt>),
    /// All windows but the total's close.
    NextWindow,
}

#[derive(Debug, Clone, Copy)]
struct Attempt {
    source: usize,
    right: bool,
    /// The call to DynamoDB at which the process ends, before or after the call is made.
    crash: Option<(usize, bool)>,
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let crash = prop::option::weighted(0.2, (1..6_usize, any::<bool>()));
    (0..2_usize, prop::bool::weighted(0.3), crash).prop_map(|(source, right, crash)| Attempt {
        source,
        right,
        crash,
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => vec(attempt(), 1..8).prop_map(Step::Attempts),
        1 => Just(Step::NextWindow),
    ];
    vec(step, 1..12)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn racing_wrong_passwords_get_403_up_to_the_limit_and_right_ones_below_it_succeed(
        account in 0..4_u64, ip in 0..6_u64, total in 0..8_u64, steps in steps(),
    ) {
        block_on(run(account, ip, total, &steps));
    }
}

/// What the attempts from one source so far allow to expect.
#[derive(Debug, Default, Clone)]
struct Source {
    /// Wrong passwords sent in the window, told or not.
    sent: u64,
    /// Wrong passwords told in the window since a right one.
    told: u64,
    /// Whether a right password from it may have been told, now or in an earlier window.
    may_be_familiar: bool,
    /// Whether a sign-in from it has succeeded.
    is_familiar: bool,
}

async fn run(account: u64, ip: u64, total: u64, steps: &[Step]) {
    let (first, _) = TestApp::with_user().await;
    let settings = [
        ("SIGNIN_RATE_LIMIT_ACCOUNT", account.to_string()),
        ("SIGNIN_RATE_LIMIT_IP", ip.to_string()),
        ("SIGNIN_RATE_LIMIT_TOTAL", total.to_string()),
        ("SIGNIN_RATE_LIMIT_WINDOW_MS", WINDOW.to_string()),
    ];
    let settings = settings
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let limit = account.min(ip);
    let mut sources = [Source::default(), Source::default()];
    let (mut sent_in_all, mut told_in_all) = (0, 0);
    for step in steps {
        let Step::Attempts(attempts) = step else {
            first.clock.advance(Duration::from_millis(WINDOW));
            for source in &mut sources {
                (source.sent, source.told) = (0, 0);
            }
            continue;
        };
        let before = sources.clone();
        let told_before = told_in_all;
        let tasks: Vec<_> = attempts
            .iter()
            .map(|&attempt| {
                let app = Arc::new(first.another(&settings));
                tokio::spawn(async move { send(&app, attempt).await })
            })
            .collect();
        for attempt in attempts {
            let source = &mut sources[attempt.source];
            if attempt.right {
                source.may_be_familiar = true;
            } else {
                source.sent += 1;
                sent_in_all += 1;
            }
        }
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        for (attempt, status) in attempts.iter().zip(&answers) {
            let Some(status) = *status else { continue };
            let (seen, source) = (&before[attempt.source], &sources[attempt.source]);
            let told = if attempt.right { 200 } else { 403 };
            assert!(
                [told, 429].contains(&status),
                "{attempt:?} was told {status}"
            );
            if status == 200 {
                assert!(seen.told < limit, "told right once the limit was reached");
                let by_total = seen.may_be_familiar || told_before < total;
                assert!(by_total, "told right once the total was reached");
            }
            if status == 429 {
                // A right password needs room for one more failure.
                let needed = u64::from(attempt.right);
                let is_below = source.sent + needed <= limit
                    && (seen.is_familiar || sent_in_all + needed <= total);
                assert!(!is_below, "{attempt:?} was refused below the limit");
            }
        }
        for (n, source) in sources.iter_mut().enumerate() {
            let of_source = |status: u16| {
                let answers = attempts.iter().zip(&answers);
                let mine = answers.filter(|(attempt, _)| attempt.source == n);
                mine.filter(|(_, told)| **told == Some(status)).count() as u64
            };
            let (right, wrong) = (of_source(200), of_source(403));
            let crashed = attempts
                .iter()
                .filter(|attempt| attempt.source == n && attempt.right && attempt.crash.is_some());
            // Each success, told or not, may have cleared the count once.
            let cleared = right + crashed.count() as u64;
            assert!(
                source.told + wrong <= account * (cleared + 1),
                "{source:?} and {wrong}"
            );
            source.told = if cleared > 0 { 0 } else { source.told + wrong };
            source.is_familiar |= right > 0;
            if !source.may_be_familiar {
                told_in_all += wrong;
            }
        }
        assert!(told_in_all <= total, "{told_in_all} of {total} in all");
    }
}

/// The status, or `None` if the process ended.
async fn send(app: &TestApp, attempt: Attempt) -> Option<u16> {
    if let Some((at, after)) = attempt.crash {
        let mut calls = 0;
        app.wire.on_request(move |_, _| {
            calls += 1;
            let silence = [Fault::SilenceBefore, Fault::SilenceAfter];
            (calls >= at).then(|| silence[usize::from(after)].clone())
        });
    }
    let password = if attempt.right { PASSWORD } else { "guess1" };
    let ip = format!("198.51.100.{}", attempt.source);
    tokio::select! {
        answer = app.sign_in_from(&ip, "abc@example.com", password) => Some(answer.status),
        () = app.wire.silenced() => None,
    }
}
