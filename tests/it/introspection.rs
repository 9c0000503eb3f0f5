//! Introspection and revocation of tokens.

use std::time::Duration;

use axum::body::Body;
use serde_json::{Value, json};
use shared::ports::Clock;
use tests::app::{Answer, Call, MAIL, PASSWORD, TestApp, get, post, post_form};
use tests::call::claim_of;
use tests::logs::capture;
use tests::wire::Fault;

use crate::public_keys::{ASYMMETRIC, ISSUER, signing};
use crate::races::{count, race_over};
use crate::scene::Scene;
use crate::tokens::{claims_of, sign, sign_with_foreign_key};

const INTROSPECT: &str = "/oauth/introspect";
const REVOKE: &str = "/oauth/revoke";

/// The token of a service that may introspect.
async fn service(app: &TestApp) -> String {
    let service = app.sign_up("service@example.com").await;
    let grant = json!({"id": service.text("/user/id"), "scopes": ["introspect"]});
    app.operate("grant-scopes", grant).await.unwrap();
    service.token()
}

async fn introspect(app: &TestApp, service: &str, token: &str) -> Answer {
    let asked = post_form(INTROSPECT, &[("token", token)]);
    app.call(asked.bearer(service)).await
}

async fn is_active(app: &TestApp, service: &str, token: &str) -> bool {
    let answer = introspect(app, service, token).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let is_active = answer.body["active"] == true;
    if !is_active {
        assert_eq!(answer.body, json!({"active": false}), "{token}");
    }
    is_active
}

async fn revoke(app: &TestApp, token: &str) -> Answer {
    app.call(post_form(REVOKE, &[("token", token)])).await
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    let members: Vec<_> = answer.body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["error", "error_description"]);
    assert_eq!(answer.body["error"], error, "{answer:?}");
    let is_allowed = |c: char| c.is_ascii_graphic() || c == ' ';
    let description = answer.message();
    assert!(description.chars().all(is_allowed), "{description}");
    assert!(!description.contains(['"', '\\']), "{description}");
}

async fn refreshable(app: &TestApp) -> Answer {
    let body = json!({"username": "ana", "password": PASSWORD, "refresh": true});
    app.call(post("/v1/auth/login", &body)).await
}

async fn refresh(app: &TestApp, token: &str) -> Answer {
    let body = json!({"refreshToken": token});
    app.call(post("/v1/auth/refresh", &body)).await
}

#[tokio::test]
async fn introspection_tells_what_a_token_says_and_what_its_account_may_do_now() {
    let scene = Scene::with(&[], "ana").await;
    let (app, token) = (&scene.app, &scene.token);
    let service = service(app).await;
    app.clock.advance(Duration::from_mins(1));
    let scopes = json!({"id": scene.id, "scopes": ["user", "orders:read"]});
    app.operate("grant-scopes", scopes).await.unwrap();

    let answer = introspect(app, &service, token).await;

    let signed_up = 1_800_000_000;
    let expected = json!({
        "active": true,
        "scope": "user orders:read",
        "username": "ana",
        "token_type": "Bearer",
        "exp": signed_up + 30 * 86400,
        "iat": signed_up,
        "auth_time": signed_up,
        "sub": scene.id,
        "aud": "latchkey",
        "iss": "latchkey",
        "jti": claim_of(token, "jti"),
        "sid": claim_of(token, "sid"),
    });
    assert_eq!((answer.status, &answer.body), (200, &expected));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn tokens_of_every_algorithm_can_be_introspected_and_revoked() {
    for algorithm in ASYMMETRIC {
        let (app, _, token) = signing(algorithm).await;
        let id = app.user_id(&token).await;
        app.grant(&id, &["user", "introspect"]).await;

        let answer = introspect(&app, &token, &token).await;

        assert_eq!(answer.body["iss"], ISSUER, "{answer:?}");
        assert_eq!(answer.body["scope"], "user introspect");
        assert_eq!(revoke(&app, &token).await.status, 200);
        assert_eq!(introspect(&app, &token, &token).await.status, 401);
    }
}

#[tokio::test]
async fn introspection_reveals_nothing_of_a_token_that_is_not_active() {
    let scene = Scene::with(&[], "ana").await;
    let (app, token) = (&scene.app, &scene.token);
    let service = service(app).await;
    let key = app.api_key(token, 15).await;
    let refresh_token = refreshable(app).await.text("/refreshToken");
    let now = app.clock.now();
    let with = |claim: &str, value: Value| {
        let mut claims = claims_of(token, now);
        claims[claim] = value;
        sign(&claims)
    };
    assert!(is_active(app, &service, token).await);
    assert!(is_active(app, &service, &with("jti", json!("x"))).await);

    for dead in [
        &key,
        &refresh_token,
        &sign_with_foreign_key(&claims_of(token, now)),
        &with("aud", json!("other")),
        &with("iss", json!("other")),
        &with("sid", json!("unknown")),
        &with("sub", json!("000000000000000000000000")),
        &with("scope", json!("user")),
        &with("exp", json!(now.secs())),
        &with("nbf", json!(now.secs() + 6)),
        &format!("{token}x"),
        &format!("Bearer {token}"),
        &format!("{token} "),
        &format!("{token},{token}"),
        "null",
        "..",
        "\u{0}",
        "ü\u{fffd}",
        &"x".repeat(10_000),
        &"a.".repeat(5_000),
    ] {
        assert!(!is_active(app, &service, dead).await, "{dead}");
    }
    assert!(is_active(app, &service, token).await);
}

#[tokio::test]
async fn a_token_is_inactive_at_the_first_introspection_after_its_session_ended() {
    for end in [
        "log-out",
        "revoke",
        "end-sessions",
        "set-password",
        "disable-account",
        "delete-account",
        "expiry",
    ] {
        let scene = Scene::with(&[], "ana").await;
        let (app, token) = (&scene.app, &scene.token);
        let service = service(app).await;
        let key = app.api_key(&service, 1).await;
        let asked = || post_form(INTROSPECT, &[("token", token)]).api_key(&key);
        assert_eq!(app.call(asked()).await.body["active"], true);
        scene.end(end).await;

        for instance in [&app.another(&[]), app] {
            let answer = instance.call(asked()).await;
            assert_eq!(answer.body, json!({"active": false}), "{end}");
        }
    }
}

#[tokio::test]
async fn a_token_is_inactive_while_its_account_needs_a_verified_email() {
    let scene = Scene::with(&MAIL, "ana").await;
    let strict = scene
        .app
        .another(&[MAIL[0], MAIL[1], ("EMAIL_VERIFICATION", "required")]);
    let service = service(&scene.app).await;
    scene.app.deliver().await;
    scene.app.ask_to_verify(&service).await;
    let code = scene.app.mailed_code().await;
    assert_eq!(scene.app.confirm_email(&code).await.status, 200);

    assert!(!is_active(&strict, &service, &scene.token).await);
    assert!(is_active(&scene.app, &service, &scene.token).await);
}

#[tokio::test]
async fn the_scope_is_absent_if_the_account_has_none() {
    let scene = Scene::with(&[], "ana").await;
    let app = &scene.app;
    let service = service(app).await;
    let none = json!({"id": scene.id, "scopes": []});
    app.operate("grant-scopes", none).await.unwrap();

    let answer = introspect(app, &service, &scene.token).await;

    assert_eq!(answer.body["active"], true);
    assert_eq!(answer.body.get("scope"), None);
}

#[tokio::test]
async fn errors_have_the_form_that_oauth_defines() {
    let scene = Scene::with(&[("SIGNIN_RATE_LIMIT_IP", "1")], "ana").await;
    let (app, token) = (&scene.app, &scene.token);
    let asked = || post_form(INTROSPECT, &[("token", token)]);

    let answer = app.call(asked()).await;
    assert_refused(&answer, 401, "invalid_client");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    let basic = asked().header("authorization", "Basic YWJjOmFiYzMyMQ==");
    assert_refused(&app.call(basic).await, 401, "invalid_client");
    let answer = app.call(asked().bearer("x.y.z")).await;
    assert_refused(&answer, 401, "invalid_token");
    let description = "Invalid JWT: key or signature is invalid";
    let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{description}\"");
    assert_eq!(answer.header("www-authenticate"), Some(&*challenge));
    let answer = app.call(asked().bearer(token)).await;
    assert_refused(&answer, 403, "insufficient_scope");
    let challenge = "Bearer error=\"insufficient_scope\", error_description=\"Insufficient scope\"";
    assert_eq!(answer.header("www-authenticate"), Some(challenge));
    let guess = || asked().api_key("api_ABCDEFGHIJKLMNOPQRSTUVWX");
    assert_refused(&app.call(guess()).await, 401, "invalid_client");
    assert_refused(&app.call(guess()).await, 429, "temporarily_unavailable");
    let answer = app.call(Call::new("GET", REVOKE, Body::empty())).await;
    assert_refused(&answer, 405, "invalid_request");
    assert_eq!(answer.header("allow"), Some("POST"));
    assert_refused(&app.call(get("/oauth/token")).await, 404, "invalid_request");
    let answer = app.call(get("/oauth")).await;
    answer.assert_refused(404, "Not Found", "Not Found");
}

#[tokio::test]
async fn only_a_form_with_one_token_is_accepted() {
    let scene = Scene::with(&[], "ana").await;
    let app = &scene.app;
    let service = service(app).await;
    let form = "application/x-www-form-urlencoded";
    let send = async |path, content_type: Option<&str>, body: &str| {
        let call = Call::new("POST", path, body.to_owned().into()).bearer(&service);
        let call = content_type.into_iter().fold(call, |call, content_type| {
            call.header("content-type", content_type)
        });
        app.call(call).await
    };
    let big = format!("token={}", "x".repeat(16 * 1024));
    for path in [INTROSPECT, REVOKE] {
        for (body, problem) in [
            ("", "token is required"),
            ("token", "token is required"),
            ("token=", "token is required"),
            ("Token=x", "token is required"),
            ("{\"token\":\"x\"}", "token is required"),
            ("token=x&token=x", "token must appear only once"),
            ("token=x&%74oken=y", "token must appear only once"),
        ] {
            let answer = send(path, Some(form), body).await;
            assert_refused(&answer, 400, "invalid_request");
            assert_eq!(answer.message(), problem, "{body}");
        }
        for (content_type, status) in [
            (Some(form), 200),
            (
                Some("Application/X-WWW-Form-Urlencoded; charset=utf-8"),
                200,
            ),
            (None, 200),
            (Some("application/json"), 415),
            (Some("multipart/form-data; boundary=x"), 415),
            (Some(""), 415),
        ] {
            let body = "token=x&token_type_hint=nonsense&token_type_hint=2&other=%ff";
            let answer = send(path, content_type, body).await;
            assert_eq!(answer.status, status, "{content_type:?}");
        }
        let answer = send(path, Some("application/json"), &big).await;
        assert_refused(&answer, 413, "invalid_request");
    }
    let missing = post_form(INTROSPECT, &[]);
    assert_refused(&app.call(missing).await, 401, "invalid_client");
}

#[tokio::test]
async fn a_forged_token_is_not_looked_up() {
    let scene = Scene::with(&[], "ana").await;
    let app = &scene.app;
    let forged = sign_with_foreign_key(&claims_of(&scene.token, app.clock.now()));
    let _ = app.wire.take_calls();

    assert_eq!(revoke(app, &forged).await.status, 200);
    let answer = app.call(post_form(INTROSPECT, &[("token", &forged)])).await;

    assert_eq!(answer.status, 401);
    assert!(app.wire.take_calls().is_empty());
    assert_eq!(app.user(&scene.token).await.status, 200);
}

#[tokio::test]
async fn revocation_ends_the_session_of_a_token_or_of_any_of_its_refresh_tokens() {
    let scene = Scene::with(&[], "ana").await;
    let app = &scene.app;
    for revoked in ["token", "refresh token", "used refresh token"] {
        let first = refreshable(app).await;
        let used = first.text("/refreshToken");
        let second = refresh(app, &used).await;
        let (token, current) = (second.token(), second.text("/refreshToken"));
        let presented = match revoked {
            "token" => &token,
            "refresh token" => &current,
            _ => &used,
        };

        let answer = revoke(app, presented).await;

        assert_eq!(
            (answer.status, &answer.body),
            (200, &json!({})),
            "{revoked}"
        );
        for instance in [&app.another(&[]), app] {
            assert_eq!(instance.user(&token).await.status, 401, "{revoked}");
            assert_eq!(instance.user(&first.token()).await.status, 401, "{revoked}");
            assert_eq!(refresh(instance, &current).await.status, 401, "{revoked}");
        }
        assert_eq!(revoke(app, presented).await.status, 200, "again");
    }
    assert_eq!(app.user(&scene.token).await.status, 200, "another session");
}

#[tokio::test]
async fn revoking_an_unknown_or_expired_token_succeeds_and_ends_no_session() {
    let scene = Scene::with(&[], "ana").await;
    let app = &scene.app;
    let with_refresh = refreshable(app).await;
    let expired = with_refresh.token();
    let current = with_refresh.text("/refreshToken");
    app.clock.advance(Duration::from_mins(15));
    let of_another = |claim: &str| {
        let mut claims = claims_of(&scene.token, app.clock.now());
        claims[claim] = json!("other");
        sign(&claims)
    };

    for text in [
        &expired,
        &format!("{current}x"),
        &current.replace(".1.", ".2."),
        &sign_with_foreign_key(&claims_of(&scene.token, app.clock.now())),
        &of_another("aud"),
        &of_another("iss"),
        "refresh_a.b.1.c",
        "api_x",
        "x",
        &"x".repeat(10_000),
    ] {
        let answer = revoke(app, text).await;
        assert_eq!((answer.status, &answer.body), (200, &json!({})), "{text}");
    }

    assert_eq!(app.user(&scene.token).await.status, 200);
    assert_eq!(refresh(app, &current).await.status, 200);
}

#[tokio::test]
async fn an_api_key_cannot_be_revoked_as_a_token() {
    let scene = Scene::with(&[], "ana").await;
    let app = &scene.app;
    let key = app.api_key(&scene.token, 1).await;

    assert_refused(&revoke(app, &key).await, 400, "unsupported_token_type");

    assert_eq!(app.call(get("/user").api_key(&key)).await.status, 200);
}

#[tokio::test]
async fn the_log_line_of_a_revocation_has_the_account() {
    let scene = Scene::with(&[], "ana").await;
    let (lines, _guard) = capture();

    assert_eq!(revoke(&scene.app, &scene.token).await.status, 200);

    assert_eq!(lines.take().pop().unwrap()["account"], scene.id.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_revocations_all_succeed() {
    let scene = Scene::with(&[], "ana").await;
    let (app, token) = (&scene.app, scene.token.clone());

    let answers = race_over(app, &[], 20, move |instance, _| {
        let token = token.clone();
        async move { revoke(&instance, &token).await }
    })
    .await;

    assert_eq!(count(&answers, 200), 20);
    assert_eq!(app.user(&scene.token).await.status, 401);
}

#[tokio::test]
async fn without_the_database_the_answer_is_neither_active_nor_inactive() {
    let scene = Scene::with(&[], "ana").await;
    let (app, token) = (&scene.app, &scene.token);
    let service = service(app).await;
    let session = claim_of(token, "sid").unwrap();
    app.wire.on_request(move |_, body| {
        let is_of_token = body.to_string().contains(&session);
        is_of_token.then(Fault::broken)
    });
    let answer = introspect(app, &service, token).await;
    assert_refused(&answer, 503, "temporarily_unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(app.user(&service).await.status, 200, "the caller is read");
    let answer = revoke(app, token).await;
    assert_refused(&answer, 503, "temporarily_unavailable");
    let elsewhere = app.another(&[]);
    assert!(is_active(&elsewhere, &service, token).await);
}

#[tokio::test]
async fn without_the_key_ring_a_revocation_does_not_pretend_to_succeed() {
    let scene = Scene::with(&[], "ana").await;
    let refresh_token = refreshable(&scene.app).await.text("/refreshToken");
    let keyless = scene
        .app
        .another(&[("JWT_KEYS_FILE", "/nowhere/keys.json")]);

    for token in [&scene.token, &refresh_token] {
        let answer = revoke(&keyless, token).await;
        assert_refused(&answer, 503, "temporarily_unavailable");
    }
    let key = scene.app.api_key(&service(&scene.app).await, 1).await;
    let asked = post_form(INTROSPECT, &[("token", &scene.token)]);
    let answer = keyless.call(asked.api_key(&key)).await;
    assert_refused(&answer, 503, "temporarily_unavailable");
}
