//! DynamoDB throttles, times out, fails or reports conflicts: faults injected under the real SDK.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tests::app::{Answer, PASSWORD, TestApp};
use tests::wire::Fault;

use crate::events::good_requests;

fn assert_unavailable(answer: &Answer) {
    answer.assert_refused(
        503,
        "Service Unavailable",
        "Service temporarily unavailable. Please try again later.",
    );
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn endpoints_answer_503_while_dynamodb_is_unavailable_and_then_recover() {
    for fault in [
        Fault::throttled(),
        Fault::broken(),
        Fault::Break,
        Fault::Truncate,
    ] {
        let (app, token) = TestApp::with_user().await;
        let all = fault.clone();
        app.wire.on_request(move |_, _| Some(all.clone()));

        assert_unavailable(&app.user(&token).await);
        assert_unavailable(&app.sign_in("abc@example.com", PASSWORD).await);
        assert_unavailable(&app.sign_up("def@example.com").await);

        app.wire.heal();
        assert_eq!(app.user(&token).await.status, 200);
        assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);
        assert_eq!(app.sign_up("def@example.com").await.status, 200);
    }
}

#[tokio::test]
async fn if_any_dynamodb_call_of_a_route_fails_it_answers_503_and_a_retry_succeeds() {
    let routes = good_requests("").len();
    for route in 0..routes {
        for failing in 1.. {
            let (app, token) = TestApp::with_administrator().await;
            app.api_key(&token, 1).await;
            let mut calls = 0;
            app.wire.on_request(move |_, _| {
                calls += 1;
                (calls >= failing).then(Fault::broken)
            });

            let answer = app.call(good_requests(&token).swap_remove(route)).await;
            if answer.status == 200 {
                break;
            }
            assert_eq!(answer.status, 503, "route {route}, call {failing}");
            assert_eq!(answer.header("retry-after"), Some("1"));

            app.wire.heal();
            let again = app.call(good_requests(&token).swap_remove(route)).await;
            assert_eq!(
                again.status, 200,
                "route {route}, call {failing}: {again:?}"
            );
        }
    }
}

#[tokio::test]
async fn every_write_is_retried_after_a_transaction_conflict() {
    let routes = good_requests("").len();
    for route in 0..routes {
        let (app, token) = TestApp::with_administrator().await;
        app.api_key(&token, 1).await;
        let mut seen = BTreeSet::new();
        app.wire.on_request(move |operation, body| {
            let mut body = body.clone();
            body["ClientRequestToken"].take();
            let is_first = seen.insert(body.to_string());
            match operation {
                "TransactWriteItems" if is_first => {
                    Some(Fault::cancelled(&["None", "TransactionConflict"]))
                }
                "PutItem" | "UpdateItem" | "DeleteItem" if is_first => {
                    Some(Fault::service_error("TransactionConflictException"))
                }
                _ => None,
            }
        });

        let answer = app.call(good_requests(&token).swap_remove(route)).await;

        assert_eq!(answer.status, 200, "route {route}: {answer:?}");
    }
}

#[tokio::test]
async fn a_throttled_write_is_retried() {
    for operation in ["UpdateItem", "TransactWriteItems"] {
        let app = TestApp::new().await;
        app.wire.fail_next(operation, 2, Fault::throttled());

        assert_eq!(
            app.sign_up("abc@example.com").await.status,
            200,
            "{operation}"
        );
    }
}

#[tokio::test]
async fn a_request_answers_503_if_dynamodb_does_not_respond_in_time() {
    let (app, token) = TestApp::with_short_timeout().await;
    app.wire.on_request(|_, _| Some(Fault::SilenceBefore));

    assert_unavailable(&app.user(&token).await);
}

#[tokio::test]
async fn an_access_denied_error_answers_500_without_details() {
    let (app, token) = TestApp::with_user().await;
    let denied = "AccessDeniedException";
    app.wire
        .on_request(move |_, _| Some(Fault::service_error(denied)));

    let answer = app.user(&token).await;

    answer.assert_refused(
        500,
        "Internal Server Error",
        "An internal server error occurred",
    );
}

#[tokio::test]
async fn an_item_with_a_missing_attribute_is_an_error_and_gets_no_default() {
    let (app, token) = TestApp::with_user().await;
    let mut account = app.account_item().await;
    account.remove("scope");
    app.tamper(&app.app.config.tables.users, account).await;

    assert_eq!(app.user(&token).await.status, 500);
}

#[tokio::test]
async fn a_transaction_conflict_is_retried_and_is_not_answered_already_exists() {
    for reasons in [
        ["None", "TransactionConflict"],
        ["TransactionConflict", "None"],
        ["None", "ThrottlingError"],
    ] {
        let app = TestApp::new().await;
        app.wire
            .fail_next("TransactWriteItems", 3, Fault::cancelled(&reasons));
        assert_eq!(
            app.sign_up("abc@example.com").await.status,
            200,
            "{reasons:?}"
        );

        app.wire
            .fail_next("TransactWriteItems", 100, Fault::cancelled(&reasons));
        assert_unavailable(&app.sign_up("def@example.com").await);
        assert_eq!(app.account_count().await, 1);
    }
}

#[tokio::test]
async fn a_failed_condition_takes_precedence_over_a_conflict() {
    let app = TestApp::new().await;
    let reasons = ["TransactionConflict", "ConditionalCheckFailed"];
    app.wire
        .fail_next("TransactWriteItems", 1, Fault::cancelled(&reasons));

    assert_eq!(app.sign_up("abc@example.com").await.status, 400);
}

#[tokio::test]
async fn a_conflict_on_a_single_write_is_retried() {
    let conflict = Fault::service_error("TransactionConflictException");
    let (app, _) = TestApp::with_user().await;
    app.wire.fail_next("UpdateItem", 3, conflict.clone());
    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);

    app.wire.fail_next("UpdateItem", 100, conflict);
    assert_unavailable(&app.sign_in("abc@example.com", PASSWORD).await);
}

#[tokio::test]
async fn a_user_id_that_is_taken_is_generated_again() {
    let app = TestApp::new().await;
    let reasons = ["ConditionalCheckFailed", "None"];
    app.wire
        .fail_next("TransactWriteItems", 1, Fault::cancelled(&reasons));
    assert_eq!(app.sign_up("abc@example.com").await.status, 200);

    app.wire
        .fail_next("TransactWriteItems", 100, Fault::cancelled(&reasons));
    assert_eq!(app.sign_up("def@example.com").await.status, 500);
}

#[tokio::test]
async fn any_5xx_error_of_dynamodb_answers_503() {
    let (app, token) = TestApp::with_user().await;
    for body in [
        json!({"__type": "com.amazon#InternalFailure"}),
        json!({}),
        json!("<html>"),
    ] {
        app.wire
            .fail_next("BatchGetItem", 100, Fault::Answer(503, body));

        assert_unavailable(&app.user(&token).await);
    }
}

#[tokio::test]
async fn a_claim_that_differs_from_its_account_signs_nobody_in() {
    for attribute in ["password_version", "session_generation"] {
        let (app, _) = TestApp::with_user().await;
        let mut account = app.account_item().await;
        let other = AttributeValue::N("2".to_owned());
        account.insert(attribute.to_owned(), other);
        app.tamper(&app.app.config.tables.users, account).await;
        let sessions = app.session_keys().await;

        assert_unavailable(&app.sign_in("abc@example.com", PASSWORD).await);

        assert_eq!(app.session_keys().await, sessions);
    }
}

#[tokio::test]
async fn a_counter_of_an_unknown_version_answers_500() {
    let app = TestApp::new().await;
    app.sign_up("abc@example.com").await;
    let table = &app.app.config.tables.rate_limits;
    let mut counter = app.items(table).await["sign-up-ip#192.0.2.1"].clone();
    counter.insert("v".to_owned(), AttributeValue::N("2".to_owned()));
    app.tamper(table, counter).await;

    assert_eq!(app.sign_up("def@example.com").await.status, 500);
}

#[tokio::test]
async fn unprocessed_keys_of_a_batch_read_are_requested_again() {
    let (app, token) = TestApp::with_user().await;
    // The answer contains the account, and reports the session as unprocessed.
    let without_session: fn(&mut Value) = |answer| {
        let items = answer["Responses"]["latchkey-users"].as_array_mut();
        let items = items.unwrap();
        let is_session = |item: &Value| item["pk"]["S"].as_str().unwrap().starts_with("session#");
        let at = items.iter().position(is_session).unwrap();
        let session = items.remove(at);
        let key = json!({"pk": session["pk"], "sk": session["sk"]});
        answer["UnprocessedKeys"] = json!({"latchkey-users": {"Keys": [key]}});
    };
    app.wire
        .fail_next("BatchGetItem", 1, Fault::Change(without_session));
    assert_eq!(app.user(&token).await.status, 200);

    app.wire.fail_next(
        "BatchGetItem",
        100,
        Fault::Change(|answer| {
            answer["Responses"] = json!({});
            let key = json!({"pk": {"S": "session#x"}, "sk": {"S": "x"}});
            answer["UnprocessedKeys"] = json!({"latchkey-users": {"Keys": [key]}});
        }),
    );
    assert_unavailable(&app.user(&token).await);
}

#[tokio::test]
async fn a_sign_in_that_answers_503_does_not_count_as_an_attempt() {
    let app = TestApp::with(&[("SIGNIN_RATE_LIMIT_ACCOUNT", "1")]).await;
    app.sign_up("abc@example.com").await;
    for _ in 0..5 {
        app.wire.fail_next("GetItem", 100, Fault::broken());
        assert_unavailable(&app.sign_in("abc@example.com", PASSWORD).await);
    }

    app.wire.heal();

    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);
}
