//! Invalid bodies and headers. Each gets its documented 4xx and changes nothing.

use axum::body::Body;
use serde_json::json;
use tests::app::{Call, PASSWORD, TestApp, get, post, post_bytes};

const GOOD: &str = r#"{"email":"abc@example.com","password":"abc321"}"#;

#[tokio::test]
async fn a_body_that_is_not_a_json_object_is_refused() {
    let app = TestApp::new().await;
    let deep_array = "[".repeat(8000);
    let deep_object = r#"{"email":"#.repeat(1500);
    let deep_unknown = format!(
        r#"{{"x":{}{},{}"#,
        "[".repeat(500),
        "]".repeat(500),
        &GOOD[1..]
    );

    for path in ["/user", "/user/auth"] {
        let mut bodies: Vec<Vec<u8>> = [
            "[]",
            "null",
            "true",
            "1",
            "\"abc\"",
            "{",
            "}",
            "{]",
            "{}{}",
            "nul",
            "NaN",
            "{'email':'a'}",
            "{email:1}",
            "{\"email\":}",
            "\u{feff}{}",
            "<xml/>",
            "a=b&c=d",
            "{\"email\":\"\\u12\"}",
            "{\"email\":\"\\ud800\"}",
            "{\"email\":\"a\u{0}\"}",
            "{\"email\":\"a\nb\"}",
            "{\"x\":1e999}",
            &deep_array,
            &deep_object,
            &deep_unknown,
        ]
        .map(|body| body.as_bytes().to_vec())
        .to_vec();
        bodies.push(b"{\"email\":\"\xff\xfe\"}".to_vec());
        bodies.push(b"\xff".to_vec());
        for length in 1..GOOD.len() {
            bodies.push(GOOD.as_bytes()[..length].to_vec());
        }
        for body in bodies {
            let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
            let answer = app.call(post_bytes(path, body)).await;

            assert_eq!(answer.status, 400, "{shown}");
            assert_eq!(
                answer.message(),
                "Invalid request payload JSON format",
                "{shown}"
            );
        }
    }
    assert!(app.users().await.is_empty());
    assert!(
        app.items(&app.app.config.tables.rate_limits)
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn an_empty_body_counts_as_an_empty_object() {
    let app = TestApp::new().await;

    for path in ["/user", "/user/auth"] {
        let answer = app.call(Call::new("POST", path, Body::empty())).await;

        assert_eq!(answer.status, 400);
        assert!(
            answer.message().ends_with("is required"),
            "{}",
            answer.message()
        );
    }
}

#[tokio::test]
async fn a_body_over_16_kib_is_refused() {
    let app = TestApp::new().await;
    let padded = |length: usize| GOOD.to_owned() + &" ".repeat(length - GOOD.len());

    assert_eq!(
        app.call(post_bytes("/user", padded(16 * 1024)))
            .await
            .status,
        200
    );
    for (path, length) in [
        ("/user", 16 * 1024 + 1),
        ("/user", 1024 * 1024),
        ("/user/auth", 1024 * 1024),
    ] {
        let answer = app.call(post_bytes(path, padded(length))).await;

        assert_eq!(answer.status, 413, "{length}");
        assert_eq!(
            answer.message(),
            "Payload content length greater than maximum allowed: 16384"
        );
    }
    let beyond_api_gateway = post_bytes("/user", padded(10 * 1024 * 1024 + 1));
    let answer = app.call(beyond_api_gateway).await;
    assert_eq!(answer.status, 413);
    assert!(
        answer.message().ends_with(": 16384"),
        "{}",
        answer.message()
    );
}

#[tokio::test]
async fn a_profile_update_over_512_kib_is_refused() {
    let (app, token) = TestApp::with_user().await;
    let update = r#"{"user":{}}"#;
    let padded = |length: usize| update.to_owned() + &" ".repeat(length - update.len());
    let send = |length| app.call(post_bytes("/v1/auth/user", padded(length)).bearer(&token));

    assert_eq!(send(512 * 1024).await.status, 200);

    let answer = send(512 * 1024 + 1).await;
    assert_eq!(answer.status, 413);
    let message = "Payload content length greater than maximum allowed: 524288";
    assert_eq!(answer.message(), message);
}

#[tokio::test]
async fn size_is_checked_first_then_the_content_type_then_credentials() {
    let app = TestApp::with(&[("API_USER_CREATE_SCOPE", "admin")]).await;
    let big = vec![b' '; 20_000];
    let xml = |body: Vec<u8>| {
        post_bytes("/user", body)
            .without("content-type")
            .header("content-type", "text/xml")
    };

    assert_eq!(app.call(xml(big)).await.status, 413);
    let answer = app.call(xml(GOOD.into())).await;
    assert_eq!(answer.status, 415);
    assert_eq!(answer.message(), "Unsupported Media Type");
    assert_eq!(app.call(post_bytes("/user", GOOD)).await.status, 401);
}

#[tokio::test]
async fn only_json_media_types_are_accepted() {
    let app = TestApp::new().await;
    for (content_type, status) in [
        (None, 400),
        (Some("application/json"), 400),
        (Some("application/json-patch+json; charset=x"), 400),
        (Some("Application/JSON"), 400),
        (Some("text/plain"), 415),
        (Some(""), 415),
        (Some("application/x-www-form-urlencoded"), 415),
        (Some("application/jsön"), 415),
    ] {
        let mut call = post("/user", &json!({})).without("content-type");
        if let Some(content_type) = content_type {
            call = call.header("content-type", content_type);
        }

        assert_eq!(app.call(call).await.status, status, "{content_type:?}");
    }
}

#[tokio::test]
async fn the_body_of_a_get_is_validated_like_that_of_a_post() {
    let (app, token) = TestApp::with_user().await;
    let get = |body: &'static str| Call::new("GET", "/user", Body::from(body)).bearer(&token);

    assert_eq!(app.call(get("{}")).await.status, 200);
    assert_eq!(app.call(get("{")).await.status, 400);
    let text = get("").header("content-type", "text/plain");
    assert_eq!(app.call(text).await.status, 415);
}

#[tokio::test]
async fn the_accept_header_and_the_query_are_ignored() {
    let (app, token) = TestApp::with_user().await;

    let call = get("/user?a=%ff&b=%3C&a=&request")
        .bearer(&token)
        .header("accept", "text/plain");

    assert_eq!(app.call(call).await.status, 200);
}

#[tokio::test]
async fn malformed_emails_and_usernames_are_refused() {
    let app = TestApp::new().await;

    for email in [
        "\"abc\"@example.com",
        "abc@example.com.",
        "abc@example",
        "abc@[192.0.2.1]",
        "a b@example.com",
        "abc\u{0}@example.com",
        "\u{202e}abc@example.com",
        "abc@exa\u{0}mple.com",
        "abc@example..com",
        "abc@@example.com",
        "abc@xn--zzzzzz-.com",
        "<abc@example.com>",
        "abc@example.com\r\nBcc: x",
    ] {
        let answer = app
            .call(post(
                "/user",
                &json!({"email": email, "password": PASSWORD}),
            ))
            .await;

        assert_eq!(answer.status, 400, "{email:?}");
        assert_eq!(answer.message(), "\"email\" must be a valid email");
    }
    for username in [
        "a\u{0}b",
        "a\u{202e}b",
        "a b",
        "\u{2066}",
        "a\u{200b}",
        "\u{1f1e6}",
        "ﬀ",
        "\t",
    ] {
        let body = json!({"username": username, "email": "abc@example.com", "password": PASSWORD});
        let answer = app.call(post("/user", &body)).await;

        assert_eq!(answer.status, 400, "{username:?}");
        assert_eq!(
            answer.message(),
            "\"username\" contains characters that are not allowed"
        );
    }
    assert!(app.users().await.is_empty());
}

#[tokio::test]
async fn every_spelling_of_an_international_email_is_the_same_account() {
    let app = TestApp::new().await;
    assert_eq!(app.sign_up("Jürgen@Bücher.example").await.status, 200);

    for email in [
        "jürgen@bücher.example",
        "JU\u{308}RGEN@BU\u{308}CHER.example",
        "jürgen@xn--bcher-kva.example",
        "jürgen@bücher\u{3002}example",
    ] {
        assert_eq!(
            app.sign_up(email).await.message(),
            "User already exists.",
            "{email}"
        );
        assert_eq!(app.sign_in(email, PASSWORD).await.status, 200, "{email}");
    }
    assert_eq!(app.account_count().await, 1);
}

#[tokio::test]
async fn an_error_never_echoes_a_password() {
    let app = TestApp::new().await;
    let secret = "hunter2-sEcReT";

    for body in [
        json!({"email": "abc@example.com", "password": [secret]}),
        json!({"email": "abc@example.com", "password": {secret: secret}}),
        json!({"email": secret, "password": secret}),
        json!({"email": "abc@example.com", "username": format!("{secret} x"), "password": secret}),
    ] {
        for path in ["/user", "/user/auth"] {
            let answer = app.call(post(path, &body)).await;

            assert!(!format!("{answer:?}").contains(secret), "{answer:?}");
        }
    }
    let broken = format!("{{\"password\":\"{secret}\",");
    let answer = app.call(post_bytes("/user", broken)).await;
    assert!(!format!("{answer:?}").contains(secret));
}

#[tokio::test]
async fn unknown_routes_and_methods_get_the_error_envelope() {
    let app = TestApp::new().await;

    for path in ["/person", "/USER", "/user/auth/x", "/user/../user"] {
        let answer = app.call(get(path)).await;
        answer.assert_refused(404, "Not Found", "Not Found");
    }
    for (method, path, allow) in [
        ("PUT", "/user", "DELETE, GET, POST"),
        ("GET", "/user/auth", "POST"),
        ("OPTIONS", "/user/auth", "POST"),
        ("HEAD", "//user/", "DELETE, GET, POST"),
        ("POST", "/", "GET"),
        ("GET", "/v1/api-keys/7", "DELETE"),
        ("POST", "/users/count", "GET"),
        ("POST", "/users/7", "DELETE, GET, PUT"),
    ] {
        let answer = app.call(Call::new(method, path, Body::empty())).await;
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer.header("allow"), Some(allow));
    }
}

#[tokio::test]
async fn request_line_and_headers_of_over_ten_kilobytes_are_refused_as_by_api_gateway() {
    let app = TestApp::new().await;
    let sent = |length: usize| get("/user").header("x-long", &"x".repeat(length));

    assert_eq!(app.call(sent(10_000)).await.status, 401);
    let refused = app.call(sent(10_240)).await;
    assert_eq!(refused.status, 431);
    assert_eq!(refused.message(), "Request Header Fields Too Large");
}

#[tokio::test]
async fn the_root_names_the_service_and_its_version() {
    let app = TestApp::new().await;

    for path in ["/", "//"] {
        let answer = app.call(get(path)).await;

        assert_eq!(answer.status, 200);
        let about = json!({"name": "latchkey", "version": env!("CARGO_PKG_VERSION")});
        assert_eq!(answer.body, about);
    }
}

#[tokio::test]
async fn of_several_invalid_fields_the_first_in_api_order_is_named() {
    let (app, token) = TestApp::with_user().await;

    let sign_up = app.call(post("/user", &json!({"email": "bad"}))).await;
    assert_eq!(sign_up.message(), "\"email\" must be a valid email");

    let sign_in = app.call(post("/user/auth", &json!({}))).await;
    assert_eq!(sign_in.message(), "\"username\" is required");

    let key = post("/v1/api-keys", &json!({"name": ""})).bearer(&token);
    let key = app.call(key).await;
    assert_eq!(key.message(), "\"name\" is not allowed to be empty");
}
