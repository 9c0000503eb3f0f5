//! Enumeration: what a caller without permissions can learn about existing accounts.
//!
//! Only a sign-up reveals that a name is taken, as its contract requires. The tests show how
//! often a caller may ask.

use local::template::Template;
use serde_json::{Value, json};
use shared::ports::Clock;
use tests::app::{Call, PASSWORD, TestApp, get, post};

use super::{Seen, see};
use crate::tokens::{claims, sign_with_foreign_key};

const NOBODY: &str = "000000000000000000000000";

/// The name of each route, and a function that makes a request to it with this body.
fn routes(body: &Value) -> Vec<(String, impl Fn() -> Call)> {
    let routes = Template::checked_in().unwrap().routes;
    let calls = routes.into_iter().map(|route| {
        let name = format!("{} {}", route.method, route.path);
        let (path, body) = (route.path.replace("{id}", "1"), body.to_string());
        let call = move || Call::new(&route.method, &path, body.clone().into());
        (name, call)
    });
    // The well-known documents are for everybody.
    let asks_who = |(name, _): &(String, _)| !name.contains("/.well-known/");
    calls.filter(asks_who).collect()
}

#[tokio::test]
async fn a_forged_token_does_not_reveal_whether_its_account_exists() {
    let (app, token) = TestApp::with_user().await;
    let somebody = app.user_id(&token).await;
    let forged = |id: &str| sign_with_foreign_key(&claims(id, app.clock.now()));

    for (route, call) in routes(&json!({})) {
        let named = see(&app, call().bearer(&forged(&somebody))).await;
        let nobody = see(&app, call().bearer(&forged(NOBODY))).await;

        assert!((400..500).contains(&named.status), "{route}: {named:?}");
        assert_eq!(named.calls, [], "{route}");
        assert_eq!(named, nobody, "{route}");
    }
}

#[tokio::test]
async fn unauthenticated_requests_do_not_reveal_whether_an_account_exists() {
    let app = TestApp::with(&[("API_USER_CREATE_SCOPE", "admin")]).await;
    let open = app.another(&[]);
    let id = super::id_of(&open.sign_up("abc@example.com").await);
    let body = |id: &str, email: &str| {
        json!({"email": email, "username": email, "password": "guess1",
               "id": id, "name": "ci", "permissions": 1, "user": {"id": id, "email": email},
               "code": "A".repeat(27), "refreshToken": "refresh_unknown"})
    };
    let (known, unknown) = (
        body(&id, "abc@example.com"),
        body(NOBODY, "abd@example.com"),
    );

    let pairs = routes(&known).into_iter().zip(routes(&unknown));
    for (n, ((route, known), (_, unknown))) in pairs.enumerate() {
        // Each request has its own address, and so its own window.
        let (one, other) = (format!("198.51.100.{n}"), format!("203.0.113.{n}"));
        let known = see(&app, known().from(&one)).await;
        let unknown = see(&app, unknown().from(&other)).await;

        let (asks, statuses) = match route.as_str() {
            "POST /user/auth" | "POST /v1/auth/login" => (true, &[401, 403][..]),
            "POST /user/forgot-password" => (true, &[200][..]),
            "POST /user/forgot-password/reset" | "POST /user/verify-email/confirm" => {
                (true, &[400][..])
            }
            // The body is no form with a token.
            "POST /oauth/revoke" => (false, &[400][..]),
            _ => (false, &[401, 403][..]),
        };
        assert!(statuses.contains(&known.status), "{route}");
        assert_eq!(known.calls.is_empty(), !asks, "{route}");
        assert_eq!(known, unknown, "{route}");
    }
}

#[tokio::test]
async fn a_user_cannot_discover_other_accounts_or_their_api_keys() {
    let (app, token) = TestApp::with_user().await;
    app.api_key(&token, 1).await;
    let victim = app.user(&token).await.body;
    let eve = app.sign_up("eve@example.com").await.token();
    let update = |user: Value| post("/v1/auth/user", &json!({ "user": user })).bearer(&eve);
    let revoke = |id: u64| {
        let path = format!("/v1/api-keys/{id}");
        Call::new("DELETE", &path, axum::body::Body::empty()).bearer(&eve)
    };

    let pairs = [
        (
            update(json!({"email": "abc@example.com"})),
            update(json!({"email": "abd@example.com"})),
        ),
        (
            update(json!({"userName": "abc@example.com"})),
            update(json!({"userName": "abd@example.com"})),
        ),
        (
            update(json!({"id": victim["id"]})),
            update(json!({"id": NOBODY})),
        ),
        (revoke(1), revoke(2)),
    ];

    for (of_somebody, of_nobody) in pairs {
        let seen = see(&app, of_somebody).await;
        assert_eq!(see(&app, of_nobody).await, seen);
    }
    assert_eq!(app.api_keys(&token).await[0]["revoked"], false);
}

#[tokio::test]
async fn a_sign_up_without_the_required_scope_does_not_reveal_accounts() {
    let (app, _) = TestApp::with_user().await;
    let eve = app.sign_up("eve@example.com").await.token();
    let guarded = app.another(&[("API_USER_CREATE_SCOPE", "admin")]);
    let sign_up = |email: &str| {
        let body = json!({"email": email, "password": PASSWORD});
        post("/user", &body).bearer(&eve)
    };
    // The first request of an instance logs a cold start, which must not differ.
    guarded.call(get("/user")).await;

    let known = see(&guarded, sign_up("abc@example.com")).await;
    let unknown = see(&guarded, sign_up("abd@example.com")).await;

    assert_eq!(known.status, 403);
    assert_eq!(known, unknown);
}

#[tokio::test]
async fn sign_ups_reveal_existing_emails_only_within_their_limits() {
    let app = TestApp::new().await;
    let admitted = app.another(&[("USER_SIGNUP_RATE_LIMIT_IP", "1000")]);
    for n in 0..60 {
        let email = format!("user{n}@example.com");
        assert_eq!(admitted.sign_up_from("192.0.2.9", &email).await.status, 200);
    }
    let ask = |email: &str| {
        let body = json!({"email": email, "password": PASSWORD});
        post("/user", &body).from("198.51.100.66")
    };

    let mut told = 0;
    let mut refused: Option<Seen> = None;
    for n in 0..60 {
        let seen = see(&app, ask(&format!("user{n}@example.com"))).await;
        told += usize::from(seen.status == 400);
        refused = Some(seen);
    }

    assert_eq!(told, 50, "per hour and address");
    let unknown = see(&app, ask("nobody@example.com")).await;
    assert_eq!(unknown.status, 429);
    assert_eq!(refused.unwrap(), unknown);
}

#[tokio::test]
async fn an_invalid_sign_up_does_not_reveal_whether_an_email_exists() {
    let (app, _) = TestApp::with_user().await;
    let attempt = |email: &str, password: &str| {
        let body = json!({"email": email, "password": password});
        post("/user", &body)
    };

    for password in ["", "abc", &"x".repeat(1025)] {
        let known = see(&app, attempt("abc@example.com", password)).await;
        let unknown = see(&app, attempt("abd@example.com", password)).await;

        assert_eq!((known.status, known.hashes), (400, 0));
        assert_eq!(known.calls, []);
        assert_eq!(known, unknown);
    }
}

#[tokio::test]
async fn a_taken_email_costs_the_same_work_as_a_free_one() {
    let (app, _) = TestApp::with_user().await;
    let sign_up = |email: &str, address: &str| {
        let body = json!({"email": email, "password": PASSWORD});
        post("/user", &body).from(address)
    };

    let taken = see(&app, sign_up("abc@example.com", "192.0.2.20")).await;
    let free = see(&app, sign_up("abd@example.com", "192.0.2.21")).await;

    assert_eq!((taken.status, free.status), (400, 200));
    assert_eq!(taken.hashes, free.hashes);
    let operations = |seen: &Seen| -> Vec<_> {
        let calls = seen.calls.iter();
        calls.map(|(operation, ..)| operation.clone()).collect()
    };
    assert_eq!(operations(&taken), operations(&free));
}
