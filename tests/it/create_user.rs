//! `POST /user`.

use serde_json::json;
use tests::app::{PASSWORD, TestApp, get, post, post_bytes};
use tests::wire::Fault;

#[tokio::test]
async fn a_sign_up_returns_a_token_and_the_user() {
    let app = TestApp::new().await;

    let body = json!({"username": "Abc", "email": "Abc@Example.com", "password": PASSWORD});
    let answer = app.call(post("/user", &body)).await;

    assert_eq!(answer.status, 200);
    let id = &answer.text("/user/id");
    assert_eq!(id.len(), 24);
    assert_eq!(
        answer.body,
        json!({"token": answer.token(), "user": {
            "id": id, "username": "Abc", "isActive": false, "email": "Abc@Example.com",
            "plan": "free", "vendor": null,
        }})
    );
    assert_eq!(app.user(&answer.token()).await.status, 200);
}

#[tokio::test]
async fn a_username_that_is_an_email_stands_for_a_missing_email() {
    let app = TestApp::new().await;
    let sign_up = |username: &str| {
        post(
            "/user",
            &json!({"username": username, "password": PASSWORD}),
        )
    };

    let answer = app.call(sign_up("Abc@Example.com")).await;

    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["user"]["email"], "Abc@Example.com");
    assert_eq!(answer.body["user"]["username"], "Abc@Example.com");
    let token = app.sign_in("abc@example.com", PASSWORD).await.token();
    assert_eq!(app.user(&token).await.status, 200);
    let again = app.call(sign_up("abc@example.com")).await;
    assert_eq!(again.message(), "User already exists.");
    let no_email = app.call(sign_up("abc")).await;
    assert_eq!(no_email.message(), "\"email\" is required");
    let no_domain = app.call(sign_up("abc@")).await;
    assert!(
        no_domain.message().starts_with("\"username\""),
        "{:?}",
        no_domain.body
    );
}

#[tokio::test]
async fn every_answer_has_the_security_headers_and_no_unexpected_ones() {
    let app = TestApp::new().await;
    let limited = app.another(&[("USER_SIGNUP_RATE_LIMIT_IP", "0")]);
    let unavailable = app.another(&[]);
    unavailable.wire.on_request(|_, _| Some(Fault::Break));

    for answer in [
        app.sign_up("abc@example.com").await,
        app.sign_up("not an email").await,
        app.call(get("/user")).await,
        app.call(get("/nowhere")).await,
        app.sign_in("abc@example.com", "wrong1").await,
        app.call(post_bytes("/user", vec![b' '; 20_000])).await,
        app.call(post_bytes("/user", "").header("content-type", "text/plain"))
            .await,
        limited.sign_up("abc@example.com").await,
        unavailable.sign_up("abc@example.com").await,
    ] {
        let content_type = "application/json; charset=utf-8";
        assert_eq!(answer.header("content-type"), Some(content_type));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let allowed = [
            "content-type",
            "cache-control",
            "x-content-type-options",
            "www-authenticate",
            "ratelimit",
            "ratelimit-policy",
            "retry-after",
        ];
        for name in answer.headers.keys() {
            assert!(allowed.contains(&name.as_str()), "{name}");
        }
    }
}

#[tokio::test]
async fn the_username_defaults_to_the_email() {
    let app = TestApp::new().await;

    let body = json!({"username": null, "email": "abc@example.com", "password": PASSWORD});
    let answer = app.call(post("/user", &body)).await;

    assert_eq!(answer.body["user"]["username"], "abc@example.com");
    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_new_user_has_the_configured_vendor() {
    let app = TestApp::with(&[("DEFAULT_USER_VENDOR", "acme, umbrella")]).await;

    let answer = app.sign_up("abc@example.com").await;

    assert_eq!(answer.body["user"]["vendor"], json!(["acme", "umbrella"]));
}

#[tokio::test]
async fn a_sign_up_cannot_set_its_scope_plan_or_other_protected_fields() {
    let app = TestApp::new().await;

    let body = json!({
        "email": "abc@example.com", "password": PASSWORD, "scope": ["admin"], "isActive": true,
        "plan": "beta", "vendor": "acme", "id": "000000000000000000000000", "generation": 9,
    });
    let answer = app.call(post("/user", &body)).await;

    assert_eq!(answer.status, 200);
    let user = app.user(&answer.token()).await.body;
    assert_eq!(user["scope"], json!(["user"]));
    assert_eq!(user["isActive"], false);
    assert_eq!(user["plan"], "free");
    assert_ne!(user["id"], "000000000000000000000000");
    assert_eq!(answer.body["user"]["vendor"], json!(null));
}

#[tokio::test]
async fn a_taken_email_and_a_taken_username_get_the_same_error() {
    let app = TestApp::new().await;
    let sign_up = async |username: &str, email: &str| {
        let body = json!({"username": username, "email": email, "password": PASSWORD});
        app.call(post("/user", &body)).await
    };
    assert_eq!(sign_up("alice", "alice@example.com").await.status, 200);

    let by_email = sign_up("bob", "alice@example.com").await;
    let by_username = sign_up("alice", "bob@example.com").await;
    let by_look_alike_email = sign_up("carol", "ALICE@EXAMPLE.COM").await;
    let by_look_alike_username = sign_up("ＡＬＩＣＥ", "dave@example.com").await;

    for answer in [
        by_email,
        by_username,
        by_look_alike_email,
        by_look_alike_username,
    ] {
        answer.assert_refused(400, "Bad Request", "User already exists.");
        assert!(answer.header("ratelimit").is_some(), "it was admitted");
    }
    assert_eq!(app.account_count().await, 1);
}

#[tokio::test]
async fn an_email_and_a_username_are_separate_namespaces() {
    let app = TestApp::new().await;
    let body = json!({"username": "alice", "email": "alice@example.com", "password": PASSWORD});
    app.call(post("/user", &body)).await;

    let answer = app.sign_up("alice@example.org").await;

    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_username_with_an_at_sign_must_be_the_account_s_own_email() {
    let app = TestApp::new().await;

    for username in ["victim@example.com", "VICTIM＠example.com", "@", "a@b"] {
        let body = json!({"username": username, "email": "eve@example.com", "password": PASSWORD});
        let answer = app.call(post("/user", &body)).await;

        assert_eq!(answer.status, 400, "{username}");
        assert_eq!(
            answer.message(),
            "\"username\" must be the account's own email if it contains @"
        );
    }
    assert!(app.users().await.is_empty());
}

#[tokio::test]
async fn the_error_names_a_missing_or_invalid_field() {
    let app = TestApp::new().await;
    let email = "abc@example.com";

    for (body, message) in [
        (json!({}), "\"email\" is required"),
        (
            json!({"email": null, "password": "abc321"}),
            "\"email\" is required",
        ),
        (json!({"email": email}), "\"password\" is required"),
        (
            json!({"email": 1, "password": "abc321"}),
            "\"email\" must be a string",
        ),
        (
            json!({"email": email, "password": 123_456}),
            "\"password\" must be a string",
        ),
        (
            json!({"email": email, "password": ["abc321"]}),
            "\"password\" must be a string",
        ),
        (
            json!({"email": email, "password": "abc321", "username": {}}),
            "\"username\" must be a string",
        ),
        (
            json!({"email": email, "password": "abc321", "username": ""}),
            "\"username\" contains characters that are not allowed",
        ),
        (
            json!({"email": "", "password": "abc321"}),
            "\"email\" must be a valid email",
        ),
        (
            json!({"email": email, "password": "abc32"}),
            "\"password\" length must be at least 6 characters long",
        ),
        (
            json!({"email": email, "password": "a".repeat(1025)}),
            "\"password\" length must be less than or equal to 1024 bytes",
        ),
        (
            json!({"email": email, "password": "abc321", "username": "a".repeat(129)}),
            "\"username\" length must be less than or equal to 128 characters long",
        ),
    ] {
        let answer = app.call(post("/user", &body)).await;

        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.body["error"], "Bad Request");
        assert_eq!(answer.message(), message, "{body}");
    }
    assert!(app.users().await.is_empty());
}

#[tokio::test]
async fn a_repeated_known_field_is_refused_and_a_repeated_unknown_one_is_ignored() {
    let app = TestApp::new().await;

    let twice = r#"{"email":"abc@example.com","password":"abc321","password":"abc321"}"#;
    let answer = app.call(post_bytes("/user", twice)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.message(), "\"password\" must appear only once");

    let unknown = r#"{"email":"abc@example.com","password":"abc321","x":1,"x":2}"#;
    let answer = app.call(post_bytes("/user", unknown)).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn common_and_guessable_passwords_are_refused_if_so_configured() {
    let app = TestApp::with(&[("PASSWORD_REJECT_COMMON", "true")]).await;

    for (password, message) in [
        (
            "iloveyou",
            "\"password\" is among the most common passwords",
        ),
        (
            "amelie@example.com",
            "\"password\" must not contain the email or username",
        ),
        (
            "1amelie1",
            "\"password\" must not contain the email or username",
        ),
    ] {
        let body = json!({
            "username": "Amelie", "email": "amelie@example.com", "password": password,
        });
        let answer = app.call(post("/user", &body)).await;

        assert_eq!(answer.status, 400, "{password}");
        assert_eq!(answer.message(), message);
    }
}

#[tokio::test]
async fn only_holders_of_the_configured_creation_scope_can_create_users() {
    let (app, token) = TestApp::with_user().await;
    let closed = app.another(&[("API_USER_CREATE_SCOPE", "admin,registrar")]);
    let sign_up = |email: &str| post("/user", &json!({"email": email, "password": PASSWORD}));

    let without = closed.call(sign_up("b@example.com")).await;
    assert_eq!(without.status, 401);
    assert_eq!(
        without.message(),
        "authorization not found in request headers"
    );

    let with_wrong_scope = closed.call(sign_up("b@example.com").bearer(&token)).await;
    assert_eq!(with_wrong_scope.status, 403);
    assert_eq!(with_wrong_scope.message(), "Insufficient scope");

    let id = app.user_id(&token).await;
    app.grant(&id, &["user", "registrar"]).await;
    let with_scope = closed.call(sign_up("b@example.com").bearer(&token)).await;
    assert_eq!(with_scope.status, 200);
    assert!(with_scope.header("ratelimit").is_none());

    app.grant(&id, &["user"]).await;
    let after_removal = closed.call(sign_up("c@example.com").bearer(&token)).await;
    assert_eq!(after_removal.status, 403);
}

#[tokio::test]
async fn credentials_are_checked_before_the_body_is_parsed() {
    let app = TestApp::with(&[("API_USER_CREATE_SCOPE", "admin")]).await;

    let answer = app.call(post_bytes("/user", "{")).await;

    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn invalid_credentials_are_refused_even_if_none_are_required() {
    let app = TestApp::new().await;
    let sign_up = post(
        "/user",
        &json!({"email": "abc@example.com", "password": PASSWORD}),
    );

    let answer = app.call(sign_up.bearer("a.b.c")).await;

    assert_eq!(answer.status, 401);
    assert!(app.users().await.is_empty());
}
