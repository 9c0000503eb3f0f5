//! One-time codes: what they do, and when they stop doing it.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tests::app::{PASSWORD, TestApp, post};

use crate::key_rotation::HOUR;

const NEW_PASSWORD: &str = "battery-staple-7";

/// An app that sends mail, with the account abc@example.com; its token and id, and the code that was mailed
/// at sign-up.
async fn with_verification() -> (TestApp, String, String, String) {
    let app = TestApp::with_mail().await;
    let answer = app.sign_up("abc@example.com").await;
    let code = app.mailed_code().await;
    let id = answer.text("/user/id");
    (app, answer.token(), id, code)
}

/// Like [`with_verification`], with a code that resets the password.
async fn with_reset() -> (TestApp, String, String, String) {
    let (app, token, id, _) = with_verification().await;
    app.clock.advance(Duration::from_millis(1));
    app.forget_password("abc@example.com").await;
    let code = app.mailed_code().await;
    (app, token, id, code)
}

#[tokio::test]
async fn a_mailed_code_verifies_the_email_again_and_again() {
    let (app, token, _, code) = with_verification().await;
    assert_eq!(app.user(&token).await.body["isActive"], false);

    for _ in 0..2 {
        let answer = app.confirm_email(&code).await;

        assert_eq!((answer.status, answer.body), (200, json!({})));
        assert_eq!(app.user(&token).await.body["isActive"], true);
    }
}

#[tokio::test]
async fn a_user_may_ask_for_another_code_and_both_verify_the_email() {
    let (app, token, _, first) = with_verification().await;
    app.ask_to_verify(&token).await;
    let second = app.mailed_code().await;

    assert_ne!(first, second);
    assert_eq!(app.confirm_email(&second).await.status, 200);
    assert_eq!(app.confirm_email(&first).await.status, 200);
}

#[tokio::test]
async fn a_code_resets_the_password_once() {
    let (app, token, _, code) = with_reset().await;
    let key = app
        .api_key(&app.sign_in("abc@example.com", PASSWORD).await.token(), 1)
        .await;

    let answer = app.reset_password(&code, NEW_PASSWORD).await;

    assert_eq!((answer.status, answer.body), (200, json!({})));
    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 403);
    let signed_in = app.sign_in("abc@example.com", NEW_PASSWORD).await;
    assert_eq!(
        signed_in.body["user"]["isActive"], true,
        "the mailbox is proved"
    );
    app.user(&token)
        .await
        .assert_refused(401, "Unauthorized", "Bad token");
    let by_key = app.call(tests::app::get("/user").api_key(&key)).await;
    by_key.assert_refused(401, "Unauthorized", "Invalid API key");
    let again = app.reset_password(&code, "another-password-8").await;
    again.assert_refused(400, "Bad Request", "Invalid or expired code.");
}

#[tokio::test]
async fn a_reset_lets_its_owner_in_although_strangers_reached_the_total() {
    let total = ("SIGNIN_RATE_LIMIT_TOTAL", "1");
    let (app, _, _, code) = with_reset().await;
    let app = app.another(&[total]);
    for source in ["203.0.113.1", "203.0.113.2"] {
        app.sign_in_from(source, "abc@example.com", "wrong").await;
    }
    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 429);

    assert_eq!(app.reset_password(&code, NEW_PASSWORD).await.status, 200);

    let elsewhere = app.sign_in_from("203.0.113.9", "abc@example.com", NEW_PASSWORD);
    assert_eq!(elsewhere.await.status, 200, "the total is cleared");
    for source in ["203.0.113.3", "203.0.113.4"] {
        app.sign_in_from(source, "abc@example.com", "wrong").await;
    }
    let same_source = app.sign_in("abc@example.com", NEW_PASSWORD).await;
    assert_eq!(same_source.status, 200, "the source is familiar");
}

#[tokio::test]
async fn a_refused_password_leaves_the_code_usable() {
    let (app, _, _, code) = with_reset().await;
    for password in ["short", &"x".repeat(1025)] {
        let answer = app.reset_password(&code, password).await;

        assert_eq!(answer.status, 400);
        assert!(answer.message().starts_with("\"password\""), "{answer:?}");
    }

    assert_eq!(app.reset_password(&code, NEW_PASSWORD).await.status, 200);
}

#[tokio::test]
async fn of_fifty_racing_resets_exactly_one_wins_and_only_its_password_signs_in() {
    let (app, _, _, code) = with_reset().await;
    let resets = (0..50).map(|n| {
        let (app, code) = (&app, &code);
        async move {
            let password = format!("racing-password-{n}");
            let answer = app.reset_password(code, &password).await;
            (answer.status, password)
        }
    });

    let done = join_all(resets).await;

    let winners: Vec<_> = done.iter().filter(|(status, _)| *status == 200).collect();
    assert_eq!(winners.len(), 1, "{done:?}");
    for (status, password) in &done {
        let source = format!("198.51.100.{}", password.len());
        let signed_in = app.sign_in_from(&source, "abc@example.com", password).await;
        assert_eq!(
            signed_in.status == 200,
            *status == 200,
            "{password}: {signed_in:?}"
        );
        app.clock.advance(HOUR);
    }
}

#[tokio::test]
async fn only_the_newest_code_resets_the_password() {
    let (app, _, _, older) = with_reset().await;
    app.clock.advance(Duration::from_millis(1));
    app.forget_password("abc@example.com").await;
    let newer = app.mailed_code().await;

    assert_eq!(app.reset_password(&older, NEW_PASSWORD).await.status, 400);
    assert_eq!(app.reset_password(&newer, NEW_PASSWORD).await.status, 200);
}

#[tokio::test]
async fn text_that_is_no_code_for_the_purpose_is_refused() {
    let (app, _, _, verification) = with_verification().await;
    let token = app.sign_in("abc@example.com", PASSWORD).await.token();
    let key = app.api_key(&token, 15).await;
    app.forget_password("abc@example.com").await;
    let reset = app.mailed_code().await;
    let bad = |code: &str, of_other_purpose: &str| {
        let first = if code.starts_with('A') { 'B' } else { 'A' };
        [
            String::new(),
            format!("{first}{}", &code[1..]),
            code[1..].to_owned(),
            code[..26].to_owned(),
            format!("{code}A"),
            format!(" {code}"),
            format!("{code}\n"),
            code.to_uppercase(),
            of_other_purpose.to_owned(),
            token.clone(),
            key.clone(),
            "A".repeat(10 * 1024),
            "é".repeat(27),
        ]
    };

    for code in bad(&verification, &reset) {
        let answer = app.confirm_email(&code).await;
        answer.assert_refused(400, "Bad Request", "Invalid or expired code.");
    }
    for code in bad(&reset, &verification) {
        let answer = app.reset_password(&code, NEW_PASSWORD).await;
        answer.assert_refused(400, "Bad Request", "Invalid or expired code.");
    }

    assert_eq!(app.user(&token).await.body["isActive"], false);
    assert_eq!(app.confirm_email(&verification).await.status, 200);
    assert_eq!(app.reset_password(&reset, NEW_PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_code_changes_only_the_account_it_was_mailed_for() {
    let (app, _, _, code) = with_reset().await;
    let other = app.sign_up("def@example.com").await.token();
    app.deliver().await;

    assert_eq!(app.reset_password(&code, NEW_PASSWORD).await.status, 200);

    assert_eq!(app.user(&other).await.body["isActive"], false);
    assert_eq!(app.sign_in("def@example.com", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_code_expires_to_the_millisecond() {
    let milli = Duration::from_millis(1);
    let (app, _, _, code) = with_verification().await;
    app.clock.advance((24 * HOUR).saturating_sub(milli));
    assert_eq!(app.confirm_email(&code).await.status, 200);
    app.clock.advance(milli);
    assert_eq!(app.confirm_email(&code).await.status, 400);

    let (app, _, _, code) = with_reset().await;
    app.clock.advance(HOUR);
    assert_eq!(app.reset_password(&code, NEW_PASSWORD).await.status, 400);
    let (app, _, _, code) = with_reset().await;
    app.clock.advance(HOUR.saturating_sub(milli));
    assert_eq!(app.reset_password(&code, NEW_PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_used_code_stays_used_when_its_mail_is_delivered_again() {
    let (app, _, _, _) = with_verification().await;
    app.clock.advance(Duration::from_millis(1));
    app.forget_password("abc@example.com").await;
    let keys = app.take_outbox();
    app.deliver_messages(&[(&keys[0], 1)]).await;
    let code = app.mails().last().unwrap().code().unwrap();
    assert_eq!(app.reset_password(&code, NEW_PASSWORD).await.status, 200);

    app.deliver_messages(&[(&keys[0], 2)]).await;

    assert_eq!(app.mails().last().unwrap().code().unwrap(), code);
    assert_eq!(
        app.reset_password(&code, "another-password-8").await.status,
        400
    );
}

#[tokio::test]
async fn a_code_to_reset_the_password_dies_with_the_password() {
    let (app, _, id, code) = with_reset().await;
    app.operate("set-password", json!({ "id": id }))
        .await
        .unwrap();
    assert_eq!(app.reset_password(&code, NEW_PASSWORD).await.status, 400);

    let (app, token, _, code) = with_reset().await;
    let change = json!({"oldPassword": PASSWORD, "newPassword": "another-password-8"});
    let changed = app
        .call(post("/user/change-password", &change).bearer(&token))
        .await;
    assert_eq!(changed.status, 200);
    assert_eq!(app.reset_password(&code, NEW_PASSWORD).await.status, 400);
}

#[tokio::test]
async fn a_reset_that_was_asked_for_before_a_change_of_the_account_is_not_mailed_after_it() {
    for change in ["password", "email", "disabled"] {
        let (app, token, id, _) = with_verification().await;
        app.forget_password("abc@example.com").await;
        let asked = app.take_outbox().remove(0);
        app.clock.advance(Duration::from_millis(1));
        match change {
            "password" => {
                let change = json!({"oldPassword": PASSWORD, "newPassword": PASSWORD});
                let change = post("/user/change-password", &change).bearer(&token);
                assert_eq!(app.call(change).await.status, 200);
            }
            "email" => {
                for email in ["def@example.com", "abc@example.com"] {
                    app.ask_for_email(&token, email).await;
                    let code = app.mailed_code().await;
                    assert_eq!(app.confirm_new_email(&token, &code).await.status, 200);
                }
            }
            _ => {
                for function in ["disable-account", "enable-account"] {
                    app.operate(function, json!({ "id": id })).await.unwrap();
                }
            }
        }
        app.deliver().await;
        let before = app.mails().len();

        app.deliver_messages(&[(&asked, 1)]).await;

        assert_eq!(app.mails().len(), before, "{change}");
        app.clock.advance(Duration::from_millis(1));
        app.forget_password("abc@example.com").await;
        let code = app.mailed_code().await;
        let reset = app.reset_password(&code, NEW_PASSWORD).await;
        assert_eq!(reset.status, 200, "{change}");
    }
}

#[tokio::test]
async fn a_reset_makes_a_source_familiar_that_has_used_up_its_failures() {
    let (app, _, _, code) = with_reset().await;
    for _ in 0..10 {
        assert_eq!(app.sign_in("abc@example.com", "wrong").await.status, 403);
    }

    assert_eq!(app.reset_password(&code, NEW_PASSWORD).await.status, 200);

    let too_many = app.sign_in("abc@example.com", NEW_PASSWORD).await;
    assert_eq!(too_many.status, 429, "its failures stay");
    app.clock.advance(HOUR);
    let app = app.another(&[("SIGNIN_RATE_LIMIT_TOTAL", "1")]);
    for source in ["203.0.113.1", "203.0.113.2"] {
        app.sign_in_from(source, "abc@example.com", "wrong").await;
    }
    let elsewhere = app.sign_in_from("203.0.113.9", "abc@example.com", NEW_PASSWORD);
    assert_eq!(elsewhere.await.status, 429);
    let familiar = app.sign_in("abc@example.com", NEW_PASSWORD).await;
    assert_eq!(familiar.status, 200);
}

#[tokio::test]
async fn ending_sessions_does_not_void_a_code_to_reset_the_password() {
    let (app, _, id, code) = with_reset().await;
    app.operate("end-sessions", json!({ "id": id }))
        .await
        .unwrap();

    assert_eq!(app.reset_password(&code, NEW_PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_disabled_account_takes_no_code_and_a_reset_stays_void_once_it_is_enabled() {
    let (app, token, id, verification) = with_verification().await;
    app.clock.advance(Duration::from_millis(1));
    app.forget_password("abc@example.com").await;
    let keys = app.take_outbox();
    app.deliver_messages(&[(&keys[0], 1)]).await;
    let reset = app.mails().last().unwrap().code().unwrap();
    app.operate("disable-account", json!({ "id": id }))
        .await
        .unwrap();

    assert_eq!(app.confirm_email(&verification).await.status, 400);
    assert_eq!(app.reset_password(&reset, NEW_PASSWORD).await.status, 400);

    app.operate("enable-account", json!({ "id": id }))
        .await
        .unwrap();
    app.deliver_messages(&[(&keys[0], 2)]).await;
    assert_eq!(app.reset_password(&reset, NEW_PASSWORD).await.status, 400);
    assert_eq!(app.user(&token).await.status, 401);
    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_deleted_account_takes_no_code() {
    let (app, _, id, verification) = with_verification().await;
    app.clock.advance(Duration::from_millis(1));
    app.forget_password("abc@example.com").await;
    let reset = app.mailed_code().await;
    app.operate("delete-account", json!({ "id": id }))
        .await
        .unwrap();

    assert_eq!(app.confirm_email(&verification).await.status, 400);
    assert_eq!(app.reset_password(&reset, NEW_PASSWORD).await.status, 400);
}

#[tokio::test]
async fn invalid_codes_are_counted_by_source_and_a_valid_one_is_never_refused_for_them() {
    let (app, _, _, code) = with_reset().await;
    let app = app.another(&[("SIGNIN_RATE_LIMIT_IP", "2")]);
    let guess = "A".repeat(27);
    assert_eq!(app.confirm_email(&guess).await.status, 400);
    assert_eq!(app.reset_password(&guess, NEW_PASSWORD).await.status, 400);

    for _ in 0..2 {
        let refused = app.confirm_email(&guess).await;
        let message = "Too many sign-in attempts. Please try again later.";
        refused.assert_refused(429, "Too Many Requests", message);
        assert_eq!(refused.header("retry-after"), Some("900"));
    }

    let elsewhere = post("/user/verify-email/confirm", &json!({ "code": guess }));
    assert_eq!(app.call(elsewhere.from("192.0.2.77")).await.status, 400);
    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);
    assert_eq!(app.reset_password(&code, NEW_PASSWORD).await.status, 200);
}

#[tokio::test]
async fn if_any_dynamodb_call_fails_a_reset_answers_503_or_has_succeeded() {
    for failing in 1.. {
        let (app, _, _, code) = with_reset().await;
        let mut calls = 0;
        app.wire.on_request(move |_, _| {
            calls += 1;
            (calls >= failing).then(tests::wire::Fault::broken)
        });

        let answer = app.reset_password(&code, NEW_PASSWORD).await;
        app.wire.heal();
        if answer.status == 200 {
            // The code, the account, and the transaction.
            assert_eq!(failing, 4);
            assert_eq!(
                app.sign_in("abc@example.com", NEW_PASSWORD).await.status,
                200
            );
            break;
        }
        assert_eq!(answer.status, 503, "call {failing}");
        assert_eq!(app.reset_password(&code, NEW_PASSWORD).await.status, 200);
    }
}

#[tokio::test]
async fn a_reset_whose_answer_was_lost_has_succeeded() {
    let (app, _, _, code) = with_reset().await;
    app.wire
        .fail_next("TransactWriteItems", 1, tests::wire::Fault::LoseAnswer);

    assert_eq!(app.reset_password(&code, NEW_PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_reset_and_a_verification_survive_a_transaction_conflict() {
    let conflict = tests::wire::Fault::cancelled(&["None", "TransactionConflict"]);
    let (app, _, _, code) = with_reset().await;
    app.wire.fail_next("TransactWriteItems", 2, conflict);
    assert_eq!(app.reset_password(&code, NEW_PASSWORD).await.status, 200);

    let conflict = tests::wire::Fault::service_error("TransactionConflictException");
    let (app, _, _, code) = with_verification().await;
    app.wire.fail_next("UpdateItem", 2, conflict);
    assert_eq!(app.confirm_email(&code).await.status, 200);
}

/// Like [`with_verification`], with a code that changes the email to def@example.com.
async fn with_change() -> (TestApp, String, String, String) {
    let (app, token, id, _) = with_verification().await;
    let answer = app.ask_for_email(&token, "Def@example.com").await;
    assert_eq!((answer.status, answer.body), (200, json!({})));
    let code = app.mailed_code().await;
    (app, token, id, code)
}

#[tokio::test]
async fn a_code_gives_the_account_the_email_it_was_mailed_to() {
    let (app, token, _, code) = with_change().await;
    let sent: Vec<_> = app
        .mails()
        .into_iter()
        .skip(1)
        .map(|mail| (mail.to, mail.subject))
        .collect();
    let mail = |to: &str, subject: &str| (to.to_owned(), subject.to_owned());
    assert!(sent.contains(&mail(
        "abc@example.com",
        "Another email for Latchkey was asked for"
    )));
    assert!(sent.contains(&mail(
        "Def@example.com",
        "Confirm your new email for Latchkey"
    )));

    let answer = app.confirm_new_email(&token, &code).await;

    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["email"], "Def@example.com");
    assert_eq!(answer.body["username"], "Def@example.com");
    assert_eq!(answer.body["isActive"], true);
    assert_eq!(
        app.user(&token).await.body,
        answer.body,
        "the session goes on"
    );
    assert_eq!(app.sign_in("def@example.com", PASSWORD).await.status, 200);
    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 403);
    assert_eq!(
        app.sign_up("abc@example.com").await.status,
        200,
        "the old email is free"
    );
    let mails = app.deliver().await;
    assert!(mails.iter().any(|mail| mail.to == "abc@example.com"
        && mail.subject == "Your email for Latchkey was changed"));
    let again = app.confirm_new_email(&token, &code).await;
    again.assert_refused(400, "Bad Request", "Invalid or expired code.");
}

#[tokio::test]
async fn a_username_of_its_own_stays_when_the_email_changes() {
    let app = TestApp::with_mail().await;
    let body = json!({"email": "abc@example.com", "username": "abc", "password": PASSWORD});
    let token = app.call(post("/user", &body)).await.token();
    app.deliver().await;
    app.ask_for_email(&token, "def@example.com").await;
    let code = app.mailed_code().await;

    let answer = app.confirm_new_email(&token, &code).await;

    assert_eq!(answer.body["username"], "abc");
    for name in ["abc", "def@example.com"] {
        assert_eq!(app.sign_in(name, PASSWORD).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn an_email_can_be_spelled_in_another_way() {
    let (app, token, _, _) = with_verification().await;
    app.ask_for_email(&token, "ABC@example.com").await;
    let code = app.mailed_code().await;

    let answer = app.confirm_new_email(&token, &code).await;

    assert_eq!(answer.body["email"], "ABC@example.com");
    assert_eq!(
        app.confirm_new_email(&token, &code).await.status,
        400,
        "used"
    );
    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_request_to_change_the_email_does_not_reveal_whether_it_is_taken() {
    let (app, token, _, _) = with_verification().await;
    app.sign_up("taken@example.com").await;
    app.deliver().await;
    let mut seen = Vec::new();
    for email in ["taken@example.com", "frees@example.com"] {
        app.sign_in("abc@example.com", PASSWORD).await;
        let _ = app.wire.take_calls();
        let answer = app.ask_for_email(&token, email).await;
        let calls = app.wire.take_calls().into_iter();
        let calls: Vec<_> = calls.map(|call| (call.operation, call.uses)).collect();
        seen.push((answer.status, answer.body, answer.headers, calls));
    }

    assert_eq!(seen[0], seen[1]);
    let mails = app.deliver().await;
    let to: Vec<_> = mails
        .iter()
        .filter(|mail| mail.code().is_some())
        .map(|mail| &mail.to)
        .collect();
    assert_eq!(to, ["frees@example.com"]);
}

#[tokio::test]
async fn an_email_that_another_account_got_meanwhile_is_not_confirmed() {
    let (app, token, _, code) = with_change().await;
    app.sign_up("def@example.com").await;

    let answer = app.confirm_new_email(&token, &code).await;

    answer.assert_refused(400, "Bad Request", "User already exists.");
    assert_eq!(app.user(&token).await.body["email"], "abc@example.com");
}

#[tokio::test]
async fn only_the_account_that_asked_can_use_the_code() {
    let (app, token, _, code) = with_change().await;
    let other = app.sign_up("other@example.com").await.token();

    let answer = app.confirm_new_email(&other, &code).await;

    answer.assert_refused(400, "Bad Request", "Invalid or expired code.");
    assert_eq!(app.reset_password(&code, NEW_PASSWORD).await.status, 400);
    assert_eq!(app.confirm_email(&code).await.status, 400);
    assert_eq!(app.confirm_new_email(&token, &code).await.status, 200);
}

#[tokio::test]
async fn a_code_to_change_the_email_dies_with_password_email_sessions_and_time() {
    for function in ["set-password", "end-sessions", "disable-account"] {
        let (app, _, id, code) = with_change().await;
        app.operate(function, json!({ "id": id })).await.unwrap();
        app.operate("enable-account", json!({ "id": id }))
            .await
            .unwrap();
        let password = app
            .operate("set-password", json!({ "id": id }))
            .await
            .unwrap();
        let password = password["password"].as_str().unwrap();
        let token = app.sign_in("abc@example.com", password).await.token();

        assert_eq!(
            app.confirm_new_email(&token, &code).await.status,
            400,
            "{function}"
        );
    }
    let (app, token, _, code) = with_change().await;
    app.ask_for_email(&token, "ghi@example.com").await;
    let newer = app.mailed_code().await;
    assert_eq!(app.confirm_new_email(&token, &newer).await.status, 200);
    assert_eq!(
        app.confirm_new_email(&token, &code).await.status,
        400,
        "another email"
    );
    let (app, token, _, code) = with_change().await;
    app.clock.advance(HOUR);
    assert_eq!(
        app.confirm_new_email(&token, &code).await.status,
        400,
        "expired"
    );
}

#[tokio::test]
async fn codes_for_the_old_email_are_void_once_it_has_changed() {
    let (app, token, _, verification) = with_verification().await;
    app.forget_password("abc@example.com").await;
    let reset = app.mailed_code().await;
    app.ask_for_email(&token, "def@example.com").await;
    let change = app.mailed_code().await;
    assert_eq!(app.confirm_new_email(&token, &change).await.status, 200);

    assert_eq!(app.confirm_email(&verification).await.status, 400);
    assert_eq!(app.reset_password(&reset, NEW_PASSWORD).await.status, 400);

    app.ask_for_email(&token, "abc@example.com").await;
    let back = app.mailed_code().await;
    assert_eq!(app.confirm_new_email(&token, &back).await.status, 200);
    assert_eq!(app.reset_password(&reset, NEW_PASSWORD).await.status, 400);
}

#[tokio::test]
async fn a_change_of_email_with_a_wrong_password_is_refused() {
    let (app, token, _, _) = with_verification().await;
    let body = json!({"email": "def@example.com", "password": "guess1"});

    let answer = app
        .call(post("/user/change-email", &body).bearer(&token))
        .await;

    answer.assert_refused(403, "Forbidden", "Invalid username or password.");
    assert!(app.take_outbox().is_empty());
}

#[tokio::test]
async fn of_fifty_racing_confirmations_of_one_code_exactly_one_succeeds() {
    let (app, token, _, code) = with_change().await;

    let confirmed = join_all((0..50).map(|_| app.confirm_new_email(&token, &code))).await;

    let successes = confirmed.iter().filter(|answer| answer.status == 200);
    assert_eq!(successes.count(), 1);
}
