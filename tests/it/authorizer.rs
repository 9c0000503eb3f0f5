//! The Lambda authorizer for API Gateways of other stacks.

use serde_json::{Value, json};
use tests::app::{PASSWORD, TestApp, post};
use tests::wire::Fault;

use crate::scene::Scene;

const ARN: &str = "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/prod/GET/orders";

/// The event of an HTTP API, with payload 2.0.
fn http_event(headers: &Value) -> Value {
    let context = json!({"http": {"method": "GET", "path": "/orders", "sourceIp": "192.0.2.1"}});
    json!({"version": "2.0", "type": "REQUEST", "headers": headers, "requestContext": context})
}

fn bearer(token: &str) -> Value {
    json!({ "authorization": format!("Bearer {token}") })
}

async fn authorize(app: &TestApp, event: Value) -> Value {
    app.operate("authorize", event).await.unwrap()
}

async fn is_authorized(app: &TestApp, headers: &Value) -> bool {
    let response = authorize(app, http_event(headers)).await;
    let keys: Vec<_> = response.as_object().unwrap().keys().collect();
    let is_authorized = response["isAuthorized"] == true;
    let expected: &[&str] = if is_authorized {
        &["context", "isAuthorized"]
    } else {
        &["isAuthorized"]
    };
    assert_eq!(keys, expected);
    is_authorized
}

#[tokio::test]
async fn a_token_is_authorized_with_its_account_as_strings() {
    let scene = Scene::with(&[], "ana").await;
    let scopes = json!({"id": scene.id, "scopes": ["user", "orders:read"]});
    scene.app.operate("grant-scopes", scopes).await.unwrap();

    let response = authorize(&scene.app, http_event(&bearer(&scene.token))).await;

    let context = json!({
        "id": scene.id,
        "email": "ana@example.com",
        "username": "ana",
        "scope": "user orders:read",
    });
    assert_eq!(response, json!({"isAuthorized": true, "context": context}));
}

#[tokio::test]
async fn what_get_user_refuses_is_not_authorized() {
    let scene = Scene::with(&[], "ana").await;
    let (app, token) = (&scene.app, &scene.token);
    let key = app.api_key(token, 1).await;
    let writing = app.api_key(token, 2).await;
    let two = format!("Bearer {token},Bearer {token}");
    for (headers, expected) in [
        (bearer(token), true),
        (json!({ "Authorization": format!("bearer  {token}") }), true),
        (json!({ "x-api-key": key }), true),
        (json!({ "X-Api-Key": key }), true),
        (json!({ "x-api-key": writing }), false),
        (
            json!({ "x-api-key": "api_ABCDEFGHIJKLMNOPQRSTUVWX" }),
            false,
        ),
        (
            json!({"authorization": format!("Bearer {token}"), "x-api-key": "x"}),
            false,
        ),
        (
            json!({"authorization": format!("Bearer {token}"), "x-api-key": "a\nb"}),
            false,
        ),
        (json!({ "authorization": two }), false),
        (
            json!({"authorization": format!("Bearer {token}"), "Authorization": "Bearer x"}),
            false,
        ),
        (json!({ "AUTHORIZATION": format!("Bearer {token}") }), true),
        (json!({ "authorization": token }), false),
        (json!({ "authorization": "Basic YTpi" }), false),
        (bearer(&format!("{token}x")), false),
        (bearer("x.y.z"), false),
        (json!({ "authorization": "" }), false),
        (json!({ "cookie": token }), false),
        (json!({}), false),
        (Value::Null, false),
    ] {
        assert_eq!(is_authorized(app, &headers).await, expected, "{headers}");
    }
}

#[tokio::test]
async fn a_token_is_refused_at_the_first_request_after_its_session_ended() {
    for end in [
        "log-out",
        "revoke",
        "end-sessions",
        "disable-account",
        "delete-account",
        "expiry",
    ] {
        let scene = Scene::with(&[], "ana").await;
        let (app, token) = (&scene.app, &scene.token);
        assert!(is_authorized(app, &bearer(token)).await);
        scene.end(end).await;

        let elsewhere = app.another(&[]);
        assert!(!is_authorized(&elsewhere, &bearer(token)).await, "{end}");
        assert!(!is_authorized(app, &bearer(token)).await, "{end}");
    }
}

#[tokio::test]
async fn a_rest_api_gets_a_policy_for_the_method_that_was_called() {
    let scene = Scene::with(&[], "ana").await;
    let (app, id) = (&scene.app, &scene.id);
    let token = format!("Bearer {}", scene.token);
    let policy = |effect: &str, resource: &str| {
        let statement =
            json!({"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource});
        json!({"Version": "2012-10-17", "Statement": [statement]})
    };
    let by_token =
        |token: &str| json!({"type": "TOKEN", "methodArn": ARN, "authorizationToken": token});
    let by_header = |name: &str, values: &[&str]| {
        let context = json!({"identity": {"sourceIp": "192.0.2.1"}});
        let last = values.last().map(|last| json!({ name: last }));
        let all = json!({ name: values });
        json!({"type": "REQUEST", "version": "1.0", "methodArn": ARN, "headers": last,
            "multiValueHeaders": all, "requestContext": context})
    };
    for event in [
        by_token(&token),
        by_header("Authorization", &[&token]),
        by_header("authorization", &[&token]),
        by_header("AUTHORIZATION", &[&token]),
    ] {
        let response = authorize(app, event).await;

        assert_eq!(response["principalId"], **id);
        assert_eq!(response["policyDocument"], policy("Allow", ARN));
        assert_eq!(response["context"]["email"], "ana@example.com");
    }
    let without_arn = json!({"type": "TOKEN", "authorizationToken": token});
    for (event, resource) in [
        (by_token("Bearer x.y.z"), ARN),
        (by_header("Authorization", &["Bearer x.y.z", &token]), ARN),
        (by_header("Authorization", &[]), ARN),
        (without_arn, "*"),
        (json!({}), "*"),
    ] {
        let response = authorize(app, event).await;

        let expected =
            json!({"principalId": "anonymous", "policyDocument": policy("Deny", resource)});
        assert_eq!(response, expected);
    }
}

#[tokio::test]
async fn an_authorizer_that_cannot_decide_fails() {
    let (app, token) = TestApp::with_user().await;
    app.wire.on_request(|_, _| Some(Fault::broken()));

    let failed = app.operate("authorize", http_event(&bearer(&token))).await;

    assert!(!failed.unwrap_err().contains(&token));
    app.wire.heal();
    assert!(is_authorized(&app, &bearer(&token)).await);
}

#[tokio::test]
async fn an_account_whose_email_has_to_be_verified_is_not_authorized_before() {
    let app = TestApp::with_mail().await;
    let required = [
        tests::app::MAIL[0],
        tests::app::MAIL[1],
        ("EMAIL_VERIFICATION", "required"),
    ];
    let strict = app.another(&required);
    let body = json!({"email": "abc@example.com", "password": PASSWORD});
    let token = app.call(post("/user", &body)).await.token();
    assert!(!is_authorized(&strict, &bearer(&token)).await);

    let code = app.mailed_code().await;
    app.confirm_email(&code).await;

    assert!(is_authorized(&strict, &bearer(&token)).await);
}
