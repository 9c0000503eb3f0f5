//! `EMAIL_VERIFICATION=required`: what an account can do before its email is verified.

use aws_sdk_dynamodb::types::AttributeValue;
use local::template::{Route, Template};
use serde_json::json;
use tests::app::{Answer, Call, MAIL, PASSWORD, TestApp, account_key, get, post};

use crate::events::sample_requests;

const REQUIRED: (&str, &str) = ("EMAIL_VERIFICATION", "required");
const SIGN_INS: [&str; 2] = ["/user/auth", "/v1/auth/login"];

/// The routes that the token of an account whose email is not verified may use.
const ALLOWED: [&str; 6] = [
    "DELETE /user",
    "DELETE /user/sessions",
    "DELETE /user/sessions/{id}",
    "GET /user/sessions",
    "POST /user/verify-email",
    "POST /v1/auth/logout",
];

/// The routes that take neither credentials nor a password. The sample requests of the two sign-ins have the
/// password of the account.
const PUBLIC: [&str; 8] = [
    "GET /.well-known/jwks.json",
    "GET /.well-known/oauth-authorization-server",
    "GET /.well-known/openid-configuration",
    "POST /oauth/revoke",
    "POST /v1/auth/refresh",
    "POST /user/forgot-password",
    "POST /user/forgot-password/reset",
    "POST /user/verify-email/confirm",
];

const WITH_TWO_TRIES: [(&str, &str); 4] = [
    MAIL[0],
    MAIL[1],
    REQUIRED,
    ("SIGNIN_RATE_LIMIT_ACCOUNT", "2"),
];

async fn strict() -> TestApp {
    TestApp::with(&[MAIL[0], MAIL[1], REQUIRED]).await
}

fn assert_not_verified(answer: &Answer) {
    let message = "Email address is not verified.";
    let found = (answer.status, answer.message());
    assert_eq!(found, (403, message), "{answer:?}");
    if answer.body.get("success").is_some() {
        assert_eq!(answer.body["code"], 3002);
    }
}

async fn try_sign_in(app: &TestApp, path: &str, ip: &str, password: &str) -> Answer {
    let body = json!({"username": "abc@example.com", "password": password});
    app.call(post(path, &body).from(ip)).await
}

/// Makes the email of an account unverified, as another email set by an administrator does.
async fn unverify(app: &TestApp, id: &str) {
    let mut account = app.users().await.remove(&account_key(id)).unwrap();
    account.insert("is_active".to_owned(), AttributeValue::Bool(false));
    app.tamper(&app.app.config.tables.users, account).await;
}

#[tokio::test]
async fn a_sign_up_answers_as_always_and_its_code_makes_the_account_usable() {
    let app = strict().await;

    let signed_up = app.sign_up("abc@example.com").await;

    assert_eq!(signed_up.status, 200);
    assert_eq!(signed_up.body["user"]["isActive"], false);
    let token = signed_up.token();
    assert_not_verified(&app.user(&token).await);
    let code = app.mailed_code().await;
    assert_eq!(app.confirm_email(&code).await.status, 200);
    assert_eq!(app.user(&token).await.body["isActive"], true);
    for path in SIGN_INS {
        let answer = try_sign_in(&app, path, "192.0.2.1", PASSWORD).await;
        assert_eq!(answer.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_right_password_of_an_unverified_account_starts_no_session_and_mails_a_code() {
    for path in SIGN_INS {
        let app = strict().await;
        let token = app.sign_up("abc@example.com").await.token();
        app.deliver().await;
        let before = (app.session_keys().await, app.users().await);

        let answer = try_sign_in(&app, path, "192.0.2.1", PASSWORD).await;

        assert_not_verified(&answer);
        assert_eq!(answer.body.get("token"), None);
        // The last login is not recorded either.
        assert_eq!((app.session_keys().await, app.users().await), before);
        let code = app.mailed_code().await;
        assert_eq!(app.confirm_email(&code).await.status, 200);
        assert_eq!(app.user(&token).await.status, 200);
    }
}

#[tokio::test]
async fn codes_that_sign_ins_send_share_the_limits_of_mail() {
    let app = strict().await;
    app.sign_up("abc@example.com").await;
    app.deliver().await;

    for _ in 0..8 {
        let answer = try_sign_in(&app, "/user/auth", "192.0.2.1", PASSWORD).await;
        assert_not_verified(&answer);
    }

    assert_eq!(app.deliver().await.len(), 5);
}

#[tokio::test]
async fn a_wrong_password_is_told_the_same_before_and_after_verification() {
    let app = strict().await;
    app.sign_up("abc@example.com").await;
    let code = app.mailed_code().await;
    for path in SIGN_INS {
        let before = try_sign_in(&app, path, "192.0.2.1", "guess1").await;
        let body = json!({"username": "nobody@example.com", "password": "guess1"});
        let unknown = app.call(post(path, &body)).await;

        assert_eq!(
            (before.status, &before.body),
            (unknown.status, &unknown.body)
        );
        assert_eq!(before.headers, unknown.headers);
    }
    assert!(app.deliver().await.is_empty());

    app.confirm_email(&code).await;

    let after = try_sign_in(&app, "/user/auth", "192.0.2.1", "guess1").await;
    assert_eq!(after.text("/message"), "Invalid username or password.");
}

#[tokio::test]
async fn a_right_password_of_an_unverified_account_clears_failures_like_a_success() {
    let app = TestApp::with(&WITH_TWO_TRIES).await;
    app.sign_up("abc@example.com").await;
    let from = "192.0.2.9";

    for _ in 0..3 {
        assert_eq!(
            try_sign_in(&app, "/user/auth", from, "guess1").await.status,
            403
        );
        assert_not_verified(&try_sign_in(&app, "/user/auth", from, PASSWORD).await);
    }
}

#[tokio::test]
async fn once_a_limit_is_reached_nobody_learns_that_the_password_of_an_unverified_account_is_right()
{
    let app = TestApp::with(&WITH_TWO_TRIES).await;
    app.sign_up("abc@example.com").await;
    app.deliver().await;
    for path in SIGN_INS {
        for _ in 0..2 {
            try_sign_in(&app, path, "192.0.2.9", "guess1").await;
        }
        let other = app.another(&WITH_TWO_TRIES);

        let right = try_sign_in(&other, path, "192.0.2.9", PASSWORD).await;
        let wrong = try_sign_in(&other, path, "192.0.2.9", "guess1").await;

        assert_eq!(right.status, 429, "{path}");
        assert_eq!(right.body, wrong.body, "{path}");
    }
    assert!(app.deliver().await.is_empty());
}

/// The routes of the template, with their names.
fn routes() -> Vec<(String, Route)> {
    let routes = Template::checked_in().unwrap().routes.into_iter();
    let named = routes.map(|route| (format!("{} {}", route.method, route.path), route));
    named
        .filter(|(name, _)| !name.contains("$default"))
        .collect()
}

/// A valid request to the route, without credentials in headers.
fn sample(route: &Route) -> Call {
    let mut calls = sample_requests("").into_iter();
    let call = calls.find(|call| call.is_for(route)).unwrap();
    call.without("authorization")
}

fn is_not_verified(answer: &Answer) -> bool {
    answer.body["message"] == "Email address is not verified."
}

/// An administrator whose email is not verified any more, with a token of a recent sign-in and a key.
async fn unverified_administrator() -> (TestApp, String, String) {
    let app = strict().await;
    let other = app.sign_up("root@example.com").await;
    app.deliver().await;
    let user = app.sign_up("abc@example.com").await;
    app.confirm_email(&app.mailed_code().await).await;
    let (id, token) = (user.text("/user/id"), user.token());
    for id in [&other.text("/user/id"), &id] {
        let grant = json!({"id": id, "scopes": ["admin"]});
        app.operate("grant-scopes", grant).await.unwrap();
    }
    let key = app.api_key(&token, 15).await;
    unverify(&app, &id).await;
    (app, token, key)
}

#[tokio::test]
async fn a_token_of_an_unverified_account_is_refused_by_every_route_but_those_that_it_needs() {
    for (name, route) in routes() {
        // Some routes end the session or delete the account.
        let (app, token, _) = unverified_administrator().await;

        let answer = app.call(sample(&route).bearer(&token)).await;

        if ALLOWED.contains(&name.as_str()) {
            assert!([200, 404].contains(&answer.status), "{name}: {answer:?}");
        } else if PUBLIC.contains(&name.as_str()) {
            assert!(!is_not_verified(&answer), "{name}");
        } else {
            assert_not_verified(&answer);
        }
    }
}

#[tokio::test]
async fn a_key_of_an_unverified_account_is_refused_wherever_keys_are_read() {
    let (app, token, key) = unverified_administrator().await;

    for (name, route) in routes() {
        let answer = app.call(sample(&route).api_key(&key)).await;

        if PUBLIC.contains(&name.as_str()) || ALLOWED.contains(&name.as_str()) {
            assert!(!is_not_verified(&answer), "{name}");
        } else {
            assert_not_verified(&answer);
        }
    }
    let both = get("/user").api_key(&key).bearer(&token);
    assert_not_verified(&app.call(both).await);
}

#[tokio::test]
async fn a_reset_by_mail_and_a_grant_after_verification_make_accounts_usable() {
    let app = strict().await;
    app.sign_up("abc@example.com").await;
    app.deliver().await;
    app.clock.advance(std::time::Duration::from_millis(1));

    app.forget_password("abc@example.com").await;
    let code = app.mailed_code().await;
    assert_eq!(app.reset_password(&code, "xyz789").await.status, 200);

    let signed_in = app.sign_in("abc@example.com", "xyz789").await;
    assert_eq!(signed_in.status, 200);
    let id = signed_in.text("/user/id");
    let grant = json!({"id": id, "scopes": ["admin"]});
    app.operate("grant-scopes", grant).await.unwrap();
    let users = app.call(get("/users").bearer(&signed_in.token())).await;
    assert_eq!(users.status, 200);
}

#[tokio::test]
async fn an_email_that_an_administrator_sets_has_to_be_verified() {
    let app = strict().await;
    let root = app.sign_up("root@example.com").await;
    app.confirm_email(&app.mailed_code().await).await;
    app.grant(&root.text("/user/id"), &["admin"]).await;
    let user = app.sign_up("abc@example.com").await;
    app.confirm_email(&app.mailed_code().await).await;
    assert_eq!(app.user(&user.token()).await.status, 200);

    let body = json!({"email": "new@example.com"}).to_string();
    let path = format!("/users/{}", user.text("/user/id"));
    let put = Call::new("PUT", &path, body.into()).bearer(&root.token());
    assert_eq!(app.call(put).await.status, 200);

    assert_not_verified(&app.user(&user.token()).await);
    app.deliver().await;
    assert_not_verified(&app.sign_in("new@example.com", PASSWORD).await);
    let code = app.mailed_code().await;
    assert_eq!(app.confirm_email(&code).await.status, 200);
    assert_eq!(app.user(&user.token()).await.status, 200);
}

#[tokio::test]
async fn a_verified_sign_in_costs_the_same_whether_or_not_verification_is_required() {
    let app = strict().await;
    app.sign_up("abc@example.com").await;
    app.confirm_email(&app.mailed_code().await).await;
    let optional = app.another(&MAIL);
    app.sign_in("abc@example.com", PASSWORD).await;
    let _ = (app.cost(), optional.cost());

    app.sign_in("abc@example.com", PASSWORD).await;
    optional.sign_in("abc@example.com", PASSWORD).await;

    assert_eq!(app.cost(), optional.cost());
}
