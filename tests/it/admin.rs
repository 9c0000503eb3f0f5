//! What administrators do to the accounts of others.

use std::sync::Arc;

use axum::body::Body;
use serde_json::{Value, json};
use tests::app::{Answer, Call, MAIL, PASSWORD, TestApp, get, post};
use tests::logs::capture;

use crate::scene::{Scene, admin_scope};

const NEW: &str = "battery-staple-7";

impl Scene {
    async fn change(&self, change: Value) -> Answer {
        self.app
            .call(put(&self.id, &change).bearer(&self.admin))
            .await
    }

    async fn read(&self) -> Answer {
        self.app.call(read(&self.id).bearer(&self.admin)).await
    }
}

fn read(id: &str) -> Call {
    get(&format!("/users/{id}"))
}

fn put(id: &str, change: &Value) -> Call {
    Call::new("PUT", &format!("/users/{id}"), change.to_string().into())
}

fn reset(email: &str, password: &str) -> Call {
    let body = json!({"email": email, "password": password});
    post("/user/reset-password", &body)
}

#[tokio::test]
async fn an_administrator_reads_any_account() {
    let scene = Scene::with(&[], "abc").await;

    let read = scene.read().await;

    let created = read.text("/created");
    let expected = json!({
        "id": scene.id, "userId": scene.id, "username": "abc", "isActive": false,
        "email": "abc@example.com", "scope": ["user"], "plan": "free", "vendor": null,
        "created": created, "disabled": false,
    });
    assert_eq!((read.status, read.body), (200, expected));
}

#[tokio::test]
async fn an_unknown_malformed_or_deleted_account_is_not_found() {
    let scene = Scene::with(&[], "abc").await;
    let deletion = json!({ "id": scene.id });
    scene.app.operate("delete-account", deletion).await.unwrap();
    let long = "a".repeat(3000);
    for id in [
        &scene.id,
        "6b03f80b55d568306a5d0d6c",
        "x",
        "%00",
        "%20",
        &long,
    ] {
        for call in [read(id), put(id, &json!({"disabled": true}))] {
            let answer = scene.app.call(call.bearer(&scene.admin)).await;
            answer.assert_refused(404, "Not Found", "User not found");
        }
    }
    for email in ["abc@example.com", "nobody@example.com", "no email", ""] {
        let answer = scene.app.call(reset(email, NEW).bearer(&scene.admin)).await;
        answer.assert_refused(404, "Not Found", "User not found");
    }
}

#[tokio::test]
async fn a_reset_password_signs_in_and_every_session_has_ended() {
    let scene = Scene::with(&[], "abc").await;
    let app = &scene.app;
    let mut tokens = vec![scene.token.clone()];
    for _ in 0..200 {
        tokens.push(app.sign_in("abc", PASSWORD).await.token());
    }

    let done = app
        .call(reset("ABC@example.com", NEW).bearer(&scene.admin))
        .await;

    assert_eq!((done.status, done.body), (200, json!({})));
    for token in tokens {
        assert_eq!(app.user(&token).await.message(), "Bad token");
    }
    assert_eq!(app.sign_in("abc", NEW).await.status, 200);
    assert_eq!(app.sign_in("abc@example.com", PASSWORD).await.status, 403);
}

#[tokio::test]
async fn every_field_is_changed_in_one_request() {
    let scene = Scene::with(&[], "abc").await;
    let change = json!({
        "username": "ada", "email": "ada@example.com", "password": NEW, "scope": ["user", "support"],
        "vendor": "acme", "disabled": false,
    });

    let changed = scene.change(change).await;

    assert_eq!(changed.status, 200);
    assert_eq!(changed.body, scene.read().await.body);
    for (field, value) in [
        ("username", json!("ada")),
        ("email", json!("ada@example.com")),
        ("scope", json!(["user", "support"])),
        ("vendor", json!(["acme"])),
        ("disabled", json!(false)),
    ] {
        assert_eq!(changed.body[field], value);
    }
    for name in ["ada", "ada@example.com"] {
        assert_eq!(scene.app.sign_in(name, NEW).await.status, 200);
    }
    for name in ["abc", "abc@example.com"] {
        assert_eq!(scene.app.sign_in(name, PASSWORD).await.status, 403);
    }
    let again = json!({"username": "abc", "email": "abc@example.com", "password": PASSWORD});
    assert_eq!(scene.app.call(post("/user", &again)).await.status, 200);
}

#[tokio::test]
async fn what_is_absent_or_null_stays() {
    let scene = Scene::with(&[], "abc").await;
    scene.change(json!({"vendor": ["acme", "umbrella"]})).await;
    let before = scene.app.users().await;
    let null = json!({"username": null, "email": null, "password": null, "scope": null,
                      "vendor": null, "disabled": null});
    for change in [json!({}), null, json!({"unknown": 1})] {
        assert_eq!(scene.change(change).await.status, 200);
        assert_eq!(scene.app.users().await, before);
    }
    assert_eq!(scene.app.user(&scene.token).await.status, 200);

    let none = scene.change(json!({"vendor": []})).await;
    assert_eq!(none.body["vendor"], Value::Null);
}

#[tokio::test]
async fn a_username_that_is_the_email_changes_with_it() {
    let app = TestApp::new().await;
    let admin = app.sign_up("root@example.com").await;
    let id = admin.text("/user/id");
    app.operate("grant-scopes", admin_scope(&id)).await.unwrap();

    let change = put(&id, &json!({"email": "Ada@example.com"}));
    let changed = app.call(change.bearer(&admin.token())).await;

    assert_eq!(changed.text("/username"), "Ada@example.com");
    assert_eq!(app.sign_in("ada@example.com", PASSWORD).await.status, 200);
    let claims = app.users().await.into_keys();
    assert_eq!(claims.filter(|key| key.ends_with("/claim")).count(), 1);
}

#[tokio::test]
async fn each_wrong_field_is_refused_and_changes_nothing() {
    let scene = Scene::with(&[], "abc").await;
    let before = scene.app.users().await;
    let many: Vec<_> = (0..17).map(|n| format!("s{n}")).collect();
    for (change, message) in [
        (json!({"username": ""}), "\"username\" contains"),
        (json!({"username": "a b"}), "\"username\" contains"),
        (json!({"username": "x".repeat(129)}), "\"username\" length"),
        (
            json!({"username": "def@example.com"}),
            "\"username\" must be the",
        ),
        (json!({"username": 1}), "\"username\" must be a string"),
        (json!({"email": "abc"}), "\"email\" must be a valid email"),
        (
            json!({"email": ["a@example.com"]}),
            "\"email\" must be a string",
        ),
        (json!({"password": "short"}), "\"password\" length"),
        (json!({"password": "x".repeat(1025)}), "\"password\" length"),
        (
            json!({"password": 123_456}),
            "\"password\" must be a string",
        ),
        (
            json!({"scope": "admin"}),
            "\"scope\" must be an array of strings",
        ),
        (
            json!({"scope": [1]}),
            "\"scope\" must be an array of strings",
        ),
        (json!({"scope": ["a", "a"]}), "\"scope\" must contain"),
        (json!({"scope": ["a b"]}), "\"scope\" must contain"),
        (json!({"scope": many}), "\"scope\" must contain"),
        (json!({"vendor": 1}), "\"vendor\" must be a string or"),
        (json!({"vendor": [1]}), "\"vendor\" must be a string or"),
        (json!({"vendor": ""}), "\"vendor\" must contain"),
        (
            json!({"vendor": ["x".repeat(65)]}),
            "\"vendor\" must contain",
        ),
        (json!({"vendor": many}), "\"vendor\" must contain"),
        (json!({"disabled": "yes"}), "\"disabled\" must be a boolean"),
        (json!({"disabled": 1}), "\"disabled\" must be a boolean"),
    ] {
        // A field that is valid changes nothing either.
        let mut change = change;
        if change.get("scope").is_none() {
            change["scope"] = json!(["other"]);
        }
        let answer = scene.change(change.clone()).await;

        assert_eq!(answer.status, 400, "{change}");
        assert!(
            answer.message().starts_with(message),
            "{change}: {answer:?}"
        );
        assert_eq!(scene.app.users().await, before, "{change}");
    }
}

#[tokio::test]
async fn a_taken_name_is_refused_and_changes_nothing() {
    let scene = Scene::with(&[], "abc").await;
    let body = json!({"username": "def", "email": "def@example.com", "password": PASSWORD});
    scene.app.call(post("/user", &body)).await;
    let before = scene.app.users().await;
    for change in [
        json!({"username": "DEF", "password": NEW}),
        json!({"email": "DEF@example.com", "disabled": true}),
    ] {
        let answer = scene.change(change).await;
        answer.assert_refused(400, "Bad Request", "User already exists.");
        assert_eq!(scene.app.users().await, before);
    }
}

#[tokio::test]
async fn a_disabled_account_is_dead_until_it_is_enabled() {
    let scene = Scene::with(&[], "abc").await;
    let app = &scene.app;
    let key = app.api_key(&scene.token, 15).await;
    let by_key = || get("/user").api_key(&key);

    let disabled = scene.change(json!({"disabled": true})).await;

    assert_eq!(disabled.body["disabled"], true);
    assert_eq!(app.user(&scene.token).await.message(), "Bad token");
    assert_eq!(app.call(by_key()).await.message(), "Invalid API key");
    assert_eq!(app.sign_in("abc", PASSWORD).await.status, 403);
    assert_eq!(
        scene.change(json!({"disabled": false})).await.body["disabled"],
        false
    );
    assert_eq!(app.user(&scene.token).await.status, 401);
    assert_eq!(app.call(by_key()).await.status, 200);
    assert_eq!(app.sign_in("abc", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_change_needs_a_token_of_a_recent_sign_in_and_no_key() {
    let scene = Scene::with(&[], "abc").await;
    let app = &scene.app;
    let key = app.api_key(&scene.admin, 15).await;
    let calls = || {
        [
            put(&scene.id, &json!({"scope": ["admin"]})),
            reset("abc@example.com", NEW),
        ]
    };
    for call in calls() {
        assert_eq!(app.call(call.api_key(&key)).await.status, 403);
    }
    for call in calls() {
        let with_both = call.bearer(&scene.admin).api_key(&key);
        assert_eq!(app.call(with_both).await.status, 403);
    }
    app.clock.advance(std::time::Duration::from_mins(16));
    for call in calls() {
        let answer = app.call(call.bearer(&scene.admin)).await;
        answer.assert_refused(401, "Unauthorized", "A recent sign-in is required");
    }
    // A user without the scope is told that, and not to sign in again.
    for call in calls() {
        assert_eq!(app.call(call.bearer(&scene.token)).await.status, 403);
    }
    let old = scene.read().await;
    assert_eq!((old.status, &old.body["scope"]), (200, &json!(["user"])));
    assert_eq!(app.call(read(&scene.id).api_key(&key)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_administrators_who_remove_each_other_at_once_one_stays() {
    for change in [json!({"scope": ["user"]}), json!({"disabled": true})] {
        let app = Arc::new(TestApp::new().await);
        let mut people = Vec::new();
        for name in ["a", "b"] {
            let signed_up = app.sign_up(&format!("{name}@example.com")).await;
            let id = signed_up.text("/user/id");
            app.operate("grant-scopes", admin_scope(&id)).await.unwrap();
            people.push((id, signed_up.token()));
        }
        let removals = [(0, 1), (1, 0)].map(|(by, whom): (usize, usize)| {
            let call = put(&people[whom].0, &change).bearer(&people[by].1);
            let app = Arc::clone(&app);
            tokio::spawn(async move { app.call(call).await.status })
        });

        let statuses = futures_util::future::try_join_all(removals).await.unwrap();

        assert_eq!(
            statuses.iter().filter(|status| **status == 200).count(),
            1,
            "{statuses:?}"
        );
        let administrators = &app.users().await["admins/set"]["ids"];
        assert_eq!(administrators.as_ss().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn the_last_administrator_cannot_be_demoted_or_disabled() {
    let scene = Scene::with(&[], "abc").await;
    let root = scene.app.user_id(&scene.admin).await;
    for change in [json!({"scope": []}), json!({"disabled": true})] {
        let answer = scene
            .app
            .call(put(&root, &change).bearer(&scene.admin))
            .await;
        let message = "The last administrator cannot be removed.";
        answer.assert_refused(409, "Conflict", message);
    }
    assert_eq!(scene.app.user(&scene.admin).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_changes_of_names_and_password_leave_matching_claims() {
    for _ in 0..10 {
        let scene = Arc::new(Scene::with(&[], "abc").await);
        let changes = [
            json!({"username": "ada"}),
            json!({"email": "ada@example.com"}),
            json!({"password": NEW}),
            json!({"vendor": ["acme"]}),
        ];
        let changes = changes.map(|change| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move { scene.change(change).await.status })
        });

        let statuses = futures_util::future::try_join_all(changes).await.unwrap();

        assert_eq!(statuses, [200; 4]);
        for name in ["ada", "ada@example.com"] {
            assert_eq!(scene.app.sign_in(name, NEW).await.status, 200);
        }
        let users = scene.app.users().await;
        let of_account = |key: &&String| key.ends_with("/claim") && !key.contains("root");
        assert_eq!(
            users.keys().filter(of_account).count(),
            2,
            "{:?}",
            users.keys()
        );
        assert_eq!(scene.read().await.body["vendor"], json!(["acme"]));
    }
}

#[tokio::test]
async fn requests_with_a_body_of_another_kind_are_refused_before_anything_is_read() {
    let scene = Scene::with(&[], "abc").await;
    for body in ["[]", "1", "null", "{"] {
        let call = Call::new("PUT", &format!("/users/{}", scene.id), Body::from(body));
        let answer = scene.app.call(call.bearer(&scene.admin)).await;
        assert_eq!(answer.message(), "Invalid request payload JSON format");
    }
}

#[tokio::test]
async fn nothing_is_changed_or_deleted_after_the_administrator_lost_the_session_or_scope() {
    let ends = [
        ("log-out", 401),
        ("end-sessions", 401),
        ("disable-account", 401),
        ("demoted", 403),
    ];
    let methods = ["PUT", "DELETE"].into_iter();
    for (method, (end, status)) in methods.flat_map(|method| ends.map(|end| (method, end))) {
        let scene = Scene::with(&[], "abc").await;
        let app = &scene.app;
        let admin = app.user_id(&scene.admin).await;
        let other = app.sign_up("other@example.com").await.text("/user/id");
        app.operate("grant-scopes", admin_scope(&other))
            .await
            .unwrap();
        let slow = app.another(&[]);
        let body = match method {
            "PUT" => json!({"scope": ["admin"]}),
            _ => json!({}),
        };
        let path = format!("/users/{}", scene.id);
        let call = Call::new(method, &path, body.to_string().into()).bearer(&scene.admin);

        let ending = async {
            match end {
                "log-out" => assert_eq!(app.log_out(&scene.admin).await.status, 200),
                "demoted" => {
                    let none = json!({"id": admin, "scopes": []});
                    app.operate("grant-scopes", none).await.unwrap();
                }
                _ => {
                    app.operate(end, json!({ "id": admin })).await.unwrap();
                }
            }
        };
        let (answer, ended) = slow
            .pause_at("TransactWriteItems", slow.call(call), ending)
            .await;

        assert!(ended.is_some(), "{method} {end}: {answer:?}");
        assert_eq!(answer.status, status, "{method} {end}: {answer:?}");
        let user = app.user(&scene.token).await;
        assert_eq!(user.body["scope"], json!(["user"]), "{method} {end}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_changes_of_one_field_answer_what_is_stored() {
    for _ in 0..10 {
        let scene = Arc::new(Scene::with(&[], "abc").await);
        scene.change(json!({"vendor": "a"})).await;
        let changes = [
            json!({"vendor": "a", "username": "x"}),
            json!({"vendor": "b"}),
        ];
        let changes = changes.map(|change| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move { scene.change(change).await.body })
        });

        let answers = futures_util::future::try_join_all(changes).await.unwrap();

        let stored = scene.read().await.body;
        assert!(answers.contains(&stored), "{answers:?} {stored}");
        assert_eq!(answers[0]["vendor"], json!(["a"]));
        assert_eq!(answers[1]["vendor"], json!(["b"]));
    }
}

#[tokio::test]
async fn a_new_password_must_not_contain_the_name_that_the_account_got_meanwhile() {
    let scene = Scene::with(&[], "abc").await;
    let slow = scene.app.another(&[("PASSWORD_REJECT_COMMON", "true")]);
    let reset = slow.call(reset("abc@example.com", NEW).bearer(&scene.admin));
    let rename = scene.change(json!({"username": "staple"}));

    let (answer, renamed) = slow.pause_at("TransactWriteItems", reset, rename).await;

    assert_eq!(renamed.unwrap().status, 200);

    let message = "\"password\" must not contain the email or username";
    answer.assert_refused(400, "Bad Request", message);
    assert_eq!(scene.app.sign_in("staple", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_change_leaves_a_line_that_says_who_changed_whom_and_what() {
    let scene = Scene::with(&[], "abc").await;
    let root = scene.app.user_id(&scene.admin).await;
    let (lines, _guard) = capture();

    scene
        .change(json!({"scope": ["support"], "vendor": "acme"}))
        .await;
    scene.change(json!({"vendor": "acme"})).await;

    let logged = lines.take();
    let message = "account changed by an administrator";
    let ours: Vec<_> = logged
        .iter()
        .map(|line| &line["fields"])
        .filter(|fields| fields["message"] == message)
        .collect();
    assert_eq!(ours.len(), 1, "the second changes nothing");
    assert_eq!(ours[0]["by"], json!(root));
    assert_eq!(ours[0]["account"], json!(scene.id));
    assert_eq!(ours[0]["changed"], "[\"scope\", \"vendor\"]");
    assert_eq!(ours[0]["scopes"], "[\"support\"]");
}

/// The account that had the email was found before it changed, and is written after.
#[tokio::test]
async fn a_password_is_not_reset_for_an_email_that_the_account_no_longer_has() {
    let scene = Scene::with(&MAIL, "abc").await;
    let app = &scene.app;
    app.deliver().await;
    app.ask_for_email(&scene.token, "new@example.com").await;
    let code = app.mailed_code().await;
    let slow = app.another(&MAIL);
    let reset = json!({"email": "abc@example.com", "password": "xyz987"});
    let reset = post("/user/reset-password", &reset).bearer(&scene.admin);

    let confirmation = app.confirm_new_email(&scene.token, &code);
    let (reset, confirmed) = slow
        .pause_at("TransactWriteItems", slow.call(reset), confirmation)
        .await;

    assert_eq!(confirmed.unwrap().status, 200);
    assert_eq!(reset.status, 404);
    assert_eq!(app.sign_in("abc", PASSWORD).await.status, 200);
}
