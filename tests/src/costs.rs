//! Measures the cost of requests: sequential round trips, capacity units as the engine counts them, and
//! password hashes. The figures are the same on every machine.

use std::time::Duration;

use axum::body::Body;
use serde_json::{Value, json};

use crate::app::{Call, MAIL, PASSWORD, TestApp, get, post, post_form};
use crate::call::claim_of;
use crate::wire::Cost;

#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// A description, which starts with the method and path, or with the name of a function without a route.
    pub request: &'static str,
    /// How many password hashes were computed.
    pub hashes: u64,
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

    let mut rows = measure_all(&app, appmixer(&token, &admin.token(), &key)).await;
    rows.extend(measure_all(&app, management(&token, &key)).await);
    let id = app.user_id(&admin.token()).await;
    rows.extend(measure_all(&app, administration(&admin.token(), &id)).await);
    let token = app.sign_in("abc@example.com", PASSWORD).await.token();
    let other = app.sign_in("abc@example.com", PASSWORD).await.token();
    rows.extend(measure_all(&app, own_account(&token, &other)).await);
    rows.extend(removal(&app, &admin.token()).await);
    rows.extend(mail().await);
    rows.extend(webhook().await);
    rows.push(authorization().await);
    rows.extend(key_set().await);
    rows.extend(refresh().await);
    rows.extend(introspection().await);
    rows
}

/// Runs `action`, and returns its cost and its result.
async fn cost_of<T>(
    app: &TestApp,
    request: &'static str,
    action: impl Future<Output = T>,
) -> (Row, T) {
    let hasher = &app.app.hasher;
    let (_, before) = (app.cost(), hasher.computed());
    let result = action.await;
    let row = Row {
        request,
        hashes: hasher.computed() - before,
        cost: app.cost(),
    };
    (row, result)
}

/// Sends requests. Panics if one has another status.
async fn measure_all(app: &TestApp, cases: Vec<Case>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (request, status, call) in cases {
        let (row, answer) = cost_of(app, request, app.call(call)).await;
        assert_eq!(answer.status, status, "{request}: {answer:?}");
        rows.push(row);
    }
    rows
}

/// The deletion of another account by an administrator, and the erasure behind it.
async fn removal(app: &TestApp, admin: &str) -> [Row; 3] {
    let named = json!({"username": "jkl", "email": "jkl@example.com", "password": PASSWORD});
    let token = app.call(post("/user", &named)).await.token();
    app.api_key(&token, 1).await;
    let id = app.user_id(&token).await;
    let remove = Call::new("DELETE", &format!("/users/{id}"), Body::empty()).bearer(admin);
    let (removal, removed) = cost_of(app, "DELETE /users/{id}", app.call(remove)).await;
    let key = format!("user#{id}");
    let request = "erase-account, one key and session";
    let (erasure, is_erased) = cost_of(app, request, app.erase_account(&key)).await;
    assert!(is_erased);
    let ticket = removed.text("/ticket");
    let status = get(&format!("/users/{id}/delete-status/{ticket}")).bearer(admin);
    let request = "GET /users/{id}/delete-status/{ticket}";
    let (status, answer) = cost_of(app, request, app.call(status)).await;
    assert_eq!(answer.text("/status"), "completed");
    [removal, erasure, status]
}

/// The public keys.
async fn key_set() -> Vec<Row> {
    let path = "/.well-known/jwks.json";
    let case = ("GET /.well-known/jwks.json", 200, get(path));
    measure_all(&TestApp::new().await, vec![case]).await
}

/// A refresh of a session.
async fn refresh() -> Vec<Row> {
    let (app, _) = TestApp::with_user().await;
    let log_in = json!({"username": "abc@example.com", "password": PASSWORD, "refresh": true});
    let logged_in = app.call(post("/v1/auth/login", &log_in)).await;
    let token = json!({"refreshToken": logged_in.text("/refreshToken")});
    let refresh = post("/v1/auth/refresh", &token);
    measure_all(&app, vec![("POST /v1/auth/refresh", 200, refresh)]).await
}

/// What a service asks about a token, with its own token and with its API key, and the revocation.
async fn introspection() -> Vec<Row> {
    let (app, service) = TestApp::with_user().await;
    let id = app.user_id(&service).await;
    app.grant(&id, &["user", "introspect"]).await;
    let key = app.api_key(&service, 1).await;
    let token = app.sign_up("ana@example.com").await.token();
    let form = |path| post_form(path, &[("token", &token)]);
    let ask = || form("/oauth/introspect");
    let cases = vec![
        ("POST /oauth/introspect", 200, ask().bearer(&service)),
        (
            "POST /oauth/introspect by API key",
            200,
            ask().api_key(&key),
        ),
        ("POST /oauth/revoke", 200, form("/oauth/revoke")),
    ];
    measure_all(&app, cases).await
}

/// The requests around mail.
async fn mail() -> Vec<Row> {
    let app = TestApp::with_mail().await;
    let new = json!({"email": "abc@example.com", "username": "abc", "password": PASSWORD});
    let sign_up = app.call(post("/user", &new));
    let (row, signed_up) = cost_of(&app, "POST /user with a username, mail on", sign_up).await;
    let (token, mut rows) = (signed_up.token(), vec![row]);
    let verification = app.mailed_code().await;
    let mut measure = async |request, call: Call| {
        rows.extend(measure_all(&app, vec![(request, 200, call)]).await);
    };
    let ask = post("/user/verify-email", &json!({})).bearer(&token);
    measure("POST /user/verify-email", ask).await;
    let confirm = json!({ "code": verification });
    let confirm = post("/user/verify-email/confirm", &confirm);
    measure("POST /user/verify-email/confirm", confirm).await;
    let forget = post(
        "/user/forgot-password",
        &json!({"email": "abc@example.com"}),
    );
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
async fn webhook() -> Vec<Row> {
    let url = ("WEBHOOK_USER_CREATED", "https://hooks.example.com/");
    let app = TestApp::with(&[MAIL[0], MAIL[1], url]).await;
    let new = json!({"email": "abc@example.com", "username": "abc", "password": PASSWORD});
    let request = "POST /user with a username, mail and a webhook on";
    measure_all(&app, vec![(request, 200, post("/user", &new))]).await
}

/// A check of a token by the Lambda authorizer.
async fn authorization() -> Row {
    let (app, token) = TestApp::with_user().await;
    let headers = json!({ "authorization": format!("Bearer {token}") });
    let event = json!({"version": "2.0", "headers": headers});
    let check = app.operate("authorize", event);
    let (row, response) = cost_of(&app, "authorize, a token", check).await;
    response.expect("a response");
    row
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
