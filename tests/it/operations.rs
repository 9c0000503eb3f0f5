//! The commands in docs/operations.md work.

use local::functions::operate;
use serde_json::json;
use tests::app::{PASSWORD, TestApp, get};

fn section(heading: &str) -> &'static str {
    let page = include_str!("../../docs/operations.md");
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap()
}

/// The quoted value of an option in a command.
fn option<'c>(command: &'c str, name: &str) -> &'c str {
    let (_, rest) = command.split_once(&format!("--{name} '")).unwrap();
    rest.split_once('\'').unwrap().0
}

#[tokio::test]
async fn the_documented_command_ends_the_sessions_and_keys_of_one_account() {
    let command = section("End the sessions of one account");
    assert!(command.contains("--function-name $STACK-end-sessions"));
    let (app, token) = TestApp::with_user().await;
    let other = app.sign_up("other@example.com").await.token();
    let session = app.log_in("abc@example.com", PASSWORD).await.token();
    let key = app.api_key(&token, 1).await;
    let id = app.user_id(&token).await;

    let payload = option(command, "payload").replace("<id>", &id);
    let request = serde_json::from_str(&payload).unwrap();
    let ended = operate("end-sessions", &app.app, request).await.unwrap();

    assert_eq!(ended, Ok(json!({"id": id, "apiKeys": true})));
    for ended in [&token, &session] {
        assert_eq!(app.user(ended).await.message(), "Bad token");
        assert_eq!(app.another(&[]).user(ended).await.status, 401);
    }
    let by_key = app.call(get("/user").api_key(&key)).await;
    assert_eq!(by_key.message(), "Invalid API key");
    assert_eq!(app.user(&other).await.status, 200);
    let anew = app.sign_in("abc@example.com", PASSWORD).await.token();
    assert_eq!(app.user(&anew).await.status, 200);
    assert_eq!(app.api_keys(&anew).await[0]["revoked"], true);
    let new_key = app.api_key(&anew, 1).await;
    let by_key = app.call(get("/user").api_key(&new_key)).await;
    assert_eq!(by_key.status, 200);
}

#[tokio::test]
async fn ending_sessions_is_refused_without_a_known_account() {
    let (app, token) = TestApp::with_user().await;

    for (request, refusal) in [
        (
            json!({"id": "000000000000000000000000"}),
            "no account has this id",
        ),
        (
            json!({"id": "abc@example.com"}),
            "an id is 24 hexadecimal digits, lower case",
        ),
    ] {
        let ended = operate("end-sessions", &app.app, request).await.unwrap();
        assert_eq!(ended, Err(refusal.to_owned()));
    }
    for request in [json!({}), json!({"id": "x", "email": "abc@example.com"})] {
        let ended = operate("end-sessions", &app.app, request).await.unwrap();
        assert!(ended.is_err());
    }
    assert_eq!(app.user(&token).await.status, 200);
}
