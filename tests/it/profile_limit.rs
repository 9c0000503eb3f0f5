//! The limit of profile updates.

use std::time::Duration;

use serde_json::{Value, json};
use tests::app::{TestApp, get, post};
use tests::wire::Fault;

use crate::races::race_over;

const LIMIT_OF_3: [(&str, &str); 1] = [("PROFILE_RATE_LIMIT", "3")];

fn city(n: usize) -> Value {
    json!({"city": n.to_string()})
}

#[tokio::test]
async fn the_sixty_first_update_of_a_profile_in_a_minute_is_refused() {
    let (app, token) = TestApp::with_user().await;
    for n in 0..60 {
        app.clock.advance(Duration::from_millis(500));
        assert_eq!(app.update_profile(&token, city(n)).await.status, 200);
    }

    let refused = app.another(&[]).update_profile(&token, city(60)).await;

    assert_eq!(refused.status, 429);
    assert_eq!(refused.body["code"], 4004);
    assert_eq!(
        refused.message(),
        "Too many updates. Please try again later."
    );
    assert_eq!(refused.header("retry-after"), Some("31"));
    assert!(refused.header("ratelimit").is_none());
    assert_eq!(app.profile(&token).await.body["user"]["city"], "59");
    let other = app.sign_up("def@example.com").await.token();
    assert_eq!(app.update_profile(&other, city(1)).await.status, 200);
    app.clock.advance(Duration::from_millis(30_500));
    assert_eq!(app.update_profile(&token, city(61)).await.status, 200);
}

#[tokio::test]
async fn updates_beyond_the_limit_cause_no_writes_once_the_instance_knows() {
    let (app, token) = TestApp::with_user().await;
    let app = app.another(&LIMIT_OF_3);
    for n in 0..4 {
        app.update_profile(&token, city(n)).await;
    }
    let _ = app.cost();

    for n in 0..10 {
        assert_eq!(app.update_profile(&token, city(n)).await.status, 429);
    }

    assert!(app.cost().write_units < 0.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_racing_updates_exactly_the_limit_are_written() {
    let (app, token) = TestApp::with_user().await;

    let answers = race_over(&app, &LIMIT_OF_3, 12, |app, n| {
        let token = token.clone();
        async move { app.update_profile(&token, city(n)).await }
    })
    .await;

    let of = |status| answers.iter().filter(|a| a.status == status).count();
    assert_eq!((of(200), of(429)), (3, 9), "{answers:?}");
}

#[tokio::test]
async fn requests_that_fail_an_earlier_check_do_not_count_as_updates() {
    let (app, token) = TestApp::with_user().await;
    let read_only = app.api_key(&token, 1).await;
    let app = app.another(&[("PROFILE_RATE_LIMIT", "1")]);
    let update = || post("/v1/auth/user", &json!({"user": {"city": "x"}}));

    for _ in 0..2 {
        assert_eq!(app.call(update()).await.status, 401);
        assert_eq!(app.call(update().bearer("a.b.c")).await.status, 401);
        assert_eq!(app.call(update().api_key(&read_only)).await.status, 403);
        let invalid = app.update_profile(&token, json!({"city": 7})).await;
        assert_eq!(invalid.status, 400);
    }

    assert_eq!(app.update_profile(&token, city(1)).await.status, 200);
    // Invalid requests are still told so, and read-only keys that they are.
    let invalid = app.update_profile(&token, json!({"city": 7})).await;
    assert_eq!(invalid.status, 400);
    assert_eq!(app.update_profile(&token, city(2)).await.status, 429);
    assert_eq!(app.call(update().api_key(&read_only)).await.status, 403);
}

#[tokio::test]
async fn a_signed_out_token_cannot_use_up_the_limit_of_its_account() {
    let (app, stolen) = TestApp::with_user().await;
    let token = app.log_in("abc@example.com", tests::app::PASSWORD).await;
    let token = token.token();
    assert_eq!(app.log_out(&stolen).await.status, 200);
    let app = app.another(&LIMIT_OF_3);
    app.update_profile(&stolen, city(0)).await;
    let _ = app.cost();

    for n in 0..10 {
        assert_eq!(app.update_profile(&stolen, city(n)).await.status, 401);
    }

    assert!(app.cost().write_units < 0.1);
    assert_eq!(app.update_profile(&token, city(1)).await.status, 200);
    assert_eq!(app.update_profile(&token, city(2)).await.status, 200);
    assert_eq!(app.update_profile(&token, city(3)).await.status, 429);
}

#[tokio::test]
async fn many_ended_sessions_cannot_use_up_the_limit_of_their_account() {
    let (app, token) = TestApp::with_user().await;
    let mut stolen = Vec::new();
    for _ in 0..5 {
        let log_in = app.log_in("abc@example.com", tests::app::PASSWORD).await;
        stolen.push(log_in.token());
    }
    for token in &stolen {
        assert_eq!(app.log_out(token).await.status, 200);
    }
    let app = app.another(&LIMIT_OF_3);

    for token in &stolen {
        assert_eq!(app.update_profile(token, city(0)).await.status, 401);
    }

    assert_eq!(app.update_profile(&token, city(1)).await.status, 200);
    assert_eq!(app.update_profile(&token, city(2)).await.status, 200);
    assert_eq!(app.update_profile(&token, city(3)).await.status, 429);
}

#[tokio::test]
async fn an_ended_api_key_cannot_use_up_the_limit_of_its_account() {
    let (app, token) = TestApp::with_user().await;
    let stolen = app.api_key(&token, 15).await;
    let (old, new) = (tests::app::PASSWORD, "battery-staple-7");
    let change = json!({"oldPassword": old, "newPassword": new, "revokeApiKeys": true});
    let change = post("/user/change-password", &change).bearer(&token);
    assert_eq!(app.call(change).await.status, 200);
    let app = app.another(&LIMIT_OF_3);
    let update = || post("/v1/auth/user", &json!({"user": {"city": "x"}})).api_key(&stolen);
    app.call(update()).await;
    let _ = app.cost();

    for _ in 0..10 {
        assert_eq!(app.call(update()).await.status, 401);
    }

    assert!(app.cost().write_units < 0.1);
    assert_eq!(app.update_profile(&token, city(1)).await.status, 200);
    assert_eq!(app.update_profile(&token, city(2)).await.status, 200);
    assert_eq!(app.update_profile(&token, city(3)).await.status, 429);
}

#[tokio::test]
async fn a_profile_on_several_pages_is_read_whole() {
    let (app, token) = TestApp::with_user().await;
    let setting = json!({"category": "a", "name": "b"});
    let user = json!({"city": "Berlin", "notes": "x", "settings": [setting, setting]});
    assert_eq!(app.update_profile(&token, user).await.status, 200);
    let expected = app.profile(&token).await.body;
    let mut pages = 0;
    app.wire.on_request(move |operation, _| {
        let is_cut = operation == "Query" && pages < 2;
        pages += usize::from(is_cut);
        is_cut.then_some(Fault::Change(cut_to_one_item))
    });

    let read = app.call(get("/v1/auth/user").bearer(&token)).await;

    assert_eq!(read.body, expected);
}

/// Leaves the first item of a page, and says that there are more.
fn cut_to_one_item(page: &mut Value) {
    let items = page["Items"].as_array_mut().unwrap();
    items.truncate(1);
    let (pk, sk) = (items[0]["pk"].clone(), items[0]["sk"].clone());
    page["Count"] = json!(1);
    page["LastEvaluatedKey"] = json!({"pk": pk, "sk": sk});
}
