//! Log lines and metrics. Every test also checks, at its end, that no secret was logged.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tests::app::{PASSWORD, TestApp, get, post};
use tests::logs::capture;
use tests::wire::Fault;

use crate::key_rotation::{MINUTE, fresh_token, rotate, secrets, two_instances, with_secret};

/// The name and dimensions of each metric that CloudWatch extracts from a line.
///
/// Panics unless each metric is a number in the line, and each dimension a string.
fn metrics(line: &Value) -> BTreeSet<String> {
    let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
    assert!(line["_aws"]["Timestamp"].is_i64(), "{line}");
    let mut found = BTreeSet::new();
    for directive in directives {
        assert_eq!(directive["Namespace"], "Latchkey");
        for metric in directive["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            assert!(line[name].is_number(), "{name}: {line}");
            for dimensions in directive["Dimensions"].as_array().unwrap() {
                let dimensions = dimensions.as_array().unwrap();
                let dimensions = dimensions.iter().map(|dimension| {
                    let dimension = dimension.as_str().unwrap();
                    let value = line[dimension].as_str().unwrap();
                    format!(" {dimension}={value}")
                });
                found.insert(format!("{name}{}", dimensions.collect::<String>()));
            }
        }
    }
    found
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[tokio::test]
async fn each_request_logs_one_line_with_its_account_and_status() {
    let app = TestApp::new().await;
    let (lines, _guard) = capture();

    let signed_up = app.sign_up("abc@example.com").await;
    app.user(&signed_up.token()).await;

    let lines = lines.take();
    let [first, second] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert_eq!(first["route"], "POST /user");
    assert_eq!(first["cold_start"], true);
    assert_eq!(second["cold_start"], Value::Null);
    assert_ne!(first["request_id"], second["request_id"]);
    for line in [first, second] {
        // docs/costs.md assumes this size.
        assert!(line.to_string().len() < tests::money::LINE, "{line}");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["status"], 200);
        assert_eq!(line["account"], signed_up.body["user"]["id"]);
        assert!(line["latency"].as_f64().unwrap() > 0.0);
    }
}

#[tokio::test]
async fn the_log_line_of_a_request_contains_its_metrics() {
    let app = TestApp::with(&[("SIGNIN_RATE_LIMIT_ACCOUNT", "1")]).await;
    let (lines, _guard) = capture();

    let token = app.sign_up("abc@example.com").await.token();
    app.sign_in("abc@example.com", PASSWORD).await;
    app.log_in("abc@example.com", PASSWORD).await;
    app.sign_in("abc@example.com", "incorrect").await;
    app.sign_in("abc@example.com", PASSWORD).await;
    app.call(get("/user")).await;
    app.call(post("/user", &json!({"email": "x"})).bearer(&token))
        .await;

    let counted: Vec<_> = lines.take().iter().map(metrics).collect();
    let sign_in = "latency stack=latchkey route=POST /user/auth";
    assert_eq!(
        counted,
        [
            set([
                "latency stack=latchkey route=POST /user",
                "sign_ups stack=latchkey"
            ]),
            set([sign_in, "sign_ins stack=latchkey"]),
            set([
                "latency stack=latchkey route=POST /v1/auth/login",
                "sign_ins stack=latchkey"
            ]),
            set([sign_in, "failures stack=latchkey reason=InvalidCredentials"]),
            set([
                sign_in,
                "refusals stack=latchkey",
                "refusals stack=latchkey limit=sign-in-account"
            ]),
            set([
                "latency stack=latchkey route=GET /user",
                "failures stack=latchkey reason=NoCredentials"
            ]),
            set([
                "latency stack=latchkey route=POST /user",
                "failures stack=latchkey reason=InvalidField"
            ]),
        ]
    );
}

#[tokio::test]
async fn a_failed_sign_in_logs_the_account_or_a_pseudonym_of_the_identifier() {
    let (app, token) = TestApp::with_user().await;
    let id = app.user_id(&token).await;
    let secrets = secrets().await;
    rotate(&with_secret(&app, &secrets, &[]), "version-1").await;
    let one = with_secret(&app, &secrets, &[]);
    let other = with_secret(&app, &secrets, &[]);
    let (lines, _guard) = capture();

    one.sign_in("abc@example.com", "guess1").await;
    one.sign_in("nobody@example.com", "guess1").await;
    other.log_in("NOBODY@example.com", "guess2").await;
    one.sign_in("no body", "guess1").await;

    let lines = lines.take();
    let [known, unknown, again, invalid] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert_eq!(known["account"], json!(id));
    assert_eq!(known["pseudonym"], Value::Null);
    for line in [unknown, again, invalid] {
        assert_eq!(line["account"], Value::Null);
        assert_eq!(line["pseudonym"].as_str().unwrap().len(), 16);
        assert!(!line.to_string().to_lowercase().contains("body"), "{line}");
    }
    assert_eq!(unknown["pseudonym"], again["pseudonym"]);
    assert_ne!(unknown["pseudonym"], invalid["pseudonym"]);
}

#[tokio::test]
async fn a_server_error_logs_one_line_with_its_cause() {
    let (app, token) = TestApp::with_user().await;
    let (lines, _guard) = capture();
    let fault = Fault::Answer(500, json!({"__type": "InternalServerError"}));
    app.wire.fail_next("BatchGetItem", usize::MAX, fault);

    assert_eq!(app.user(&token).await.status, 503);

    let mut lines = lines.take();
    // The SDK also logs a warning, because an injected fault has no connection.
    lines.retain(|line| line["fields"]["message"].is_null());
    let [line] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["status"], 503);
    assert_eq!(line["retries"], 2);
    let cause = line["error"].as_str().unwrap();
    assert!(cause.contains("service error"), "{cause}");
    assert!(metrics(line).contains("failures stack=latchkey reason=Unavailable"));
    assert!(metrics(line).contains("retries stack=latchkey"));
}

#[tokio::test]
async fn a_failed_reload_of_the_key_ring_is_counted_and_logged_as_a_warning() {
    let app = TestApp::new().await;
    let app = with_secret(&app, &secrets().await, &[]);
    let token = app.sign_up("abc@example.com").await.token();
    app.clock.advance(Duration::from_mins(5));
    let fault = Fault::Answer(400, json!({"__type": "AccessDeniedException"}));
    app.wire.fail_next("GetSecretValue", usize::MAX, fault);
    let (lines, _guard) = capture();

    assert_eq!(app.user(&token).await.status, 200);

    let mut lines = lines.take();
    let request = lines.pop().unwrap();
    assert!(metrics(&request).contains("rings_unread stack=latchkey"));
    let warning = lines.pop().unwrap();
    assert_eq!(warning["level"], "WARN");
    assert_eq!(warning["fields"]["request_id"], request["request_id"]);
}

#[tokio::test]
async fn the_age_of_the_key_ring_is_a_metric_of_the_first_request_after_each_read() {
    const DAY: Duration = Duration::from_hours(24);
    let (app, other, operator) = two_instances(&[]).await;
    let (lines, _guard) = capture();
    let ages = || {
        let mut lines = lines.take();
        // An operator function logs no metrics.
        lines.retain(|line| line["route"].is_string());
        let reports = |line: &Value| metrics(line).contains("ring_age_days stack=latchkey");
        let age = |line: &Value| reports(line).then(|| line["ring_age_days"].as_u64().unwrap());
        lines.iter().map(age).collect::<Vec<_>>()
    };
    fresh_token(&app).await;
    assert_eq!(ages(), [None], "a ring that was never rotated has no age");

    rotate(&operator, "version-1").await;
    app.clock.advance(31 * DAY);
    for instance in [&app, &other] {
        fresh_token(instance).await;
        fresh_token(instance).await;
        assert_eq!(ages(), [Some(31), None]);
    }
    rotate(&operator, "version-2").await;
    app.clock.advance(DAY.saturating_sub(MINUTE));
    fresh_token(&app).await;
    assert_eq!(ages(), [Some(0)]);

    let in_file = app.another(&[]);
    fresh_token(&in_file).await;
    assert_eq!(ages(), [None], "nothing rotates a file");
}

/// The tests above check that these metrics exist.
#[test]
fn alarms_use_only_metrics_that_exist() {
    // An expression's metrics are indented more.
    let template = include_str!("../../template.yaml");
    let alarmed: BTreeSet<&str> = template
        .split(" Namespace: Latchkey\n")
        .skip(1)
        .map(|alarm| {
            let (name, rest) = alarm.trim_start().split_once('\n').unwrap();
            let name = name.strip_prefix("MetricName: ").unwrap();
            let stack = "{ Name: stack, Value: { Ref: \"AWS::StackName\" } }";
            let allowed = match name {
                "failures" => &["{ Name: reason, Value: InvalidCredentials }"][..],
                "refusals" => &["", "{ Name: limit, Value: sign-in-total }"],
                _ => &[""],
            };
            let is_allowed = |other: &&str| {
                let separator = if other.is_empty() { "" } else { ", " };
                rest.trim_start()
                    .starts_with(&format!("Dimensions: [{stack}{separator}{other}]\n"))
            };
            assert!(allowed.iter().any(is_allowed), "{rest}");
            name
        })
        .collect();

    assert_eq!(
        alarmed,
        BTreeSet::from([
            "failures",
            "refresh_reuses",
            "refusals",
            "retries",
            "ring_age_days",
            "rings_unread"
        ])
    );
    assert!(template.contains("STACK_NAME: { Ref: \"AWS::StackName\" }"));
}

#[tokio::test]
async fn a_dynamodb_call_that_succeeds_on_its_second_attempt_counts_one_retry() {
    let (app, token) = TestApp::with_user().await;
    let (lines, _guard) = capture();
    app.wire.fail_next("BatchGetItem", 1, Fault::Break);

    assert_eq!(app.user(&token).await.status, 200);

    assert_eq!(lines.take()[0]["retries"], 1);
}

#[test]
fn operations_md_says_what_to_do_about_each_alarm() {
    let template = include_str!("../../template.yaml");
    let page = include_str!("../../docs/operations.md");
    let (_, section) = page.split_once("\n## Alarms\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let documented: BTreeSet<&str> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name)
        .collect();

    let alarms = template
        .split("Alarm:\n    Type: AWS::CloudWatch::Alarm\n")
        .filter_map(|before| before.rsplit("\n  ").next())
        .collect::<Vec<_>>();
    let (_, alarms) = alarms.split_last().unwrap();

    assert!(alarms.len() > 9, "{alarms:?}");
    assert_eq!(documented, alarms.iter().copied().collect());
}
