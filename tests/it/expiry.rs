//! Accounts whose email is never verified, with `UNVERIFIED_ACCOUNT_EXPIRES_IN`.

use std::time::Duration;

use local::mailbox::CaughtMail;
use serde_json::json;
use shared::domain::AccountId;
use shared::store::{AccountChange, Authority, Changed};
use tests::app::{Answer, PASSWORD, TestApp, get, post};

const SETTINGS: [(&str, &str); 3] = [
    ("MAIL_FROM", "noreply@latchkey.example"),
    ("APP_URL", "https://app.example.com"),
    ("UNVERIFIED_ACCOUNT_EXPIRES_IN", "1h"),
];

const HOUR: Duration = Duration::from_hours(1);

/// The attribute `expires_at` of each account and claim, by key.
async fn expiries(app: &TestApp) -> Vec<(String, bool)> {
    let users = app.users().await.into_iter();
    let kept = users.filter(|(key, _)| key.ends_with("/account") || key.ends_with("/claim"));
    kept.map(|(key, item)| (key, item.contains_key("expires_at")))
        .collect()
}

async fn sign_up(app: &TestApp) -> Answer {
    let body = json!({"username": "abc", "email": "abc@example.com", "password": PASSWORD});
    app.call(post("/user", &body)).await
}

#[tokio::test]
async fn an_account_that_is_not_verified_in_time_is_gone_everywhere() {
    let app = TestApp::with(&SETTINGS).await;
    let admin = app.sign_up("root@example.com").await;
    let admin_scope = json!({"id": admin.text("/user/id"), "scopes": ["admin"]});
    app.operate("grant-scopes", admin_scope).await.unwrap();
    let user = sign_up(&app).await;
    let (token, id) = (user.token(), user.text("/user/id"));
    let key = app.api_key(&token, 15).await;
    let verification = app.deliver().await.iter().rev().find_map(CaughtMail::code);
    app.forget_password("abc@example.com").await;
    let reset = app.mailed_code().await;
    app.clock.advance(HOUR);
    assert_eq!(app.user(&token).await.status, 200);
    assert_eq!(sign_up(&app).await.status, 400);

    // An expiry is a whole second.
    app.clock.advance(Duration::from_millis(750));

    assert_eq!(app.user(&token).await.message(), "Bad token");
    let by_key = app.call(get("/user").api_key(&key)).await;
    assert_eq!(by_key.message(), "Invalid API key");
    for name in ["abc", "abc@example.com"] {
        let answer = app.sign_in(name, PASSWORD).await;
        answer.assert_refused(403, "Forbidden", "Invalid username or password.");
    }
    let invalid = "Invalid or expired code.";
    let answer = app.confirm_email(&verification.unwrap()).await;
    answer.assert_refused(400, "Bad Request", invalid);
    let answer = app.reset_password(&reset, PASSWORD).await;
    answer.assert_refused(400, "Bad Request", invalid);
    app.forget_password("abc@example.com").await;
    assert!(app.deliver().await.is_empty());
    let read = get(&format!("/users/{id}")).bearer(&admin.token());
    assert_eq!(app.call(read).await.status, 404);
    let listed = app.call(get("/users").bearer(&admin.token())).await;
    assert_eq!(listed.body.as_array().unwrap().len(), 1);
    for query in ["", "?pattern=example"] {
        let count = get(&format!("/users/count{query}")).bearer(&admin.token());
        assert_eq!(app.call(count).await.body, json!({"count": 1}), "{query}");
    }
    for request in [json!({ "id": id }), json!({"username": "abc"})] {
        assert!(app.operate("find-account", request).await.is_err());
    }
}

#[tokio::test]
async fn of_sign_ups_that_race_for_the_names_of_an_expired_account_one_gets_them() {
    let app = TestApp::with(&SETTINGS).await;
    let first = sign_up(&app).await;
    app.clock.advance(HOUR + Duration::from_secs(1));

    let racers = (0..8).map(|_| {
        let app = app.another(&SETTINGS);
        tokio::spawn(async move { sign_up(&app).await })
    });
    let answers = futures_util::future::try_join_all(racers).await.unwrap();

    let won: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .collect();
    assert_eq!(won.len(), 1);
    let user = app.user(&won[0].token()).await;
    assert_ne!(user.text("/id"), first.text("/user/id"));
    assert_eq!(
        app.sign_in("abc", PASSWORD).await.text("/user/id"),
        user.text("/id")
    );
    assert_eq!(app.user(&first.token()).await.status, 401);
}

#[tokio::test]
async fn an_account_that_is_verified_in_any_way_stays() {
    for by in ["a code", "a reset", "another email", "the scope admin"] {
        let app = TestApp::with(&SETTINGS).await;
        let user = sign_up(&app).await;
        let token = user.token();
        let verification = app.mailed_code().await;
        assert!(expiries(&app).await.iter().all(|(_, expires)| *expires));
        match by {
            "a code" => assert_eq!(app.confirm_email(&verification).await.status, 200),
            "a reset" => {
                app.forget_password("abc@example.com").await;
                let code = app.mailed_code().await;
                assert_eq!(app.reset_password(&code, PASSWORD).await.status, 200);
            }
            "another email" => {
                app.ask_for_email(&token, "def@example.com").await;
                let code = app.mailed_code().await;
                assert_eq!(app.confirm_new_email(&token, &code).await.status, 200);
            }
            _ => {
                let scopes = json!({"id": user.text("/user/id"), "scopes": ["admin"]});
                app.operate("grant-scopes", scopes).await.unwrap();
            }
        }

        let expiries = expiries(&app).await;
        app.clock.advance(HOUR + Duration::from_secs(1));

        assert_eq!(expiries.len(), 3, "{by}");
        assert!(
            expiries.iter().all(|(_, expires)| !expires),
            "{by}: {expiries:?}"
        );
        assert_eq!(app.sign_in("abc", PASSWORD).await.status, 200, "{by}");
    }
}

#[tokio::test]
async fn other_changes_of_an_unverified_account_leave_its_expiry() {
    let app = TestApp::with(&SETTINGS).await;
    let token = sign_up(&app).await.token();
    let rename = json!({"username": "def", "password": PASSWORD});
    let rename = post("/user/change-username", &rename).bearer(&token);
    assert_eq!(app.call(rename).await.status, 200);
    let change = json!({"oldPassword": PASSWORD, "newPassword": PASSWORD});
    let change = post("/user/change-password", &change).bearer(&token);
    assert_eq!(app.call(change).await.status, 200);

    let expiries = expiries(&app).await;

    assert_eq!(expiries.len(), 3);
    assert!(expiries.iter().all(|(_, expires)| *expires), "{expiries:?}");
    app.clock.advance(HOUR + Duration::from_secs(1));
    assert_eq!(app.sign_in("def", PASSWORD).await.status, 403);
}

#[tokio::test]
async fn a_verification_that_is_overtaken_by_a_sign_up_after_the_expiry_changes_nothing() {
    let app = TestApp::with(&SETTINGS).await;
    sign_up(&app).await;
    let code = app.mailed_code().await;
    let slow = app.another(&SETTINGS);

    let overtaking = async {
        app.clock.advance(HOUR + Duration::from_secs(1));
        sign_up(&app).await
    };
    let confirmation = slow.confirm_email(&code);
    let (answer, other) = slow
        .pause_at("TransactWriteItems", confirmation, overtaking)
        .await;

    let other = other.unwrap();
    answer.assert_refused(400, "Bad Request", "Invalid or expired code.");
    let user = app.user(&other.token()).await;
    assert_eq!(user.body["isActive"], false);
    assert_eq!(
        app.sign_in("abc", PASSWORD).await.text("/user/id"),
        other.text("/user/id")
    );
}

#[tokio::test]
async fn an_export_shows_when_the_account_expires_until_it_is_verified() {
    let app = TestApp::with(&SETTINGS).await;
    let token = sign_up(&app).await.token();
    let export = || app.call(get("/user/export").bearer(&token));

    let before = export().await;
    let code = app.mailed_code().await;
    assert_eq!(app.confirm_email(&code).await.status, 200);

    assert_eq!(before.text("/expires"), "2027-01-15T09:00:01Z");
    assert!(export().await.body.get("expires").is_none());
}

#[tokio::test]
async fn no_change_is_written_to_an_account_that_has_expired_since_it_was_read() {
    let app = TestApp::with(&SETTINGS).await;
    let id = AccountId::parse(&sign_up(&app).await.text("/user/id")).unwrap();
    let store = &app.app.store;
    let seen = store.account(&id).await.unwrap().unwrap();
    let verified = seen.clone().with_email_verified();
    let change = AccountChange::new(&seen, verified, Authority::CodeHolder);
    let before = app.users().await;
    app.clock.advance(HOUR + Duration::from_secs(1));

    let changed = store.change_account(&change, &[]).await.unwrap();

    assert_eq!(changed, Changed::Stale);
    assert_eq!(app.users().await, before);
}

#[tokio::test]
async fn what_belonged_to_an_account_that_dynamodb_deletes_is_erased() {
    let app = TestApp::with(&SETTINGS).await;
    let user = sign_up(&app).await;
    app.api_key(&user.token(), 15).await;
    app.clock.advance(HOUR + Duration::from_secs(1));
    for (key, item) in app.users().await {
        if item.contains_key("expires_at") && !key.starts_with("session#") {
            app.delete(&app.app.config.tables.users, &key).await;
        }
    }

    let erased = app.erase().await;

    assert_eq!(erased, [(format!("user#{}", user.text("/user/id")), true)]);
    assert!(app.users().await.is_empty());
}

#[tokio::test]
async fn without_the_setting_no_account_expires() {
    let (app, _) = TestApp::with_user().await;

    assert!(expiries(&app).await.iter().all(|(_, expires)| !expires));
}
