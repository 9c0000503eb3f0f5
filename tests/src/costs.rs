//! Measures the cost of requests: sequential round trips, and capacity units as the engine counts
//! them. The figures are the same on every machine.

use std::time::Duration;

use axum::body::Body;
use serde_json::{Value, json};

use crate::app::{Call, MAIL, PASSWORD, TestApp, get, post, post_form};
use crate::call::claim_of;
use crate::wire::Cost;

#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// A description, which starts with the method and path.
    pub request: &'static str,
    pub cost: Cost,
}

/// The description of a request, the expected status, and the request.
type Case = (&'static str, u16, Call);

/// Sends each kind of request once, and returns the costs.
///
/// Needs a single-threaded runtime: with more threads, concurrent calls may count as sequential.
pub async fn measure() -> Vec<Row> {
    let (app, token) = TestApp::with_user().await;
    let admin = app.sign_up("admin@example.com").await;
    let admin_id = admin.body["user"]["id"].as_str().expect("an id");
    app.grant(admin_id, &["admin"]).await;
    app.update_profile(&token, json!({"city": "Berlin"})).await;
    let key = app.api_key(&token, 1).await;

    let appmixer = appmixer(&token, &admin.token(), &key);
    let mut rows = Vec::new();
    for (request, status, call) in appmixer.into_iter().chain(management(&token, &key)) {
        let _ = app.cost();
        let answer = app.call(call).await;
        assert_eq!(answer.status, status, "{request}: {answer:?}");
        let cost = app.cost();
        rows.push(Row { request, cost });
    }
    let id = app.user_id(&admin.token()).await;
    for (request, status, call) in administration(&admin.token(), &id) {
        let _ = app.cost();
        let answer = app.call(call).await;
        assert_eq!(answer.status, status, "{request}: {answer:?}");
        let cost = app.cost();
        rows.push(Row { request, cost });
    }
    let token = app.sign_in("abc@example.com", PASSWORD).await.token();
    let other = app.sign_in("abc@example.com", PASSWORD).await.token();
    for (request, status, call) in own_account(&token, &other) {
        let _ = app.cost();
        let answer = app.call(call).await;
        assert_eq!(answer.status, status, "{request}: {answer:?}");
        let cost = app.cost();
        rows.push(Row { request, cost });
    }
    rows.extend(removal(&app, &admin.token()).await);
    rows.extend(mail().await);
    rows.push(webhook().await);
    rows.push(authorization().await);
    rows.push(key_set().await);
    rows.push(refresh().await);
    rows.extend(introspection().await);
    rows
}

/// The deletion of another account by an administrator, and the erasure behind it.
async fn removal(app: &TestApp, admin: &str) -> Vec<Row> {
    let named = json!({"username": "jkl", "email": "jkl@example.com", "password": PASSWORD});
    let token = app.call(post("/user", &named)).await.token();
    app.api_key(&token, 1).await;
    let id = app.user_id(&token).await;
    let mut rows = Vec::new();
    let remove = Call::new("DELETE", &format!("/users/{id}"), Body::empty());
    let _ = app.cost();
    let removed = app.call(remove.bearer(admin)).await;
    rows.push(Row {
        request: "DELETE /users/{id}",
        cost: app.cost(),
    });
    assert!(app.erase_account(&format!("user#{id}")).await);
    rows.push(Row {
        request: "the erasure behind it, of one key and session",
        cost: app.cost(),
    });
    let ticket = removed.text("/ticket");
    let status = get(&format!("/users/{id}/delete-status/{ticket}"));
    let status = app.call(status.bearer(admin)).await;
    assert_eq!(status.text("/status"), "completed");
    rows.push(Row {
        request: "GET /users/{id}/delete-status/{ticket}",
        cost: app.cost(),
    });
    rows
}

/// The public keys.
async fn key_set() -> Row {
    let app = TestApp::new().await;
    assert_eq!(app.call(get("/.well-known/jwks.json")).await.status, 200);
    Row {
        request: "GET /.well-known/jwks.json",
        cost: app.cost(),
    }
}

/// A refresh of a session.
async fn refresh() -> Row {
    let (app, _) = TestApp::with_user().await;
    let log_in = json!({"username": "abc@example.com", "password": PASSWORD, "refresh": true});
    let logged_in = app.call(post("/v1/auth/login", &log_in)).await;
    let token = json!({"refreshToken": logged_in.text("/refreshToken")});
    let _ = app.cost();
    let refreshed = app.call(post("/v1/auth/refresh", &token)).await;
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    Row {
        request: "POST /v1/auth/refresh",
        cost: app.cost(),
    }
}

/// What a service asks about a token, with its own token and with its API key, and the revocation.
async fn introspection() -> Vec<Row> {
    let (app, service) = TestApp::with_user().await;
    let id = app.user_id(&service).await;
    app.grant(&id, &["user", "introspect"]).await;
    let key = app.api_key(&service, 1).await;
    let token = app.sign_up("ana@example.com").await.token();
    let form = |path| post_form(path, &[("token", &token)]);
    let mut rows = Vec::new();
    for (request, call) in [
        (
            "POST /oauth/introspect",
            form("/oauth/introspect").bearer(&service),
        ),
        (
            "POST /oauth/introspect by API key",
            form("/oauth/introspect").api_key(&key),
        ),
        ("POST /oauth/revoke", form("/oauth/revoke")),
    ] {
        let _ = app.cost();
        let answer = app.call(call).await;
        assert_eq!(answer.status, 200, "{request}: {answer:?}");
        let cost = app.cost();
        rows.push(Row { request, cost });
    }
    rows
}

/// The requests around mail.
async fn mail() -> Vec<Row> {
    let app = TestApp::with_mail().await;
    let new = json!({"email": "abc@example.com", "username": "abc", "password": PASSWORD});
    let _ = app.cost();
    let token = app.call(post("/user", &new)).await.token();
    let mut rows = vec![Row {
        request: "POST /user with a username, mail on",
        cost: app.cost(),
    }];
    let verification = app.mailed_code().await;
    let forgotten = json!({"email": "abc@example.com"});
    let mut measure = async |request, call: Call| {
        let _ = app.cost();
        let answer = app.call(call).await;
        assert_eq!(answer.status, 200, "{request}: {answer:?}");
        let cost = app.cost();
        rows.push(Row { request, cost });
    };
    let ask = post("/user/verify-email", &json!({})).bearer(&token);
    measure("POST /user/verify-email", ask).await;
    let confirm = post(
        "/user/verify-email/confirm",
        &json!({ "code": verification }),
    );
    measure("POST /user/verify-email/confirm", confirm).await;
    let forget = post("/user/forgot-password", &forgotten);
    measure("POST /user/forgot-password", forget).await;
    app.deliver().await;
    let change = json!({"email": "def@example.com", "password": PASSWORD});
    let change = post("/user/change-email", &change).bearer(&token);
    measure("POST /user/change-email", change).await;
    let confirm = json!({"code": app.mailed_code().await});
    let confirm = post("/user/change-email/confirm", &confirm).bearer(&token);
    measure("POST /user/change-email/confirm", confirm).await;
    app.clock.advance(Duration::from_millis(1));
    app.forget_password("def@example.com").await;
    let reset = json!({"code": app.mailed_code().await, "password": PASSWORD});
    let reset = post("/user/forgot-password/reset", &reset);
    measure("POST /user/forgot-password/reset", reset).await;
    rows
}

/// A sign-up that a receiver is told of.
async fn webhook() -> Row {
    let url = ("WEBHOOK_USER_CREATED", "https://hooks.example.com/");
    let app = TestApp::with(&[MAIL[0], MAIL[1], url]).await;
    let new = json!({"email": "abc@example.com", "username": "abc", "password": PASSWORD});
    let _ = app.cost();
    app.call(post("/user", &new)).await;
    Row {
        request: "POST /user with a username, mail and a webhook on",
        cost: app.cost(),
    }
}

/// A check of a token by the Lambda authorizer.
async fn authorization() -> Row {
    let (app, token) = TestApp::with_user().await;
    let headers = json!({ "authorization": format!("Bearer {token}") });
    let event = json!({"version": "2.0", "headers": headers});
    let _ = app.cost();
    app.operate("authorize", event).await.expect("a response");
    Row {
        request: "authorize, a token",
        cost: app.cost(),
    }
}

/// The requests of an administrator, about the own account.
fn administration(token: &str, id: &str) -> Vec<Case> {
    let user = format!("/users/{id}");
    let put = |change: Value| Call::new("PUT", &user, change.to_string().into()).bearer(token);
    let reset = json!({"email": "abc@example.com", "password": PASSWORD});
    vec![
        ("GET /users", 200, get("/users").bearer(token)),
        ("GET /users/count", 200, get("/users/count").bearer(token)),
        ("GET /users/{id}", 200, get(&user).bearer(token)),
        (
            "PUT /users/{id}, a field",
            200,
            put(json!({"vendor": ["acme"]})),
        ),
        (
            "PUT /users/{id}, metadata",
            200,
            put(json!({"metadata": {"team": "blue"}})),
        ),
        (
            "PUT /users/{id}, another email",
            200,
            put(json!({"email": "e@example.com"})),
        ),
        (
            "POST /user/reset-password",
            200,
            post("/user/reset-password", &reset).bearer(token),
        ),
    ]
}

/// The requests of a user about the own account. `other` is a token of another session.
fn own_account(token: &str, other: &str) -> Vec<Case> {
    let change = json!({"oldPassword": PASSWORD, "newPassword": PASSWORD});
    let rename = json!({"username": "ghi", "password": PASSWORD});
    let delete = |path: &str, body: Value| Call::new("DELETE", path, body.to_string().into());
    let session = format!(
        "/user/sessions/{}",
        claim_of(other, "sid").expect("a token")
    );
    vec![
        (
            "GET /user/sessions",
            200,
            get("/user/sessions").bearer(token),
        ),
        ("GET /user/export", 200, get("/user/export").bearer(token)),
        (
            "DELETE /user/sessions/{id}",
            200,
            delete(&session, json!({})).bearer(token),
        ),
        (
            "DELETE /user/sessions?except=current",
            200,
            delete("/user/sessions?except=current", json!({})).bearer(token),
        ),
        (
            "POST /user/change-password",
            200,
            post("/user/change-password", &change).bearer(token),
        ),
        (
            "POST /user/change-username",
            200,
            post("/user/change-username", &rename).bearer(token),
        ),
        (
            "DELETE /user",
            200,
            delete("/user", json!({"password": PASSWORD})).bearer(token),
        ),
    ]
}

fn appmixer(token: &str, admin: &str, key: &str) -> Vec<Case> {
    let user = || get("/user");
    let sign_up = |email: &str| post("/user", &json!({"email": email, "password": PASSWORD}));
    let named = json!({"username": "def", "email": "d@example.com", "password": PASSWORD});
    let described = json!({"email": "e@example.org", "password": PASSWORD, "metadata": {"a": 1}});
    let sign_in = |username: &str, password: &str| {
        let body = json!({"username": username, "password": password});
        post("/user/auth", &body)
    };
    let guess = "api_ABCDEFGHIJKLMNOPQRSTUVWX";
    let right = || sign_in("abc@example.com", PASSWORD);
    // From a source that is not familiar.
    let wrong = sign_in("abc@example.com", "guess1").from("192.0.2.9");
    let unknown = sign_in("nobody@example.com", "guess1");
    let by_admin = sign_up("b@example.com").bearer(admin);
    let by_user = sign_up("c@example.com").bearer(token);
    vec![
        ("GET /user", 200, user().bearer(token)),
        ("GET /user by API key", 200, user().api_key(key)),
        ("GET /user by a guessed API key", 401, user().api_key(guess)),
        ("GET /user, malformed token", 401, user().bearer("a.b.c")),
        ("POST /user", 200, sign_up("a@example.com")),
        ("POST /user with a username", 200, post("/user", &named)),
        ("POST /user with metadata", 200, post("/user", &described)),
        ("POST /user by an admin", 200, by_admin),
        ("POST /user with other credentials", 200, by_user),
        ("POST /user/auth from a new source", 200, right()),
        ("POST /user/auth", 200, right()),
        ("POST /user/auth, wrong password", 403, wrong),
        ("POST /user/auth, unknown user", 403, unknown),
    ]
}

fn management(token: &str, key: &str) -> Vec<Case> {
    let login = json!({"username": "abc@example.com", "password": PASSWORD});
    let profile = || get("/v1/auth/user");
    let update = |user: Value| post("/v1/auth/user", &json!({ "user": user })).bearer(token);
    let city = json!({"city": "Bonn"});
    let setting = json!({"settings": [{"category": "ui", "name": "theme"}]});
    let new_key = post("/v1/api-keys", &json!({"name": "ci", "permissions": 1}));
    let keys = get("/v1/api-keys").bearer(token);
    let revoke = Call::new("DELETE", "/v1/api-keys/2", Body::empty());
    let logout = post("/v1/auth/logout", &json!({}));
    vec![
        ("POST /v1/auth/login", 200, post("/v1/auth/login", &login)),
        ("GET /v1/auth/user", 200, profile().bearer(token)),
        ("GET /v1/auth/user by API key", 200, profile().api_key(key)),
        ("POST /v1/auth/user, a field", 200, update(city.clone())),
        ("POST /v1/auth/user, a new setting", 200, update(setting)),
        ("POST /v1/auth/user, nothing new", 200, update(city)),
        ("POST /v1/api-keys", 200, new_key.bearer(token)),
        ("GET /v1/api-keys", 200, keys),
        ("DELETE /v1/api-keys/{id}", 200, revoke.bearer(token)),
        ("POST /v1/auth/logout", 200, logout.bearer(token)),
    ]
}
