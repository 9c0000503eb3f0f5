//! Concurrent changes of settings, and changes whose response is lost.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::app::{Answer, TestApp};
use tests::wire::Fault;

use crate::profile_settings::{post_settings, settings, with_settings};
use crate::races::race_over;

async fn race(app: &TestApp, token: &str, n: usize, body: impl Fn(usize) -> Value) -> Vec<Answer> {
    race_over(app, &[], n, |app, i| {
        let (token, body) = (token.to_owned(), body(i));
        async move { post_settings(&app, &token, body).await }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_creations_of_settings_all_succeed_with_distinct_ids() {
    let (app, token) = TestApp::with_user().await;

    let answers = race(&app, &token, 20, |i| {
        json!([{"category": "a", "name": i.to_string()}, {"category": "b", "name": i.to_string()}])
    })
    .await;

    assert!(answers.iter().all(|answer| answer.status == 200));
    let all = settings(&app.profile(&token).await);
    assert_eq!(all.len(), 40);
    let ids: BTreeSet<i64> = all.iter().map(|s| s["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, (1..=40).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_creations_of_settings_never_exceed_the_maximum() {
    let (app, token) = TestApp::with_user().await;
    let ninety: Vec<_> = (0..90)
        .map(|i| json!({"category": "a", "name": i.to_string()}))
        .collect();
    post_settings(&app, &token, json!(ninety)).await;

    let answers = race(
        &app,
        &token,
        20,
        |_| json!([{"category": "b", "name": "b"}]),
    )
    .await;

    let succeeded = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(succeeded, 10);
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer.status, 200 | 400))
    );
    assert_eq!(settings(&app.profile(&token).await).len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_changes_of_one_setting_do_not_undo_each_other() {
    let (app, token) = with_settings().await;

    let answers = race(&app, &token, 6, |i| match i {
        0 => json!([{"id": 2, "value": "8"}]),
        1 => json!([{"id": 2, "group": "table"}]),
        2 => json!([{"id": 2, "description": "columns"}]),
        3 => json!([{"id": 2, "category": "view"}]),
        4 => json!([{"id": 2, "name": "width"}]),
        _ => json!([{"id": 1, "value": "light"}]),
    })
    .await;

    assert!(
        answers.iter().all(|answer| answer.status == 200),
        "{answers:?}"
    );
    let all = settings(&app.profile(&token).await);
    let expected = json!({"id": 2, "category": "view", "group": "table", "name": "width",
        "value": "8", "type": "int", "description": "columns", "readOnly": false,
        "userId": all[1]["userId"]});
    assert_eq!(all[1], expected);
    assert_eq!(all[0]["value"], "light");
}

/// Loses DynamoDB's response to the next profile update, so that it is retried.
fn lose_the_answer_to_a_change(app: &TestApp) {
    let mut changes = 0;
    app.wire.on_request(move |_, body| {
        let is_change = body["UpdateExpression"].as_str()?.contains("updated_at");
        changes += usize::from(is_change);
        (is_change && changes == 1).then_some(Fault::LoseAnswer)
    });
}

#[tokio::test]
async fn a_settings_change_is_applied_once_when_its_response_is_lost() {
    let new = json!({"category": "a", "name": "b"});
    for changes in [
        json!([{"id": 1, "value": null}]),
        json!([{"id": 2, "value": "9"}]),
        json!([new]),
        json!([{"id": 1, "value": null}, {"id": 2, "value": "9"}, new]),
        json!([new, new, {"id": 1, "value": ""}]),
    ] {
        let (app, token) = with_settings().await;
        let (twin, twin_token) = with_settings().await;
        let expected = settings(&post_settings(&twin, &twin_token, changes.clone()).await);
        lose_the_answer_to_a_change(&app);

        let answer = post_settings(&app, &token, changes.clone()).await;
        app.wire.heal();

        assert_eq!(answer.status, 200, "{changes} {answer:?}");
        let mut got = settings(&answer);
        for (setting, expected) in got.iter_mut().zip(&expected) {
            setting["userId"] = expected["userId"].clone();
        }
        assert_eq!(got, expected, "{changes}");
        // Each setting was counted once: the account can still be filled up to a hundred.
        let room = (got.len()..100).map(|_| new.clone());
        let rest = post_settings(&app, &token, room.collect()).await;
        assert_eq!(rest.status, 200, "{changes}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_racing_writes_of_one_setting_all_succeed_and_one_value_remains() {
    let (app, token) = with_settings().await;

    let value = |i: usize| json!([{"id": 1, "value": i.to_string()}]);
    let answers = race(&app, &token, 30, value).await;

    assert!(answers.iter().all(|answer| answer.status == 200));
    let all = settings(&app.profile(&token).await);
    let value: usize = all[0]["value"].as_str().unwrap().parse().unwrap();
    assert!(value < 30);
}
