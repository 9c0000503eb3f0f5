//! An administrator, and somebody else's account.

use std::time::Duration;

use serde_json::{Value, json};
use tests::app::{PASSWORD, TestApp, post, post_form};

pub(crate) struct Scene {
    pub(crate) app: TestApp,
    /// The administrator's token.
    pub(crate) admin: String,
    /// The account's id.
    pub(crate) id: String,
    /// A token of the account.
    pub(crate) token: String,
}

impl Scene {
    /// The account has this username, and the email with it at `example.com`.
    pub(crate) async fn with(settings: &[(&str, &str)], username: &str) -> Self {
        let app = TestApp::with(settings).await;
        let admin = app.sign_up("root@example.com").await;
        app.operate("grant-scopes", admin_scope(&admin.text("/user/id")))
            .await
            .unwrap();
        let email = format!("{username}@example.com");
        let body = json!({"username": username, "email": email, "password": PASSWORD});
        let user = app.call(post("/user", &body)).await;
        Self {
            app,
            admin: admin.token(),
            id: user.text("/user/id"),
            token: user.token(),
        }
    }
}

impl Scene {
    /// Ends the account's session: `log-out`, `revoke`, `expiry`, or a function for operators.
    pub(crate) async fn end(&self, how: &str) {
        let (app, token) = (&self.app, &self.token);
        let revoke = || post_form("/oauth/revoke", &[("token", token)]);
        match how {
            "log-out" => assert_eq!(app.log_out(token).await.status, 200),
            "revoke" => assert_eq!(app.call(revoke()).await.status, 200),
            "expiry" => app.clock.advance(Duration::from_hours(30 * 24)),
            _ => {
                app.operate(how, json!({ "id": self.id })).await.unwrap();
            }
        }
    }
}

/// The request of `grant-scopes` that makes an administrator.
pub(crate) fn admin_scope(id: &str) -> Value {
    json!({"id": id, "scopes": ["user", "admin"]})
}
