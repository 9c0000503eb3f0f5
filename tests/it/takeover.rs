//! Whoever owns an address gets its account, whoever signed up with it.

use serde_json::json;
use tests::app::{PASSWORD, TestApp, get, post};

const NEW: &str = "battery-staple-7";

/// An account abc, made by a squatter, and a code that resets its password, mailed to the owner of the address.
struct Squatted {
    app: TestApp,
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
            app,
            id: user.text("/user/id"),
            token: user.token(),
            verification,
            reset,
        }
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
async fn the_owner_of_an_address_gets_the_reset_of_a_squatter_who_spelled_it_in_another_width() {
    let app = TestApp::with_mail().await;
    let squatter = app.sign_up("ａｂｃ@example.com").await;
    app.deliver().await;

    app.forget_password("abc@example.com").await;
    let mails = app.deliver().await;

    assert_eq!(mails[0].to, "abc@example.com");
    let code = mails[0].code().unwrap();
    assert_eq!(app.reset_password(&code, NEW).await.status, 200);
    assert_eq!(app.user(&squatter.token()).await.message(), "Bad token");
    assert_eq!(app.sign_in("abc@example.com", NEW).await.status, 200);
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
