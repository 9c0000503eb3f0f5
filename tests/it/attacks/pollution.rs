//! Parameters in the wrong part of a request: credentials in a URL or body, fields in a query.

use serde_json::json;
use tests::app::{Call, PASSWORD, TestApp, get, post};

#[tokio::test]
async fn credentials_outside_their_headers_are_ignored() {
    let (app, token) = TestApp::with_user().await;
    let key = app.api_key(&token, 15).await;
    let in_body = |name: &str, value: &str| {
        let body = json!({ name: value }).to_string();
        Call::new("GET", "/user", body.into())
    };

    for call in [
        get(&format!("/user?access_token={token}")),
        get(&format!(
            "/user?token={token}&authorization=Bearer%20{token}"
        )),
        get(&format!("/user?x-api-key={key}&api_key={key}")),
        get("/user").header(
            "cookie",
            &format!("token={token}; authorization=Bearer {token}"),
        ),
        get("/user").header("x-authorization", &format!("Bearer {token}")),
        get("/user").header("x-amz-security-token", &token),
        in_body("access_token", &token),
        in_body("token", &token),
        in_body("x-api-key", &key),
    ] {
        let answer = app.call(call).await;

        assert_eq!(answer.status, 401);
        assert_eq!(
            answer.message(),
            "authorization not found in request headers"
        );
    }
}

#[tokio::test]
async fn fields_in_the_query_string_are_ignored() {
    let app = TestApp::new().await;
    let query = "email=abc@example.com&password=abc321&username=abc";

    for path in ["/user", "/user/auth", "/v1/auth/login"] {
        let call = post(&format!("{path}?{query}"), &json!({}));
        let answer = app.call(call).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.message().ends_with("is required"), "{answer:?}");
    }
    let body = json!({"email": "abc@example.com", "password": PASSWORD});
    let call = post("/user?email=eve@example.com&password=other1", &body);
    assert_eq!(
        app.call(call).await.body["user"]["email"],
        "abc@example.com"
    );
}

#[tokio::test]
async fn override_headers_do_not_change_the_method_or_path() {
    let (app, token) = TestApp::with_user().await;

    for (name, value) in [
        ("x-http-method-override", "DELETE"),
        ("x-method-override", "POST"),
        ("x-original-url", "/v1/api-keys"),
        ("x-rewrite-url", "/v1/api-keys"),
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
    ] {
        let call = get("/user").bearer(&token).header(name, value);
        let answer = app.call(call).await;

        assert_eq!(answer.status, 200, "{name}");
        assert_eq!(answer.body["email"], "abc@example.com", "{name}");
    }
}
