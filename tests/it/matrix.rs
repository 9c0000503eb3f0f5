//! Every route against every kind of credentials. Each cell's status is written down here.

use std::time::Duration;

use axum::body::Body;
use local::template::Template;
use serde_json::{Value, json};
use shared::ports::Clock;
use tests::app::{Call, PASSWORD, TestApp};

use crate::tokens::{claims, sign_with_foreign_key};

/// A route: method, path, a body that is good, and the status of each kind of credentials.
struct Route {
    method: &'static str,
    path: &'static str,
    /// A good body; the number makes it another's.
    body: fn(usize) -> Value,
    nothing: u16,
    token: u16,
    bad_token: u16,
    /// By mask: 0 to 15.
    key: [u16; 16],
    dead_key: u16,
    /// By mask of the key beside the token of its owner.
    both: [u16; 16],
    /// A token, and a key of somebody else's.
    of_two: u16,
}

const NONE: [u16; 16] = [403; 16];
const ALL: [u16; 16] = [200; 16];
/// 200 where the mask holds Read.
const READ: [u16; 16] = [
    403, 200, 403, 200, 403, 200, 403, 200, 403, 200, 403, 200, 403, 200, 403, 200,
];
/// 200 where the mask holds Write.
const WRITE: [u16; 16] = [
    403, 403, 200, 200, 403, 403, 200, 200, 403, 403, 200, 200, 403, 403, 200, 200,
];
/// 200 where the mask holds Create.
const CREATE: [u16; 16] = [
    403, 403, 403, 403, 403, 403, 403, 403, 200, 200, 200, 200, 200, 200, 200, 200,
];

fn nothing(_: usize) -> Value {
    json!({})
}

fn credentials(_: usize) -> Value {
    json!({"username": "person@example.com", "password": PASSWORD})
}

const ROUTES: [Route; 10] = [
    Route {
        method: "POST",
        path: "/user",
        body: |n| json!({"email": format!("new{n}@example.com"), "password": PASSWORD}),
        nothing: 200,
        token: 200,
        bad_token: 401,
        key: CREATE,
        dead_key: 401,
        both: CREATE,
        of_two: 401,
    },
    Route {
        method: "POST",
        path: "/user/auth",
        body: credentials,
        nothing: 200,
        token: 200,
        bad_token: 200,
        key: ALL,
        dead_key: 200,
        both: ALL,
        of_two: 200,
    },
    Route {
        method: "GET",
        path: "/user",
        body: nothing,
        nothing: 401,
        token: 200,
        bad_token: 401,
        key: READ,
        dead_key: 401,
        both: READ,
        of_two: 401,
    },
    Route {
        method: "POST",
        path: "/v1/auth/login",
        body: credentials,
        nothing: 200,
        token: 200,
        bad_token: 200,
        key: ALL,
        dead_key: 401,
        both: ALL,
        // The key need only be a live one, of anybody.
        of_two: 200,
    },
    Route {
        method: "GET",
        path: "/v1/auth/user",
        body: nothing,
        nothing: 401,
        token: 200,
        bad_token: 401,
        key: READ,
        dead_key: 401,
        both: READ,
        of_two: 401,
    },
    Route {
        method: "POST",
        path: "/v1/auth/user",
        body: |_| json!({"user": {"city": "Berlin"}}),
        nothing: 401,
        token: 200,
        bad_token: 401,
        key: WRITE,
        dead_key: 401,
        both: WRITE,
        of_two: 401,
    },
    Route {
        method: "POST",
        path: "/v1/auth/logout",
        body: nothing,
        nothing: 401,
        token: 200,
        bad_token: 401,
        // There is no token to end.
        key: [400; 16],
        dead_key: 401,
        both: ALL,
        of_two: 401,
    },
    Route {
        method: "POST",
        path: "/v1/api-keys",
        body: |_| json!({"name": "ci", "permissions": 1}),
        nothing: 401,
        token: 200,
        bad_token: 401,
        key: NONE,
        dead_key: 401,
        both: NONE,
        of_two: 401,
    },
    Route {
        method: "GET",
        path: "/v1/api-keys",
        body: nothing,
        nothing: 401,
        token: 200,
        bad_token: 401,
        key: NONE,
        dead_key: 401,
        both: NONE,
        of_two: 401,
    },
    Route {
        method: "DELETE",
        path: "/v1/api-keys/1",
        body: nothing,
        nothing: 401,
        token: 200,
        bad_token: 401,
        key: NONE,
        dead_key: 401,
        both: NONE,
        of_two: 401,
    },
];

/// Credentials, as a request may come with them.
#[derive(Debug, Clone, Copy)]
enum Credentials {
    Nothing,
    Token,
    ExpiredToken,
    RevokedToken,
    TokenOfForeignKey,
    TokenOfNobody,
    Key(u8),
    ExpiredKey,
    RevokedKey,
    UnknownKey,
    KeyOfNobody,
    Both(u8),
    TokenAndRevokedKey,
    TokenAndExpiredKey,
    ExpiredTokenAndKey,
    RevokedTokenAndKey,
    BothOfNobody,
    OfTwo,
}

impl Credentials {
    /// How a 401 for them begins: one for another reason is as wrong as a 200.
    fn message_of_401(self, path: &str) -> &'static str {
        if path == "/v1/auth/login" {
            return "Invalid API key";
        }
        match self {
            Self::Nothing => "authorization not found",
            Self::ExpiredToken | Self::ExpiredTokenAndKey => "Invalid JWT: jwt expired",
            Self::TokenOfForeignKey => "Invalid JWT: key or signature is invalid",
            Self::Token
            | Self::RevokedToken
            | Self::TokenOfNobody
            | Self::RevokedTokenAndKey
            | Self::BothOfNobody => "Bad token",
            Self::Key(_)
            | Self::ExpiredKey
            | Self::RevokedKey
            | Self::UnknownKey
            | Self::KeyOfNobody
            | Self::Both(_)
            | Self::TokenAndRevokedKey
            | Self::TokenAndExpiredKey
            | Self::OfTwo => "Invalid API key",
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
            (Credentials::TokenOfForeignKey, self.bad_token),
            (Credentials::TokenOfNobody, self.bad_token),
            (Credentials::ExpiredKey, self.dead_key),
            (Credentials::RevokedKey, self.dead_key),
            (Credentials::UnknownKey, self.dead_key),
            (Credentials::KeyOfNobody, self.dead_key),
            (Credentials::TokenAndRevokedKey, self.dead_key),
            (Credentials::TokenAndExpiredKey, self.dead_key),
            (Credentials::ExpiredTokenAndKey, self.bad_token),
            (Credentials::RevokedTokenAndKey, self.bad_token),
            (Credentials::BothOfNobody, self.dead_key),
            (Credentials::OfTwo, self.of_two),
        ];
        for (mask, (key, both)) in (0..16).zip(self.key.into_iter().zip(self.both)) {
            cells.push((Credentials::Key(mask), key));
            cells.push((Credentials::Both(mask), both));
        }
        cells
    }
}

/// An owner of a cell's own, with a token and an API key, number 1: what one cell does must not
/// show in another.
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
            Credentials::TokenOfForeignKey => {
                let claims = claims(&self.owner, self.app.clock.now());
                call.bearer(&sign_with_foreign_key(&claims))
            }
            Credentials::TokenOfNobody => {
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
            Credentials::BothOfNobody => {
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
            Credentials::KeyOfNobody => {
                let key = self.key(15).await;
                self.delete_owner().await;
                call.api_key(&key)
            }
            Credentials::Both(mask) => call.bearer(token).api_key(&self.key(mask).await),
            Credentials::TokenAndRevokedKey => {
                call.bearer(token).api_key(&self.revoked_key().await)
            }
            Credentials::OfTwo => {
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
        self.app
            .delete(users, &format!("user#{}", self.owner))
            .await;
    }
}

async fn check(method: &str, path: &str) {
    let route = ROUTES
        .iter()
        .find(|route| route.method == method && route.path == path);
    check_with(&[], route.unwrap()).await;
}

/// Room for the owners of all cells.
const ROOM: (&str, &str) = ("USER_SIGNUP_RATE_LIMIT_IP", "1000");

/// Checks every cell of a route, of a Latchkey with these settings.
async fn check_with(settings: &[(&str, &str)], route: &Route) {
    let (method, path) = (route.method, route.path);
    let app = TestApp::with(&[ROOM]).await;
    app.sign_up("person@example.com").await;
    let settings: Vec<_> = settings.iter().copied().chain([ROOM]).collect();
    let checked = app.another(&settings);
    for (n, (credentials, expected)) in route.cells().into_iter().enumerate() {
        let scene = Scene::set(&app, n).await;
        let body = Body::from((route.body)(n).to_string());
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

macro_rules! checks {
    ($($name:ident: $method:literal $path:literal,)*) => {$(
        #[tokio::test]
        async fn $name() {
            check($method, $path).await;
        }
    )*};
}

checks! {
    creating_a_user: "POST" "/user",
    signing_in: "POST" "/user/auth",
    getting_the_user: "GET" "/user",
    logging_in: "POST" "/v1/auth/login",
    getting_the_profile: "GET" "/v1/auth/user",
    updating_the_profile: "POST" "/v1/auth/user",
    logging_out: "POST" "/v1/auth/logout",
    creating_an_api_key: "POST" "/v1/api-keys",
    listing_api_keys: "GET" "/v1/api-keys",
    revoking_an_api_key: "DELETE" "/v1/api-keys/1",
}

#[tokio::test]
async fn creating_a_user_where_a_scope_is_needed_that_the_owner_has() {
    let guarded = Route {
        nothing: 401,
        ..ROUTES[0]
    };
    check_with(&[("API_USER_CREATE_SCOPE", "admin,user")], &guarded).await;
}

#[tokio::test]
async fn creating_a_user_where_a_scope_is_needed_that_the_owner_has_not() {
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
        .map(|route| format!("{} {}", route.method, route.path.replace("/1", "/{id}")))
        .collect();
    let routes = Template::checked_in().unwrap().routes;
    let mut there_are: Vec<_> = routes
        .iter()
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    checked.sort();
    there_are.sort();

    assert_eq!(checked, there_are);
}
