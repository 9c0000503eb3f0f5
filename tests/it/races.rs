//! Races: four instances on several threads against the embedded DynamoDB.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tests::app::{Answer, PASSWORD, TestApp, post};

/// Runs `n` requests concurrently on one task.
async fn race<F>(n: usize, request: impl Fn(usize) -> F) -> Vec<Answer>
where
    F: Future<Output = Answer>,
{
    futures_util::future::join_all((0..n).map(request)).await
}

/// Runs [`race_over`] on empty tables.
pub(crate) async fn race_instances<F>(
    settings: &[(&str, &str)],
    n: usize,
    request: impl Fn(Arc<TestApp>, usize) -> F,
) -> (TestApp, Vec<Answer>)
where
    F: Future<Output = Answer> + Send + 'static,
{
    let app = TestApp::with(settings).await;
    let answers = race_over(&app, settings, n, request).await;
    (app, answers)
}

/// Sends `n` requests concurrently, each from its own task, spread over four instances.
pub(crate) async fn race_over<F>(
    app: &TestApp,
    settings: &[(&str, &str)],
    n: usize,
    request: impl Fn(Arc<TestApp>, usize) -> F,
) -> Vec<Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let instances: Vec<_> = (0..4).map(|_| Arc::new(app.another(settings))).collect();
    let tasks: Vec<_> = (0..n)
        .map(|i| tokio::spawn(request(instances[i % 4].clone(), i)))
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

pub(crate) fn count(answers: &[Answer], status: u16) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status == status)
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_sign_ups_racing_for_one_email_leave_exactly_one_account() {
    let (app, answers) = race_instances(&[], 200, async |app, i| {
        app.sign_up_from(&format!("198.51.{}.1", i / 4), "abc@example.com")
            .await
    })
    .await;

    assert_eq!(count(&answers, 200), 1);
    assert_eq!(count(&answers, 400) + count(&answers, 429), 199);
    assert_eq!(app.account_count().await, 1);
    let keys: Vec<_> = app.users().await.into_keys().collect();
    assert_eq!(keys.len(), 3, "account, claim and session: {keys:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ups_racing_for_one_username_leave_exactly_one_account() {
    let (app, answers) = race_instances(&[], 40, async |app, i| {
        let email = format!("user{i}@example.com");
        let body = json!({"username": "Alice", "email": email, "password": PASSWORD});
        app.call(post("/user", &body)).await
    })
    .await;

    assert_eq!(count(&answers, 200), 1);
    assert_eq!(count(&answers, 400), 39);
    let items = app.users().await.len();
    assert_eq!(items, 4, "the account, its two claims and its session");
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_racing_sign_ups_for_one_email_admit_exactly_ten() {
    let (_, answers) = race_instances(&[], 40, async |app, i| {
        app.sign_up_from(&format!("198.51.100.{i}"), "abc@example.com")
            .await
    })
    .await;

    assert_eq!(count(&answers, 429), 30);
    assert_eq!(count(&answers, 200) + count(&answers, 400), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_racing_sign_ups_from_one_address_create_exactly_fifty_accounts() {
    let (app, answers) = race_instances(&[], 200, async |app, i| {
        app.sign_up(&format!("user{i}@example.com")).await
    })
    .await;

    assert_eq!(count(&answers, 200), 50);
    assert_eq!(count(&answers, 429), 150);
    assert_eq!(app.account_count().await, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_sign_ups_in_a_new_window_are_admitted_exactly_up_to_the_limit() {
    let app = TestApp::new().await;
    for _ in 0..11 {
        app.sign_up("abc@example.com").await;
    }
    app.clock.advance(Duration::from_hours(1));
    let instances: Vec<_> = (0..4).map(|_| app.another(&[])).collect();

    let answers = race(40, |i| {
        let ip = format!("198.51.100.{i}");
        let instance = &instances[i % 4];
        async move { instance.sign_up_from(&ip, "abc@example.com").await }
    })
    .await;

    assert_eq!(count(&answers, 400), 10);
    assert_eq!(count(&answers, 429), 30);
}
