//! Who owns an address gets its account, whoever signed up with it, and whatever races the reset.

use std::sync::Arc;

use axum::body::Body;
use serde_json::json;
use tests::app::{Answer, Call, MAIL, PASSWORD, TestApp, get, post};

const NEW: &str = "battery-staple-7";

/// An account abc, made by a squatter, and a code that resets its password, mailed to the owner of the address.
struct Squatted {
    app: Arc<TestApp>,
    id: String,
    token: String,
    verification: String,
    reset: String,
}

impl Squatted {
    async fn set() -> Self {
        let app = TestApp::with_mail().await;
        let body = json!({"username": "abc", "email": "abc@example.com", "password": PASSWORD});
        let user = app.call(post("/user", &body)).await;
        let verification = app.mailed_code().await;
        app.forget_password("abc@example.com").await;
        let reset = app.mailed_code().await;
        Self {
            app: Arc::new(app),
            id: user.text("/user/id"),
            token: user.token(),
            verification,
            reset,
        }
    }

    /// Sends both requests at once, to instances of their own.
    async fn race(&self, other: Call) -> (Answer, Answer) {
        let (one, another) = (self.app.another(&MAIL), self.app.another(&MAIL));
        let code = self.reset.clone();
        let reset = tokio::spawn(async move { one.reset_password(&code, NEW).await });
        let other = tokio::spawn(async move { another.call(other).await });
        (reset.await.unwrap(), other.await.unwrap())
    }

    /// Whether the password signs in.
    async fn signs_in(&self, password: &str) -> bool {
        self.app.sign_in("abc", password).await.status == 200
    }
}

#[tokio::test]
async fn the_owner_of_an_address_throws_a_squatter_out_by_a_reset() {
    for verified_first in [false, true] {
        let squatted = Squatted::set().await;
        let app = &squatted.app;
        let mut tokens = vec![squatted.token.clone()];
        for _ in 0..200 {
            tokens.push(app.sign_in("abc", PASSWORD).await.token());
        }
        let key = app.api_key(&squatted.token, 15).await;
        if verified_first {
            let answer = app.confirm_email(&squatted.verification).await;
            assert_eq!(answer.status, 200);
        }

        let answer = app.reset_password(&squatted.reset, NEW).await;

        assert_eq!(answer.status, 200);
        for token in &tokens {
            assert_eq!(app.user(token).await.message(), "Bad token");
        }
        let by_key = app.call(get("/user").api_key(&key)).await;
        assert_eq!(by_key.message(), "Invalid API key");
        assert!(!squatted.signs_in(PASSWORD).await);
        let owner = app.sign_in("abc@example.com", NEW).await;
        assert_eq!(owner.body["user"]["isActive"], true);
        assert_eq!(owner.text("/user/id"), squatted.id);
    }
}

#[tokio::test]
async fn a_link_never_leads_to_a_host_that_a_request_names() {
    let app = TestApp::with_mail().await;
    let evil = "evil.example";
    let forwarded = format!("host={evil};proto=http");
    let forget = post(
        "/user/forgot-password",
        &json!({"email": "abc@example.com"}),
    );
    let sign_up = post(
        "/user",
        &json!({"email": "abc@example.com", "password": PASSWORD}),
    );
    for call in [sign_up, forget] {
        let call = call
            .header("host", evil)
            .header("x-forwarded-host", evil)
            .header("forwarded", &forwarded)
            .header("origin", "https://evil.example")
            .header("referer", "https://evil.example/");
        assert_eq!(app.call(call).await.status, 200);
    }

    let mails = app.deliver().await;

    assert_eq!(mails.len(), 2);
    for mail in mails {
        assert!(!format!("{mail:?}").contains(evil), "{mail:?}");
        let link = mail.link().unwrap();
        assert!(link.starts_with("https://app.example.com/"), "{link}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_reset_and_a_change_of_password_at_once_one_wins_and_its_password_signs_in() {
    for _ in 0..10 {
        let squatted = Squatted::set().await;
        let change = json!({"oldPassword": PASSWORD, "newPassword": "squatter-1"});
        let change = post("/user/change-password", &change).bearer(&squatted.token);

        let (reset, change) = squatted.race(change).await;

        let won = [reset.status == 200, change.status == 200];
        assert!(won == [true, false] || won == [false, true], "{won:?}");
        assert_eq!(squatted.signs_in(NEW).await, won[0]);
        assert_eq!(squatted.signs_in("squatter-1").await, won[1]);
        assert!(!squatted.signs_in(PASSWORD).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_reset_and_a_change_of_email_at_once_one_wins() {
    for _ in 0..10 {
        let squatted = Squatted::set().await;
        let app = &squatted.app;
        app.ask_for_email(&squatted.token, "squatter@example.com")
            .await;
        let code = app.mailed_code().await;
        let confirm = post("/user/change-email/confirm", &json!({ "code": code }));

        let (reset, confirm) = squatted.race(confirm.bearer(&squatted.token)).await;

        let won = [reset.status == 200, confirm.status == 200];
        assert!(won == [true, false] || won == [false, true], "{won:?}");
        assert_eq!(squatted.signs_in(NEW).await, won[0]);
        let moved = app.sign_in("squatter@example.com", PASSWORD).await;
        assert_eq!(moved.status == 200, won[1]);
        assert_eq!(app.user(&squatted.token).await.status == 200, won[1]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_reset_and_a_deletion_by_the_old_password_at_once_one_wins() {
    for _ in 0..10 {
        let squatted = Squatted::set().await;
        let body = json!({ "password": PASSWORD }).to_string();
        let delete = Call::new("DELETE", "/user", body.into()).bearer(&squatted.token);

        let (reset, deletion) = squatted.race(delete).await;

        let won = [reset.status == 200, deletion.status == 200];
        assert!(won == [true, false] || won == [false, true], "{won:?}");
        assert_eq!(squatted.signs_in(NEW).await, won[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_by_the_old_password_that_races_a_reset_leaves_no_session() {
    for _ in 0..10 {
        let squatted = Squatted::set().await;
        let sign_in = json!({"username": "abc", "password": PASSWORD});

        let (reset, sign_in) = squatted.race(post("/user/auth", &sign_in)).await;

        assert_eq!(reset.status, 200);
        if sign_in.status == 200 {
            let answer = squatted.app.user(&sign_in.token()).await;
            assert_eq!(answer.message(), "Bad token");
        }
        assert!(squatted.signs_in(NEW).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_disabled_while_its_password_is_reset_stays_disabled() {
    for _ in 0..10 {
        let squatted = Squatted::set().await;
        let admin = squatted.app.sign_up("root@example.com").await;
        let scopes = json!({"id": admin.text("/user/id"), "scopes": ["admin"]});
        squatted.app.operate("grant-scopes", scopes).await.unwrap();
        let disable = Body::from(json!({"disabled": true}).to_string());
        let disable = Call::new("PUT", &format!("/users/{}", squatted.id), disable);

        let (reset, disabled) = squatted.race(disable.bearer(&admin.token())).await;

        assert!([200, 400].contains(&reset.status), "{reset:?}");
        assert_eq!(disabled.body["disabled"], true);
        assert!(!squatted.signs_in(NEW).await && !squatted.signs_in(PASSWORD).await);
    }
}
