//! The commands in docs/operations.md work.

use local::functions::OPERATORS;
use serde_json::{Value, json};
use tests::app::{PASSWORD, TestApp, get};

fn section(heading: &str) -> &'static str {
    let page = include_str!("../../docs/operations.md");
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap()
}

#[tokio::test]
async fn each_documented_command_on_an_account_succeeds() {
    let app = TestApp::new().await;
    let id = app.sign_up("ada@example.com").await.text("/user/id");
    let mut functions = Vec::new();

    for row in section("Accounts")
        .lines()
        .filter(|line| line.starts_with("| `operate "))
    {
        let command = row.split('`').nth(1).unwrap().replace("<id>", &id);
        let (function, payload) = command["operate ".len()..].split_once(' ').unwrap();
        let request = serde_json::from_str(payload.trim_matches('\'')).unwrap();
        // The only administrator.
        let done = match function {
            "disable-account" | "delete-account" => {
                app.operate(function, with_force(request)).await
            }
            _ => app.operate(function, request).await,
        };
        assert!(done.is_ok(), "{command}: {done:?}");
        functions.push(function.to_owned());
    }

    let all = OPERATORS.iter().map(|operator| operator.name);
    let of_accounts: Vec<_> = all.filter(|name| *name != "rotate-keys").collect();
    assert_eq!(functions, of_accounts);
}

fn with_force(mut request: Value) -> Value {
    request["force"] = json!(true);
    request
}

#[tokio::test]
async fn the_documented_command_ends_the_sessions_and_keys_of_one_account() {
    let command = "operate end-sessions '";
    let (_, payload) = section("Accounts").split_once(command).unwrap();
    let payload = payload.split('\'').next().unwrap();
    let (app, token) = TestApp::with_user().await;
    let other = app.sign_up("other@example.com").await.token();
    let session = app.log_in("abc@example.com", PASSWORD).await.token();
    let key = app.api_key(&token, 1).await;
    let id = app.user_id(&token).await;

    let request = serde_json::from_str(&payload.replace("<id>", &id)).unwrap();
    let ended = app.operate("end-sessions", request).await;

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
            "there is no such account",
        ),
        (
            json!({"id": "abc@example.com"}),
            "an id is 24 hexadecimal digits, lower case",
        ),
    ] {
        let ended = app.operate("end-sessions", request).await;
        assert_eq!(ended, Err(refusal.to_owned()));
    }
    for request in [json!({}), json!({"id": "x", "email": "abc@example.com"})] {
        let ended = app.operate("end-sessions", request).await;
        assert!(ended.is_err());
    }
    assert_eq!(app.user(&token).await.status, 200);
}
