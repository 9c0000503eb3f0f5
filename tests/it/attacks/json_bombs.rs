//! JSON bombs are small to send and expensive to parse. Each gets its documented 4xx within a
//! thread's stack of two megabytes.

use serde_json::json;
use tests::app::{Answer, TestApp, get, post_bytes};

const SMALL: [&str; 5] = [
    "/user",
    "/user/auth",
    "/v1/auth/login",
    "/v1/auth/logout",
    "/v1/api-keys",
];

async fn send(app: &TestApp, path: &str, token: &str, body: impl Into<Vec<u8>>) -> Answer {
    let call = post_bytes(path, body.into());
    // Send valid credentials to the routes that require them, and none to the others.
    let is_guarded = path != "/user" && path != "/user/auth" && path != "/v1/auth/login";
    let call = if is_guarded { call.bearer(token) } else { call };
    app.call(call).await
}

fn assert_malformed(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 400, "{what}");
    let message = answer.message();
    assert_eq!(message, "Invalid request payload JSON format", "{what}");
}

#[tokio::test]
async fn json_nested_deeper_than_128_levels_is_refused() {
    let (app, token) = TestApp::with_user().await;
    let filled = |open: &str, close: &str, size: usize| {
        let depth = size / (open.len() + close.len());
        format!("{{\"x\":{}1{}}}", open.repeat(depth), close.repeat(depth))
    };
    let paths = SMALL.map(|path| (path, 15 * 1024));

    for (path, size) in paths.into_iter().chain([("/v1/auth/user", 511 * 1024)]) {
        for (what, body) in [
            ("arrays", filled("[", "]", size)),
            ("objects", filled("{\"a\":", "}", size)),
            ("both", filled("[{\"a\":", "}]", size)),
            ("open arrays", "[".repeat(size)),
            ("open objects", "{\"a\":".repeat(size / 5)),
            ("just too deep", filled("[", "]", 2 * 128)),
        ] {
            let answer = send(&app, path, &token, body).await;

            assert_malformed(&answer, &format!("{what} at {path}"));
        }
    }
    let allowed = send(&app, "/v1/auth/user", &token, filled("[", "]", 2 * 126)).await;
    assert_eq!(allowed.message(), "\"user\" is required", "not too deep");
}

#[tokio::test]
async fn a_deeply_nested_json_setting_is_checked_without_recursion() {
    let (app, token) = TestApp::with_user().await;
    let setting = |value: &str| {
        json!({"user": {"settings": [
            {"category": "a", "name": "b", "type": "json", "value": value},
        ]}})
    };

    for value in ["[".repeat(1024), "{\"a\":".repeat(200)] {
        let body = setting(&value).to_string();
        let answer = send(&app, "/v1/auth/user", &token, body).await;

        assert_eq!(answer.message(), "\"settings.value\" must be of type json");
    }
    let deep = "[".repeat(512) + &"]".repeat(512);
    let answer = send(&app, "/v1/auth/user", &token, setting(&deep).to_string()).await;
    assert_eq!(answer.body["user"]["settings"][0]["value"], deep, "text");
}

#[tokio::test]
async fn a_ten_megabyte_body_is_refused_without_database_calls() {
    let (app, token) = TestApp::with_user().await;
    let size = 10 * 1024 * 1024 - 1;

    for path in SMALL.into_iter().chain(["/v1/auth/user"]) {
        for body in ["[".repeat(size), "[],".repeat(size / 3), " ".repeat(size)] {
            let _ = app.cost();
            let answer = send(&app, path, &token, body).await;

            assert_eq!(answer.status, 413, "{path}");
            assert_eq!(app.wire.take_calls(), [], "{path}");
        }
    }
}

#[tokio::test]
async fn profile_updates_near_the_size_limit_are_answered() {
    let (app, token) = TestApp::with_user().await;
    let fill = |item: &str| {
        let items = vec![item; 500 * 1024 / (item.len() + 1)];
        items.join(",")
    };
    let fields: Vec<String> = (0..40_000).map(|n| format!("\"{n}\":0")).collect();

    for (what, body, status) in [
        ("fields", format!("{{{}}}", fields.join(",")), 400),
        (
            "fields of a user",
            format!("{{\"user\":{{{}}}}}", fields.join(",")),
            200,
        ),
        (
            "one unknown field",
            format!("{{\"user\":{{}},{}}}", fill("\"x\":1")),
            200,
        ),
        (
            "one known field",
            format!("{{{}}}", fill("\"user\":1")),
            400,
        ),
        (
            "a duplicate field",
            format!("{{\"user\":{{{}}}}}", fill("\"city\":\"a\"")),
            400,
        ),
        (
            "empty settings",
            format!("{{\"user\":{{\"settings\":[{}]}}}}", fill("{}")),
            400,
        ),
        (
            "numbers",
            format!("{{\"user\":{{\"settings\":[{}]}}}}", fill("1")),
            400,
        ),
        ("nulls", format!("{{\"x\":[{}]}}", fill("null")), 400),
        (
            "a long name",
            format!("{{\"{}\":1}}", "a".repeat(500 * 1024)),
            400,
        ),
        (
            "a long text",
            format!("{{\"user\":{{\"city\":\"{}\"}}}}", "a".repeat(500 * 1024)),
            400,
        ),
        (
            "escapes",
            format!(
                "{{\"user\":{{\"notes\":\"{}\"}}}}",
                "\\u0041".repeat(80_000)
            ),
            400,
        ),
        (
            "spaces",
            format!("{{\"user\":{{}}{}}}", " ".repeat(500 * 1024)),
            200,
        ),
    ] {
        let answer = send(&app, "/v1/auth/user", &token, body).await;

        assert_eq!(answer.status, status, "{what}: {answer:?}");
    }
    let profile = app.profile(&token).await.body["user"].clone();
    assert_eq!(profile["city"], json!(null));
    assert_eq!(profile["settings"], json!([]));
}

#[tokio::test]
async fn a_number_outside_its_range_is_refused() {
    let (app, token) = TestApp::with_user().await;
    let long = "9".repeat(10_000);
    let fine = format!("0.{}", "0".repeat(10_000));
    let create = |number: &str| format!("{{\"name\":\"ci\",\"permissions\":{number}}}");

    for number in ["1e999", "-1e999", "1e99999999999999999999", &long] {
        let answer = send(&app, "/v1/api-keys", &token, create(number)).await;
        assert_malformed(&answer, &number[..number.len().min(20)]);
    }
    for number in [
        "NaN",
        "Infinity",
        "-Infinity",
        "0x0f",
        "+1",
        "01",
        "1.",
        ".5",
        "1e",
        "-",
        "1_0",
    ] {
        let answer = send(&app, "/v1/api-keys", &token, create(number)).await;
        assert_malformed(&answer, number);
    }
    for number in [
        "-1",
        "16",
        "1.5",
        "256",
        "4294967297",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551617",
        "1e308",
        "1e-300",
        "\"15\"",
        "[15]",
        "true",
    ] {
        let answer = send(&app, "/v1/api-keys", &token, create(number)).await;
        assert_eq!(answer.status, 400, "{number}");
        assert!(
            answer.message().starts_with("\"permissions\" must be"),
            "{number}"
        );
    }
    assert!(app.api_keys(&token).await.is_empty());
    let zero = send(&app, "/v1/api-keys", &token, create(&fine)).await;
    assert_eq!(zero.body["apiKey"]["permissions"], 0, "a long zero");
}

#[tokio::test]
async fn text_that_is_not_valid_unicode_is_refused() {
    let (app, token) = TestApp::with_user().await;
    let whole =
        |inside: &[u8]| [b"{\"username\":\"", inside, b"\",\"password\":\"abc321\"}"].concat();

    for (what, inside) in [
        ("a stray byte", &b"\xff"[..]),
        ("a start without an end", b"\xc3"),
        ("an end without a start", b"\x80"),
        ("an overlong slash", b"\xc0\xaf"),
        ("an overlong NUL", b"\xc0\x80"),
        ("a surrogate", b"\xed\xa0\x80"),
        ("beyond Unicode", b"\xf4\x90\x80\x80"),
        ("Latin-1", b"J\xfcrgen"),
        ("a lone high surrogate", b"\\ud800"),
        ("a lone low surrogate", b"\\udc00"),
        ("two high surrogates", b"\\ud800\\ud800"),
        ("surrogates the wrong way round", b"\\udc00\\ud800"),
        ("half an escape", b"\\u00"),
        ("an unknown escape", b"\\x41"),
        ("a raw NUL", b"\0"),
        ("a raw line break", b"\n"),
    ] {
        for path in ["/user", "/user/auth", "/v1/auth/login"] {
            assert_malformed(&send(&app, path, &token, whole(inside)).await, what);
        }
    }
    let marked = [&b"\xef\xbb\xbf"[..], &whole(b"abc")].concat();
    let utf_16 = String::from_utf8(whole(b"abc")).unwrap();
    let utf_16: Vec<u8> = utf_16.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (what, body) in [("a byte order mark", marked), ("UTF-16", utf_16)] {
        assert_malformed(&send(&app, "/user/auth", &token, body).await, what);
    }
}

#[tokio::test]
async fn a_duplicate_field_is_refused_even_if_its_name_is_escaped() {
    let (app, token) = TestApp::with_user().await;

    for second in ["password", "p\\u0061ssword", "\\u0070\\u0061ssword"] {
        let body = format!(
            "{{\"username\":\"abc@example.com\",\"password\":\"x\",\"{second}\":\"abc321\"}}"
        );
        for path in ["/user/auth", "/v1/auth/login"] {
            let answer = send(&app, path, &token, body.clone()).await;
            assert_eq!(answer.message(), "\"password\" must appear only once");
        }
    }
    for other in [
        "Password",
        "PASSWORD",
        "password ",
        "pass\\u0000word",
        "__proto__",
    ] {
        let body = format!("{{\"username\":\"abc@example.com\",\"{other}\":\"abc321\"}}");
        let answer = send(&app, "/user/auth", &token, body).await;
        assert_eq!(answer.message(), "\"password\" is required", "{other}");
    }
}

#[tokio::test]
async fn an_instance_keeps_serving_after_json_bombs() {
    let (app, token) = TestApp::with_user().await;

    for body in ["[".repeat(16_000), "{\"a\":".repeat(3000)] {
        assert_malformed(&send(&app, "/user", &token, body).await, "a bomb");
    }

    assert_eq!(app.call(get("/user").bearer(&token)).await.status, 200);
}
