//! A matrix of every route and every kind of credentials, with the expected status of each cell.

use std::time::Duration;

use axum::body::Body;
use local::template::Template;
use serde_json::{Value, json};
use shared::ports::Clock;
use tests::app::{Call, PASSWORD, TestApp, account_key};

use crate::tokens::{claims, sign_with_foreign_key};

/// A route, and the expected status for each kind of credentials.
struct Route {
    method: &'static str,
    path: &'static str,
    /// A valid body, which the number makes unique.
    body: fn(usize) -> Value,
    nothing: u16,
    token: u16,
    bad_token: u16,
    /// By permission mask, 0 to 15.
    key: [u16; 16],
    bad_key: u16,
    /// A key with its owner's token, by permission mask.
    both: [u16; 16],
    /// A token, and the key of another account.
    of_two_accounts: u16,
}

const NONE: [u16; 16] = [403; 16];
const ALL: [u16; 16] = [200; 16];
/// 200 where the mask contains Read.
const READ: [u16; 16] = [
    403, 200, 403, 200, 403, 200, 403, 200, 403, 200, 403, 200, 403, 200, 403, 200,
];
/// 404 where the mask contains Read.
const READ_NOBODY: [u16; 16] = [
    403, 404, 403, 404, 403, 404, 403, 404, 403, 404, 403, 404, 403, 404, 403, 404,
];
/// 200 where the mask contains Write.
const WRITE: [u16; 16] = [
    403, 403, 200, 200, 403, 403, 200, 200, 403, 403, 200, 200, 403, 403, 200, 200,
];
/// 200 where the mask contains Create.
const CREATE: [u16; 16] = [
    403, 403, 403, 403, 403, 403, 403, 403, 200, 200, 200, 200, 200, 200, 200, 200,
];

fn nothing(_: usize) -> Value {
    json!({})
}

fn credentials(_: usize) -> Value {
    json!({"username": "person@example.com", "password": PASSWORD})
}

/// A route that requires credentials: these statuses for a token, and for a key alone or with its owner's
/// token.
const fn guarded(
    method: &'static str,
    path: &'static str,
    body: fn(usize) -> Value,
    token: u16,
    key: [u16; 16],
) -> Route {
    Route {
        method,
        path,
        body,
        nothing: 401,
        token,
        bad_token: 401,
        key,
        bad_key: 401,
        both: key,
        of_two_accounts: 401,
    }
}

/// A route that ignores credentials: this status with any of them.
const fn open(
    method: &'static str,
    path: &'static str,
    body: fn(usize) -> Value,
    status: u16,
) -> Route {
    Route {
        method,
        path,
        body,
        nothing: status,
        token: status,
        bad_token: status,
        key: [status; 16],
        bad_key: status,
        both: [status; 16],
        of_two_accounts: status,
    }
}

/// Declares the routes, and a test that checks every cell of each.
macro_rules! routes {
    ($($name:ident = $route:expr,)*) => {
        const ROUTES: &[Route] = &[$($route),*];
        $(
            #[tokio::test]
            async fn $name() {
                check_with(&[], &$route).await;
            }
        )*
    };
}

routes!(
    creating_a_user_matches_the_matrix = Route {
        method: "POST",
        path: "/user",
        body: |n| json!({"email": format!("new{n}@example.com"), "password": PASSWORD}),
        nothing: 200,
        token: 200,
        bad_token: 401,
        key: CREATE,
        bad_key: 401,
        both: CREATE,
        of_two_accounts: 401,
    },
    signing_in_matches_the_matrix = open("POST", "/user/auth", credentials, 200),
    getting_the_user_matches_the_matrix = guarded("GET", "/user", nothing, 200, READ),
    changing_the_password_matches_the_matrix = guarded(
        "POST",
        "/user/change-password",
        |_| json!({"oldPassword": PASSWORD, "newPassword": PASSWORD}),
        200,
        NONE
    ),
    changing_the_username_matches_the_matrix = guarded(
        "POST",
        "/user/change-username",
        |n| json!({"username": format!("name{n}"), "password": PASSWORD}),
        200,
        NONE
    ),
    listing_sessions_matches_the_matrix = guarded("GET", "/user/sessions", nothing, 200, NONE),
    ending_the_sessions_matches_the_matrix =
        guarded("DELETE", "/user/sessions", nothing, 200, NONE),
    ending_a_session_matches_the_matrix = guarded("DELETE", "/user/sessions/1", nothing, 404, NONE),
    exporting_the_user_matches_the_matrix = guarded("GET", "/user/export", nothing, 200, NONE),
    deleting_the_user_matches_the_matrix = guarded(
        "DELETE",
        "/user",
        |_| json!({"password": PASSWORD}),
        200,
        NONE
    ),
    resetting_a_password_matches_the_matrix = guarded(
        "POST",
        "/user/reset-password",
        |_| json!({"email": "person@example.com", "password": PASSWORD}),
        200,
        NONE
    ),
    listing_users_matches_the_matrix = guarded("GET", "/users", nothing, 200, READ),
    counting_users_matches_the_matrix = guarded("GET", "/users/count", nothing, 200, READ),
    reading_a_user_matches_the_matrix = guarded("GET", "/users/1", nothing, 404, READ_NOBODY),
    changing_a_user_matches_the_matrix = guarded("PUT", "/users/1", nothing, 404, NONE),
    deleting_a_user_matches_the_matrix = guarded("DELETE", "/users/1", nothing, 404, NONE),
    reading_a_deletion_matches_the_matrix = guarded(
        "GET",
        "/users/1/delete-status/ticket",
        nothing,
        404,
        READ_NOBODY
    ),
    logging_in_matches_the_matrix = Route {
        method: "POST",
        path: "/v1/auth/login",
        body: credentials,
        nothing: 200,
        token: 200,
        bad_token: 200,
        key: ALL,
        bad_key: 401,
        both: ALL,
        // The key may belong to any account.
        of_two_accounts: 200,
    },
    getting_the_profile_matches_the_matrix = guarded("GET", "/v1/auth/user", nothing, 200, READ),
    updating_the_profile_matches_the_matrix = guarded(
        "POST",
        "/v1/auth/user",
        |_| json!({"user": {"city": "Berlin"}}),
        200,
        WRITE
    ),
    logging_out_matches_the_matrix = Route {
        method: "POST",
        path: "/v1/auth/logout",
        body: nothing,
        nothing: 401,
        token: 200,
        bad_token: 401,
        // There is no token to revoke.
        key: [400; 16],
        bad_key: 401,
        both: ALL,
        of_two_accounts: 401,
    },
    creating_an_api_key_matches_the_matrix = guarded(
        "POST",
        "/v1/api-keys",
        |_| json!({"name": "ci", "permissions": 1}),
        200,
        NONE
    ),
    listing_api_keys_matches_the_matrix = guarded("GET", "/v1/api-keys", nothing, 200, NONE),
    revoking_an_api_key_matches_the_matrix =
        guarded("DELETE", "/v1/api-keys/1", nothing, 200, NONE),
    asking_to_verify_the_email_matches_the_matrix =
        guarded("POST", "/user/verify-email", nothing, 200, NONE),
    confirming_an_email_matches_the_matrix = open(
        "POST",
        "/user/verify-email/confirm",
        |_| json!({"code": "unknown"}),
        400
    ),
    forgetting_the_password_matches_the_matrix = open(
        "POST",
        "/user/forgot-password",
        |_| json!({"email": "person@example.com"}),
        200
    ),
    resetting_a_forgotten_password_matches_the_matrix = open(
        "POST",
        "/user/forgot-password/reset",
        |_| json!({"code": "unknown", "password": "battery-staple-7"}),
        400
    ),
    changing_the_email_matches_the_matrix = guarded(
        "POST",
        "/user/change-email",
        |n| json!({"email": format!("new{n}@example.com"), "password": PASSWORD}),
        200,
        NONE
    ),
    confirming_another_email_matches_the_matrix = guarded(
        "POST",
        "/user/change-email/confirm",
        |_| json!({"code": "unknown"}),
        400,
        NONE
    ),
    refreshing_a_session_matches_the_matrix = open("POST", "/v1/auth/refresh", nothing, 400),
    introspecting_a_token_matches_the_matrix = guarded(
        "POST",
        "/oauth/introspect",
        |_| json!("token=unknown"),
        200,
        READ
    ),
    revoking_a_token_matches_the_matrix =
        open("POST", "/oauth/revoke", |_| json!("token=unknown"), 200),
    getting_the_key_set_matches_the_matrix = open("GET", "/.well-known/jwks.json", nothing, 200),
    discovering_the_provider_matches_the_matrix =
        open("GET", "/.well-known/openid-configuration", nothing, 404),
    discovering_the_server_matches_the_matrix = open(
        "GET",
        "/.well-known/oauth-authorization-server",
        nothing,
        404
    ),
);

#[derive(Debug, Clone, Copy)]
enum Credentials {
    Nothing,
    Token,
    ExpiredToken,
    RevokedToken,
    TokenWithForeignKey,
    TokenOfDeletedAccount,
    Key(u8),
    ExpiredKey,
    RevokedKey,
    UnknownKey,
    KeyOfDeletedAccount,
    Both(u8),
    TokenAndRevokedKey,
    TokenAndExpiredKey,
    ExpiredTokenAndKey,
    RevokedTokenAndKey,
    BothOfDeletedAccount,
    OfTwoAccounts,
}

impl Credentials {
    /// The start of the message of a 401 for these credentials: a 401 for another reason is wrong.
    fn message_of_401(self, path: &str) -> &'static str {
        if path == "/v1/auth/login" {
            return "Invalid API key";
        }
        match self {
            Self::Nothing => "authorization not found",
            Self::ExpiredToken | Self::ExpiredTokenAndKey => "Invalid JWT: jwt expired",
            Self::TokenWithForeignKey => "Invalid JWT: key or signature is invalid",
            Self::Token
            | Self::RevokedToken
            | Self::TokenOfDeletedAccount
            | Self::RevokedTokenAndKey
            | Self::BothOfDeletedAccount => "Bad token",
            Self::Key(_)
            | Self::ExpiredKey
            | Self::RevokedKey
            | Self::UnknownKey
            | Self::KeyOfDeletedAccount
            | Self::Both(_)
            | Self::TokenAndRevokedKey
            | Self::TokenAndExpiredKey
            | Self::OfTwoAccounts => "Invalid API key",
        }
    }
}

impl Route {
    fn cells(&self) -> Vec<(Credentials, u16)> {
        let mut cells = vec![
            (Credentials::Nothing, self.nothing),
            (Credentials::Token, self.token),
            (Credentials::ExpiredToken, self.bad_token),
            (Credentials::RevokedToken, self.bad_token),
            (Credentials::TokenWithForeignKey, self.bad_token),
            (Credentials::TokenOfDeletedAccount, self.bad_token),
            (Credentials::ExpiredKey, self.bad_key),
            (Credentials::RevokedKey, self.bad_key),
            (Credentials::UnknownKey, self.bad_key),
            (Credentials::KeyOfDeletedAccount, self.bad_key),
            (Credentials::TokenAndRevokedKey, self.bad_key),
            (Credentials::TokenAndExpiredKey, self.bad_key),
            (Credentials::ExpiredTokenAndKey, self.bad_token),
            (Credentials::RevokedTokenAndKey, self.bad_token),
            (Credentials::BothOfDeletedAccount, self.bad_key),
            (Credentials::OfTwoAccounts, self.of_two_accounts),
        ];
        for (mask, (key, both)) in (0..16).zip(self.key.into_iter().zip(self.both)) {
            cells.push((Credentials::Key(mask), key));
            cells.push((Credentials::Both(mask), both));
        }
        cells
    }
}

/// A separate account for one cell, with a token and the API key 1, so that cells do not interfere.
struct Scene<'a> {
    app: &'a TestApp,
    owner: String,
    token: String,
}

impl<'a> Scene<'a> {
    async fn set(app: &'a TestApp, n: usize) -> Self {
        let owner = app.sign_up(&format!("owner{n}@example.com")).await;
        let token = owner.token();
        app.api_key(&token, 1).await;
        Self {
            app,
            owner: owner.text("/user/id"),
            token,
        }
    }

    async fn present(&self, call: Call, credentials: Credentials) -> Call {
        let token = &self.token;
        match credentials {
            Credentials::Nothing => call,
            Credentials::Token => call.bearer(token),
            Credentials::ExpiredToken => {
                self.app.clock.advance(Duration::from_hours(30 * 24));
                call.bearer(token)
            }
            Credentials::RevokedToken => {
                assert_eq!(self.app.log_out(token).await.status, 200);
                call.bearer(token)
            }
            Credentials::TokenWithForeignKey => {
                let claims = claims(&self.owner, self.app.clock.now());
                call.bearer(&sign_with_foreign_key(&claims))
            }
            Credentials::TokenOfDeletedAccount => {
                self.delete_owner().await;
                call.bearer(token)
            }
            Credentials::Key(mask) => call.api_key(&self.key(mask).await),
            Credentials::ExpiredTokenAndKey => {
                let key = self.key(15).await;
                self.app.clock.advance(Duration::from_hours(30 * 24));
                call.bearer(token).api_key(&key)
            }
            Credentials::RevokedTokenAndKey => {
                let key = self.key(15).await;
                assert_eq!(self.app.log_out(token).await.status, 200);
                call.bearer(token).api_key(&key)
            }
            Credentials::BothOfDeletedAccount => {
                let key = self.key(15).await;
                self.delete_owner().await;
                call.bearer(token).api_key(&key)
            }
            Credentials::ExpiredKey => call.api_key(&self.expired_key().await),
            Credentials::TokenAndExpiredKey => {
                call.bearer(token).api_key(&self.expired_key().await)
            }
            Credentials::RevokedKey => call.api_key(&self.revoked_key().await),
            Credentials::UnknownKey => call.api_key("api_ABCDEFGHIJKLMNOPQRSTUVWX"),
            Credentials::KeyOfDeletedAccount => {
                let key = self.key(15).await;
                self.delete_owner().await;
                call.api_key(&key)
            }
            Credentials::Both(mask) => call.bearer(token).api_key(&self.key(mask).await),
            Credentials::TokenAndRevokedKey => {
                call.bearer(token).api_key(&self.revoked_key().await)
            }
            Credentials::OfTwoAccounts => {
                let other = self.app.log_in("person@example.com", PASSWORD).await;
                call.bearer(&other.token()).api_key(&self.key(15).await)
            }
        }
    }

    async fn key(&self, mask: u8) -> String {
        self.app.api_key(&self.token, mask).await
    }

    async fn expired_key(&self) -> String {
        let soon = self.app.clock.now().plus(Duration::from_secs(1));
        let body = json!({"name": "x", "permissions": 15, "expireDate": soon.to_rfc3339()});
        let key = self.app.create_api_key(&self.token, body).await;
        self.app.clock.advance(Duration::from_secs(1));
        key.body["apiKey"]["key"].as_str().unwrap().to_owned()
    }

    async fn revoked_key(&self) -> String {
        let key = self.key(15).await;
        assert_eq!(self.app.revoke_api_key(&self.token, 2).await.status, 200);
        key
    }

    async fn delete_owner(&self) {
        let users = &self.app.app.config.tables.users;
        self.app.delete(users, &account_key(&self.owner)).await;
    }
}

/// The scope that the owner in each cell has. Others get 403 from these routes.
fn required_scope(path: &str) -> Option<&'static str> {
    if path.starts_with("/users") || path == "/user/reset-password" {
        Some("admin")
    } else {
        (path == "/oauth/introspect").then_some("introspect")
    }
}

/// The body as JSON; a string as it is.
fn sent(body: &Value) -> Body {
    let form = body.as_str().map(str::to_owned);
    form.unwrap_or_else(|| body.to_string()).into()
}

#[tokio::test]
async fn a_caller_without_the_required_scope_is_refused() {
    let (app, token) = TestApp::with_user().await;
    let key = app.api_key(&token, 15).await;
    let id = app.user_id(&token).await;
    for (route, scope) in ROUTES
        .iter()
        .filter_map(|route| Some((route, required_scope(route.path)?)))
    {
        let other = if scope == "admin" {
            "introspect"
        } else {
            "admin"
        };
        app.grant(&id, &["user", other]).await;
        let body = || sent(&(route.body)(0));
        let call = || Call::new(route.method, route.path, body());
        for call in [
            call().bearer(&token),
            call().api_key(&key),
            call().bearer(&token).api_key(&key),
        ] {
            let answer = app.call(call).await;
            assert_eq!(answer.status, 403, "{} {}", route.method, route.path);
        }
    }
}

/// Admits the sign-ups of all cells.
const ADMIT_ALL: (&str, &str) = ("USER_SIGNUP_RATE_LIMIT_IP", "1000");

/// Checks every cell of a route under these settings.
async fn check_with(settings: &[(&str, &str)], route: &Route) {
    let (method, path) = (route.method, route.path);
    let app = TestApp::with(&[ADMIT_ALL]).await;
    app.sign_up("person@example.com").await;
    let settings: Vec<_> = settings.iter().copied().chain([ADMIT_ALL]).collect();
    let checked = app.another(&settings);
    for (n, (credentials, expected)) in route.cells().into_iter().enumerate() {
        let scene = Scene::set(&app, n).await;
        if let Some(scope) = required_scope(path) {
            app.grant(&scene.owner, &[scope]).await;
        }
        let body = sent(&(route.body)(n));
        let call = Call::new(route.method, route.path, body);
        let call = scene.present(call, credentials).await;

        let answer = checked.call(call).await;

        assert_eq!(
            answer.status, expected,
            "{method} {path} with {credentials:?}: {answer:?}"
        );
        let is_management = path.starts_with("/v1/");
        assert_eq!(answer.body["success"].is_boolean(), is_management);
        if expected == 401 {
            let message = credentials.message_of_401(path);
            assert!(
                answer.message().starts_with(message),
                "{method} {path} with {credentials:?}: {answer:?}"
            );
        }
    }
}

#[tokio::test]
async fn creating_a_user_with_the_required_scope_matches_the_matrix() {
    let guarded = Route {
        nothing: 401,
        ..ROUTES[0]
    };
    check_with(&[("API_USER_CREATE_SCOPE", "admin,user")], &guarded).await;
}

#[tokio::test]
async fn creating_a_user_without_the_required_scope_matches_the_matrix() {
    let guarded = Route {
        nothing: 401,
        token: 403,
        key: NONE,
        both: NONE,
        ..ROUTES[0]
    };
    check_with(&[("API_USER_CREATE_SCOPE", "admin")], &guarded).await;
}

#[test]
fn every_route_of_the_template_is_in_the_matrix() {
    let mut checked: Vec<_> = ROUTES
        .iter()
        .map(|route| {
            let path = route.path.replace("/1", "/{id}");
            format!("{} {}", route.method, path.replace("/ticket", "/{ticket}"))
        })
        .collect();
    let routes = Template::checked_in().unwrap().routes;
    let mut in_template: Vec<_> = routes
        .iter()
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    checked.sort();
    in_template.sort();

    assert_eq!(checked, in_template);
}
