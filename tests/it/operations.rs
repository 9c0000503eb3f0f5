//! The commands in docs/operations.md work.

use serde_json::Value;
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
async fn the_documented_command_ends_the_sessions_of_one_account() {
    let command = section("End the sessions of one account");
    let json = |name| serde_json::from_str::<Value>(option(command, name)).unwrap();
    let (app, token) = TestApp::with_user().await;
    let other = app.sign_up("other@example.com").await.token();
    let session = app.log_in("abc@example.com", PASSWORD).await.token();
    let key = app.api_key(&token, 1).await;
    let user = app.user(&token).await;
    let id = user.body["id"].as_str().unwrap();

    let named = json("key");
    let [pk, sk] = ["pk", "sk"].map(|name| named[name]["S"].as_str().unwrap());
    let account = format!("{}/{sk}", pk.replace("<id>", id));
    let update = option(command, "update-expression");
    let condition = option(command, "condition-expression");
    let one = json("expression-attribute-values")[":one"]["N"].clone();
    let one = (":one", one.as_str().unwrap());
    app.update_user(&account, update, condition, one).await;

    for ended in [&token, &session] {
        assert_eq!(app.user(ended).await.message(), "Bad token");
        assert_eq!(app.another(&[]).user(ended).await.status, 401);
    }
    assert_eq!(app.user(&other).await.status, 200);
    assert_eq!(app.call(get("/user").api_key(&key)).await.status, 200);
    let anew = app.sign_in("abc@example.com", PASSWORD).await.token();
    assert_eq!(app.user(&anew).await.status, 200);
}
