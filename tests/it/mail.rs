//! Mail: asking for it, and delivering it from the outbox.

use std::time::Duration;

use local::mailbox::{CaughtMail, Fault};
use local::template::Template;
use serde_json::json;
use tests::app::{Call, MAIL, PASSWORD, TestApp, post};
use tests::logs::capture;

use crate::key_rotation::HOUR;

const MILLI: Duration = Duration::from_millis(1);

/// The bodies of queue messages for these outbox items, each received once.
fn once(keys: &[String]) -> Vec<(&str, u32)> {
    keys.iter().map(|key| (key.as_str(), 1)).collect()
}

#[tokio::test]
async fn a_new_account_gets_a_mail_with_a_link_that_verifies_its_email() {
    let app = TestApp::with_mail().await;
    app.sign_up("abc@example.com").await;

    let mails = app.deliver().await;

    let [mail] = mails.as_slice() else {
        panic!("{mails:?}");
    };
    assert_eq!(mail.to, "abc@example.com");
    assert_eq!(mail.from, "\"Latchkey\" <noreply@latchkey.example>");
    assert_eq!(mail.subject, "Verify your email for Latchkey");
    let link = mail.link().unwrap();
    let code = link.strip_prefix("https://app.example.com/verify-email?code=");
    assert_eq!(code.unwrap().len(), 27);
    assert!(mail.html.contains(code.unwrap()), "{}", mail.html);
    assert!(app.deliver().await.is_empty(), "delivered twice");
}

#[tokio::test]
async fn without_a_sender_a_sign_up_adds_nothing_to_the_outbox() {
    let app = TestApp::new().await;
    app.sign_up("abc@example.com").await;

    let sessions = &app.app.config.tables.sessions;
    assert!(app.items(sessions).await.is_empty());
}

#[tokio::test]
async fn a_mail_that_was_asked_for_costs_the_same_calls_with_and_without_a_sender() {
    let mut calls = Vec::new();
    for settings in [&MAIL[..], &[]] {
        let app = TestApp::with(settings).await;
        let token = app.sign_up("abc@example.com").await.token();
        let _ = app.wire.take_calls();

        assert_eq!(app.ask_to_verify(&token).await.status, 200);
        assert_eq!(app.forget_password("abc@example.com").await.status, 200);

        let made = app.wire.take_calls().into_iter();
        calls.push(
            made.map(|call| (call.operation, call.uses))
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(calls[0], calls[1]);
}

#[tokio::test]
async fn links_and_names_in_mail_follow_the_settings() {
    let app = TestApp::with(&[
        ("MAIL_FROM", "hello@example.com"),
        ("APP_URL", "https://example.com/app/"),
        ("PRODUCT_NAME", "Häuser & \"Co\""),
        ("RESET_PASSWORD_SUFFIX", "/#/new?c="),
    ])
    .await;
    app.sign_up("abc@example.com").await;
    app.deliver().await;
    app.forget_password("abc@example.com").await;

    let mails = app.deliver().await;

    assert_eq!(
        mails[0].from,
        "=?UTF-8?B?SMOkdXNlciAmICJDbyI=?= <hello@example.com>"
    );
    assert_eq!(mails[0].subject, "Reset your password for Häuser & \"Co\"");
    let link = mails[0].link().unwrap();
    assert!(
        link.starts_with("https://example.com/app/#/new?c="),
        "{link}"
    );
    assert!(
        mails[0].html.contains("Häuser &amp; &quot;Co&quot;"),
        "{}",
        mails[0].html
    );
}

#[tokio::test]
async fn no_mail_has_the_username_which_its_owner_may_make_look_like_a_link() {
    let app = TestApp::with_mail().await;
    let username = "https://evil.example/win";
    let body = json!({"email": "abc@example.com", "username": username, "password": PASSWORD});
    let token = app.call(post("/user", &body)).await.token();
    app.forget_password("abc@example.com").await;
    app.ask_for_email(&token, "victim@example.com").await;
    app.api_key(&token, 1).await;

    let mails = app.deliver().await;

    assert_eq!(mails.len(), 5);
    for mail in mails {
        assert!(!format!("{mail:?}").contains("evil"), "{mail:?}");
    }
}

#[tokio::test]
async fn a_mail_goes_to_the_address_as_stored_at_a_domain_in_ascii() {
    let app = TestApp::with_mail().await;
    app.sign_up("Abc@BÜCHER.example").await;
    app.deliver().await;
    app.forget_password("aBC@xn--bcher-kva.example").await;

    let mails = app.deliver().await;

    assert_eq!(mails[0].to, "Abc@xn--bcher-kva.example");
}

#[tokio::test]
async fn a_second_delivery_sends_the_same_message() {
    let app = TestApp::with_mail().await;
    app.sign_up("abc@example.com").await;
    app.forget_password("abc@example.com").await;
    let keys = app.take_outbox();

    for _ in 0..2 {
        assert!(app.deliver_messages(&once(&keys)).await.is_empty());
    }

    let mut texts: Vec<_> = app.mails().into_iter().map(|mail| mail.text).collect();
    texts.sort();
    assert_eq!(texts.len(), 4);
    assert_eq!((&texts[0], &texts[2]), (&texts[1], &texts[3]));
    assert_ne!(texts[1], texts[2]);
}

#[tokio::test]
async fn no_code_is_stored() {
    let app = TestApp::with_mail().await;
    app.sign_up("abc@example.com").await;
    let code = app.mailed_code().await;

    let sessions = &app.app.config.tables.sessions;
    let stored = format!("{:?} {:?}", app.items(sessions).await, app.users().await);
    assert!(stored.contains("code#"));
    assert!(!stored.contains(&code));
}

#[tokio::test]
async fn of_two_resets_that_arrive_out_of_order_only_the_newer_is_sent() {
    let app = TestApp::with_mail().await;
    app.sign_up("abc@example.com").await;
    app.deliver().await;
    app.forget_password("abc@example.com").await;
    app.clock.advance(MILLI);
    app.forget_password("abc@example.com").await;
    let [older, newer] = app.take_outbox().try_into().unwrap();

    app.deliver_messages(&[(&newer, 1)]).await;
    app.deliver_messages(&[(&older, 1)]).await;

    let codes: Vec<_> = app
        .mails()
        .iter()
        .skip(1)
        .filter_map(CaughtMail::code)
        .collect();
    let [code] = codes.as_slice() else {
        panic!("{codes:?}");
    };
    assert_eq!(
        app.reset_password(code, "battery-staple-7").await.status,
        200
    );
}

#[tokio::test]
async fn attempts_to_send_one_notice_count_as_one() {
    let app = TestApp::with_mail().await;
    let token = app.sign_up("abc@example.com").await.token();
    app.deliver().await;
    app.api_key(&token, 1).await;
    let keys = app.take_outbox();
    let throttled = Fault::Answer(429, "TooManyRequestsException");
    app.mailbox().fail_next(18, &throttled);
    for times in 1..=6 {
        assert_eq!(app.deliver_messages(&[(&keys[0], times)]).await, [0]);
    }

    assert!(app.deliver_messages(&[(&keys[0], 7)]).await.is_empty());
    assert_eq!(app.mails().len(), 2);
}

#[tokio::test]
async fn a_mail_that_expires_before_ses_takes_it_goes_on_to_the_dead_letters() {
    let app = TestApp::with_mail().await;
    app.sign_up("abc@example.com").await;
    app.deliver().await;
    app.forget_password("abc@example.com").await;
    let keys = app.take_outbox();
    app.clock.advance(HOUR);

    assert_eq!(app.deliver_messages(&[(&keys[0], 2)]).await, [0]);

    assert_eq!(app.mails().len(), 1);
}

#[tokio::test]
async fn an_expired_mail_is_not_sent() {
    for (hours, is_reset) in [(24, false), (1, true)] {
        for (early, sent) in [(MILLI, 1), (Duration::ZERO, 0)] {
            let app = TestApp::with_mail().await;
            app.sign_up("abc@example.com").await;
            if is_reset {
                app.deliver().await;
                app.forget_password("abc@example.com").await;
            }
            app.clock.advance((hours * HOUR).saturating_sub(early));

            assert_eq!(app.deliver().await.len(), sent, "{hours} h, {early:?}");
        }
    }
}

#[tokio::test]
async fn no_code_is_mailed_for_an_account_that_is_disabled_deleted_verified_or_unknown() {
    let app = TestApp::with_mail().await;
    let id = app.sign_up("abc@example.com").await.text("/user/id");
    let code = app.mailed_code().await;
    let token = app.sign_in("abc@example.com", PASSWORD).await.token();

    app.forget_password("nobody@example.com").await;
    app.forget_password("no address").await;
    assert!(app.deliver().await.is_empty(), "unknown");

    app.ask_to_verify(&token).await;
    app.confirm_email(&code).await;
    assert!(app.deliver().await.is_empty(), "verified");
    app.ask_to_verify(&token).await;
    assert!(
        app.take_outbox().is_empty(),
        "a verified account asks for nothing"
    );

    for function in ["disable-account", "delete-account"] {
        app.forget_password("abc@example.com").await;
        app.operate(function, json!({ "id": id })).await.unwrap();
        let mails = app.deliver().await;
        assert!(mails.iter().all(|mail| mail.code().is_none()), "{function}");
    }
}

#[tokio::test]
async fn a_mail_that_ses_throttles_is_tried_again_after_growing_pauses() {
    let app = TestApp::with_mail().await;
    app.sign_up("abc@example.com").await;
    let keys = app.take_outbox();
    for (times, pause) in [(1, 30), (2, 60), (3, 120), (8, 3600), (29, 3600)] {
        let throttled = Fault::Answer(429, "TooManyRequestsException");
        // The SDK tries each call three times.
        app.mailbox().fail_next(3, &throttled);

        let failed = app.deliver_messages(&[(&keys[0], times)]).await;

        assert_eq!(failed, [0]);
        let pauses = app.mailbox().take_pauses();
        assert_eq!(pauses, [("receipt-0".to_owned(), pause)], "{times}");
    }
    assert!(app.mails().is_empty());

    assert!(app.deliver_messages(&[(&keys[0], 30)]).await.is_empty());
    assert_eq!(app.mails().len(), 1);
}

#[tokio::test]
async fn a_mail_is_tried_again_as_long_as_ses_may_take_it_later() {
    for (status, code) in [
        (400, "LimitExceededException"),
        (400, "SendingPausedException"),
        (400, "MailFromDomainNotVerifiedException"),
        (403, "AccessDeniedException"),
        (500, "InternalServiceErrorException"),
    ] {
        let app = TestApp::with_mail().await;
        app.sign_up("abc@example.com").await;
        let keys = app.take_outbox();
        app.mailbox().fail_next(3, &Fault::Answer(status, code));

        assert_eq!(app.deliver_messages(&once(&keys)).await, [0], "{code}");
    }
}

#[tokio::test]
async fn if_the_answer_of_ses_is_lost_the_same_mail_is_sent_again() {
    let app = TestApp::with_mail().await;
    app.sign_up("abc@example.com").await;
    app.mailbox().fail_next(1, &Fault::LoseAnswer);

    let mails = app.deliver().await;

    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].text, mails[1].text);
}

#[tokio::test]
async fn a_refused_address_is_logged_without_the_address_and_not_tried_again() {
    for (status, code) in [(400, "MessageRejected"), (400, "BadRequestException")] {
        let app = TestApp::with_mail().await;
        app.sign_up("abc@example.com").await;
        let keys = app.take_outbox();
        app.mailbox().fail_next(1, &Fault::Answer(status, code));
        let (lines, _guard) = capture();

        assert!(app.deliver_messages(&once(&keys)).await.is_empty());

        let lines = lines.take();
        let refused = lines
            .iter()
            .find(|line| line["fields"]["message"] == "mail refused");
        assert_eq!(refused.unwrap()["fields"]["error"], code);
        assert!(
            !format!("{lines:?}").contains("abc@example.com"),
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn one_failed_message_holds_up_no_other() {
    let app = TestApp::with_mail().await;
    app.sign_up("abc@example.com").await;
    let keys = app.take_outbox();

    let failed = app
        .deliver_messages(&[("nonsense", 1), (&keys[0], 1)])
        .await;

    assert_eq!(failed, [0]);
    assert_eq!(app.mails().len(), 1);
}

#[tokio::test]
async fn a_mail_is_tried_again_if_dynamodb_fails() {
    let app = TestApp::with_mail().await;
    app.sign_up("abc@example.com").await;
    app.deliver().await;
    app.forget_password("abc@example.com").await;
    let keys = app.take_outbox();
    let mut failing = 1;
    loop {
        let mut calls = 0;
        app.wire.on_request(move |_, _| {
            calls += 1;
            (calls >= failing).then(tests::wire::Fault::throttled)
        });
        if app.deliver_messages(&once(&keys)).await.is_empty() {
            break;
        }
        assert_eq!(app.mails().len(), 1, "call {failing}");
        failing += 1;
    }

    // The mail, the claim, the account and the code.
    assert_eq!(failing, 5);
    assert_eq!(app.mails().len(), 2);
}

#[test]
fn the_queue_gives_up_on_a_mail_after_a_day() {
    let template = include_str!("../../template.yaml");
    let (_, rest) = template.split_once("maxReceiveCount: ").unwrap();
    let most: u32 = rest.split(' ').next().unwrap().parse().unwrap();

    let pauses = (1..=most).map(deliver::pause_secs);

    let hours = f64::from(pauses.sum::<i32>()) / 3600.0;
    assert!((24.0..25.0).contains(&hours), "{hours}");
}

#[test]
fn the_pipe_passes_on_the_keys_of_new_outbox_items() {
    let template = include_str!("../../template.yaml");

    assert!(template.contains(r#"Pattern: '{"eventName":["INSERT"],"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"outbox#"}]}}}}'"#));
    let sessions = Template::checked_in().unwrap().tables.into_iter();
    let streamed = sessions.filter(|table| table.create.get("StreamSpecification").is_some());
    let streamed: Vec<_> = streamed.map(|table| table.name).collect();
    assert_eq!(streamed, ["latchkey-sessions", "latchkey-users"]);
}

#[tokio::test]
async fn beyond_five_mails_an_hour_to_an_address_the_answer_is_the_same_and_nothing_is_sent() {
    let app = TestApp::with_mail().await;
    let token = app.sign_up("abc@example.com").await.token();
    app.deliver().await;
    let mut answers = Vec::new();
    for _ in 0..6 {
        answers.push(app.forget_password("abc@example.com").await);
    }

    assert_eq!(app.take_outbox().len(), 5);
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (200, &json!({})));
        assert_eq!(answer.headers, answers[0].headers);
    }
    app.ask_to_verify(&token).await;
    assert_eq!(app.take_outbox().len(), 1, "another purpose");
    app.forget_password("def@example.com").await;
    assert_eq!(app.take_outbox().len(), 1, "another address");
    app.clock.advance(HOUR);
    app.forget_password("abc@example.com").await;
    assert_eq!(app.take_outbox().len(), 1, "another hour");
}

#[tokio::test]
async fn beyond_twenty_mails_an_hour_from_a_source_nothing_is_sent() {
    let app = TestApp::with_mail().await;
    for n in 0..21 {
        let email = format!("person{n}@example.com");
        assert_eq!(app.forget_password(&email).await.status, 200);
    }
    assert_eq!(app.take_outbox().len(), 20);

    let elsewhere = post(
        "/user/forgot-password",
        &json!({"email": "abc@example.com"}),
    );
    app.call(elsewhere.from("192.0.2.77")).await;
    assert_eq!(app.take_outbox().len(), 1);
}

#[tokio::test]
async fn forgetting_a_password_shows_nobody_whether_an_address_has_an_account() {
    let app = TestApp::with_mail().await;
    app.sign_up("abc@example.com").await;
    app.deliver().await;
    let mut seen = Vec::new();
    for email in ["abc@example.com", "def@example.com"] {
        let _ = app.wire.take_calls();
        let answer = app.forget_password(email).await;
        let calls = app.wire.take_calls().into_iter();
        let calls: Vec<_> = calls
            .map(|call| (call.operation, call.uses, call.read_units, call.write_units))
            .collect();
        seen.push((answer.status, answer.body, answer.headers, calls));
    }

    assert_eq!(seen[0], seen[1]);
    let keys = app.take_outbox();
    let items = app.items(&app.app.config.tables.sessions).await;
    let names = |key: &String| {
        let mut names: Vec<_> = items[key].keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(names(&keys[0]), names(&keys[1]));
}

#[tokio::test]
async fn a_new_password_email_or_key_and_a_deletion_cause_a_notice_whoever_makes_it() {
    let app = TestApp::with_mail().await;
    let admin = app.sign_up("admin@example.com").await;
    app.grant(&admin.text("/user/id"), &["admin"]).await;
    let admin = admin.token();
    let id = app.sign_up("abc@example.com").await.text("/user/id");
    app.deliver().await;
    let user = format!("/users/{id}");
    let put = |body: serde_json::Value| Call::new("PUT", &user, body.to_string().into());
    let new_password = json!({"email": "abc@example.com", "password": "another-password-8"});
    let reset = post("/user/reset-password", &new_password).bearer(&admin);
    assert_eq!(app.call(reset).await.status, 200);
    let changed = json!({"oldPassword": "another-password-8", "newPassword": PASSWORD});
    let token = app.sign_in("abc@example.com", "another-password-8").await;
    let change = post("/user/change-password", &changed).bearer(&token.token());
    assert_eq!(app.call(change).await.status, 200);
    app.api_key(&token.token(), 1).await;
    let renamed = put(json!({"email": "abd@example.com"})).bearer(&admin);
    assert_eq!(app.call(renamed).await.status, 200);
    let token = app.sign_in("abd@example.com", PASSWORD).await.token();
    let body = json!({ "password": PASSWORD }).to_string();
    let delete = Call::new("DELETE", "/user", body.into()).bearer(&token);
    assert_eq!(app.call(delete).await.status, 200);

    let told: Vec<_> = app
        .deliver()
        .await
        .into_iter()
        .map(|mail| (mail.to, mail.subject))
        .collect();

    let to_abc = |subject: &str| ("abc@example.com".to_owned(), subject.to_owned());
    let expected = [
        to_abc("Your password for Latchkey was changed"),
        to_abc("Your password for Latchkey was changed"),
        to_abc("An API key for Latchkey was created"),
        to_abc("Your email for Latchkey was changed"),
        (
            "abd@example.com".to_owned(),
            "Your account for Latchkey was deleted".to_owned(),
        ),
    ];
    let mut told = told;
    let mut expected = expected.to_vec();
    told.sort();
    expected.sort();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn operators_and_resets_by_mail_cause_notices_too() {
    let app = TestApp::with_mail().await;
    let id = app.sign_up("abc@example.com").await.text("/user/id");
    app.deliver().await;
    app.forget_password("abc@example.com").await;
    let code = app.mailed_code().await;
    assert_eq!(
        app.reset_password(&code, "battery-staple-7").await.status,
        200
    );
    app.operate("set-password", json!({ "id": id }))
        .await
        .unwrap();
    app.operate("delete-account", json!({ "id": id }))
        .await
        .unwrap();

    let mails = app.deliver().await;

    let mut subjects: Vec<_> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    subjects.sort_unstable();
    let changed = "Your password for Latchkey was changed";
    assert_eq!(
        subjects,
        ["Your account for Latchkey was deleted", changed, changed]
    );
    for mail in &mails {
        assert_eq!(mail.to, "abc@example.com");
        assert!(
            mail.text.contains("at 2027-01-15 08:00 UTC"),
            "{}",
            mail.text
        );
        assert_eq!(
            mail.link(),
            Some("https://app.example.com"),
            "{}",
            mail.text
        );
    }
}

#[tokio::test]
async fn a_change_that_fails_and_one_without_a_sender_cause_no_notice() {
    let with_mail = TestApp::with_mail().await;
    let token = with_mail.sign_up("abc@example.com").await.token();
    with_mail.deliver().await;
    let change = |old: &str| {
        let body = json!({"oldPassword": old, "newPassword": "another-password-8"});
        post("/user/change-password", &body).bearer(&token)
    };

    assert_eq!(with_mail.call(change("guess1")).await.status, 403);
    let without = with_mail.another(&[]);
    assert_eq!(without.call(change(PASSWORD)).await.status, 200);

    assert!(with_mail.take_outbox().is_empty());
}

#[tokio::test]
async fn notices_to_a_verified_address_have_no_limit_and_to_another_that_of_mail() {
    let app = TestApp::with_mail().await;
    let verified = app.sign_up("abc@example.com").await.token();
    let code = app.mailed_code().await;
    app.confirm_email(&code).await;
    let unverified = app.sign_up("victim@example.com").await.token();
    app.deliver().await;
    for (token, mails) in [(&verified, 6), (&unverified, 5)] {
        for _ in 0..6 {
            app.api_key(token, 1).await;
        }

        assert_eq!(app.deliver().await.len(), mails);
    }
    app.clock.advance(HOUR);
    let token = app.sign_in("victim@example.com", PASSWORD).await.token();
    app.api_key(&token, 1).await;
    assert_eq!(app.deliver().await.len(), 1, "another hour");
}
