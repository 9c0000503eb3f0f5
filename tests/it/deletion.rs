//! What is left of a deleted account, and what administrators learn of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use serde_json::{Value, json};
use tests::app::{Answer, Call, Item, MAIL, PASSWORD, TestApp, get, post};
use tests::logs::capture;
use tests::wire::Fault;

use crate::scene::{Scene, admin_scope};

/// A name that cannot be in a hash or an id by chance.
const NAME: &str = "grace.hopper";

async fn scene() -> Scene {
    Scene::with(&MAIL, NAME).await
}

impl Scene {
    /// Gives the account something of each kind: fields, an image, settings, API keys and sessions.
    async fn fill(&self) {
        let (app, token) = (&self.app, &self.token);
        for _ in 0..26 {
            app.api_key(token, 15).await;
        }
        app.revoke_api_key(token, 1).await;
        let settings: Vec<_> = (0..3)
            .map(|n| json!({"category": "ui", "name": format!("n{n}"), "value": "1"}))
            .collect();
        let fields = json!({"city": "Bonn", "notes": "n", "image": "https://example.com/i.png", "settings": settings});
        assert_eq!(app.update_profile(token, fields).await.status, 200);
        for _ in 0..3 {
            app.sign_in(NAME, PASSWORD).await;
        }
        app.sign_in(NAME, "guess1").await;
    }

    async fn remove(&self) -> Answer {
        self.app.call(remove(&self.id).bearer(&self.admin)).await
    }

    async fn status(&self, ticket: &str) -> Answer {
        let path = format!("/users/{}/delete-status/{ticket}", self.id);
        self.app.call(get(&path).bearer(&self.admin)).await
    }

    /// Asserts that nothing of the account is stored but what expires by itself: its tombstone, counters, which
    /// do not show its names, and mail that was asked for.
    async fn assert_erased(&self) {
        let counters = &self.app.app.config.tables.rate_limits;
        let mut tombstones = 0;
        for (table, key, item) in stored(&self.app).await {
            let has = |text: &str| format!("{item:?}").contains(text);
            if key == format!("user#{}/deleted", self.id) {
                tombstones += 1;
                assert!(!has("argon2"), "{item:?}");
            } else if table != *counters && !key.starts_with("outbox#") {
                assert!(!has(&self.id), "{table}: {item:?}");
            }
            assert!(
                key.starts_with("outbox#") || !has(NAME),
                "{table}: {item:?}"
            );
            assert!(!key.starts_with("apikey#"), "{key}");
        }
        assert_eq!(tombstones, 1);
    }
}

fn remove(id: &str) -> Call {
    Call::new("DELETE", &format!("/users/{id}"), Body::empty())
}

/// All items of all tables, with the table and the key.
async fn stored(app: &TestApp) -> Vec<(String, String, Item)> {
    let tables = &app.app.config.tables;
    let mut stored = Vec::new();
    for table in [&tables.users, &tables.sessions, &tables.rate_limits] {
        let items: BTreeMap<String, Item> = app.items(table).await;
        let items = items.into_iter();
        stored.extend(items.map(|(key, item)| (table.clone(), key, item)));
    }
    stored
}

#[tokio::test]
async fn of_an_account_deleted_by_anybody_only_what_expires_is_left() {
    for by in ["its owner", "an administrator", "an operator"] {
        let scene = scene().await;
        scene.fill().await;
        match by {
            "its owner" => {
                let body = json!({ "password": PASSWORD }).to_string();
                let call = Call::new("DELETE", "/user", body.into()).bearer(&scene.token);
                assert_eq!(scene.app.call(call).await.status, 200);
            }
            "an administrator" => assert_eq!(scene.remove().await.status, 200),
            _ => {
                let deletion = json!({ "id": scene.id });
                scene.app.operate("delete-account", deletion).await.unwrap();
            }
        }

        let erased = scene.app.erase().await;

        assert_eq!(erased, [(format!("user#{}", scene.id), true)], "{by}");
        scene.assert_erased().await;
    }
}

#[tokio::test]
async fn an_erasure_that_ends_at_any_call_is_finished_by_the_next() {
    for failing in 1.. {
        let scene = scene().await;
        scene.fill().await;
        let ticket = scene.remove().await.text("/ticket");
        let broken = scene.app.another(&[]);
        let mut calls = 0;
        broken.wire.on_request(move |_, _| {
            calls += 1;
            (calls >= failing).then_some(Fault::Break)
        });

        let erased = broken.erase().await;

        let [(key, is_erased)] = erased.as_slice() else {
            panic!("{erased:?}");
        };
        if *is_erased {
            assert!(failing > 6, "only {failing} calls");
            return;
        }
        assert_eq!(scene.status(&ticket).await.text("/status"), "in-progress");
        assert!(scene.app.erase_account(key).await, "{failing}");
        scene.assert_erased().await;
        assert_eq!(scene.status(&ticket).await.text("/status"), "completed");
    }
}

#[tokio::test]
async fn an_erasure_that_is_delivered_twice_changes_nothing_of_another_account() {
    let scene = scene().await;
    scene.remove().await;
    let erased = scene.app.erase().await;
    let other = scene.app.sign_up("grace.hopper@example.com").await.token();

    assert!(scene.app.erase_account(&erased[0].0).await);

    assert_eq!(scene.app.user(&other).await.status, 200);
    assert!(scene.app.erase().await.is_empty());
}

#[tokio::test]
async fn a_message_that_names_no_account_stays_in_the_queue() {
    let app = TestApp::new().await;

    for key in ["user#x", "own#0123456789abcdef01234567", ""] {
        assert!(!app.erase_account(key).await, "{key}");
    }
}

#[tokio::test]
async fn a_batch_that_dynamodb_does_not_finish_is_sent_again() {
    let batches = |app: &TestApp| {
        let calls = app.wire.take_calls().into_iter();
        calls
            .filter(|call| call.operation == "BatchWriteItem")
            .count()
    };
    let left_out: fn(&mut Value) = |answer| {
        let key = json!({"pk": {"S": "own#gone"}, "sk": {"S": "notes"}});
        answer["UnprocessedItems"] = json!({"latchkey-users": [{"DeleteRequest": {"Key": key}}]});
    };
    let mut sent = Vec::new();
    for faults in [0, 1] {
        let scene = scene().await;
        scene.fill().await;
        scene.remove().await;
        let _ = batches(&scene.app);
        scene
            .app
            .wire
            .fail_next("BatchWriteItem", faults, Fault::Change(left_out));

        scene.app.erase().await;

        sent.push(batches(&scene.app));
    }
    assert_eq!(sent[1], sent[0] + 1);
}

#[tokio::test]
async fn an_account_that_an_administrator_deletes_is_dead_at_once() {
    let scene = scene().await;
    let key = scene.app.api_key(&scene.token, 15).await;
    scene.app.deliver().await;
    let (lines, _guard) = capture();

    let removed = scene.remove().await;

    assert_eq!(removed.status, 200);
    let logged = lines.take();
    let message = "account deleted by an administrator";
    let audited = |line: &&Value| line["fields"]["message"] == message;
    let audited: Vec<_> = logged.iter().filter(audited).collect();
    assert_eq!(audited.len(), 1, "{logged:?}");
    let by = scene.app.user_id(&scene.admin).await;
    assert_eq!(audited[0]["fields"]["by"], json!(by));
    assert_eq!(audited[0]["fields"]["account"], json!(scene.id));
    let elsewhere = scene.app.another(&[]);
    assert_eq!(elsewhere.user(&scene.token).await.message(), "Bad token");
    let by_key = elsewhere.call(get("/user").api_key(&key)).await;
    assert_eq!(by_key.message(), "Invalid API key");
    assert_eq!(elsewhere.sign_in(NAME, PASSWORD).await.status, 403);
    let mails = scene.app.deliver().await;
    let told: Vec<_> = mails
        .iter()
        .map(|mail| (&*mail.to, &*mail.subject))
        .collect();
    let deleted = "Your account for Latchkey was deleted";
    assert_eq!(told, [("grace.hopper@example.com", deleted)]);
    let body = json!({"username": NAME, "email": "grace.hopper@example.com", "password": PASSWORD});
    assert_eq!(scene.app.call(post("/user", &body)).await.status, 200);
}

#[tokio::test]
async fn a_ticket_tells_of_its_own_deletion_for_a_day() {
    let scene = scene().await;
    let ticket = scene.remove().await.text("/ticket");

    let begun = scene.status(&ticket).await;
    scene.app.erase().await;
    let ended = scene.status(&ticket).await;

    let progress =
        |status: &str, steps: u64| json!({"status": status, "stepsDone": steps, "stepsTotal": 2});
    assert_eq!(
        (begun.status, begun.body),
        (200, progress("in-progress", 0))
    );
    assert_eq!((ended.status, ended.body), (200, progress("completed", 2)));
    let other = "a3b8f042-1e16-4f0a-a8f0-421e16df0a1b";
    for ticket in [other, "x", "%20", &ticket.to_uppercase()] {
        let answer = scene.status(ticket).await;
        answer.assert_refused(404, "Not Found", "Ticket not found");
    }
    for id in ["x", "6b03f80b55d568306a5d0d6c"] {
        let path = format!("/users/{id}/delete-status/{ticket}");
        let answer = scene.app.call(get(&path).bearer(&scene.admin)).await;
        answer.assert_refused(404, "Not Found", "Ticket not found");
    }
    scene.app.clock.advance(Duration::from_secs(24 * 3600 - 1));
    assert_eq!(scene.status(&ticket).await.status, 200);
    scene.app.clock.advance(Duration::from_secs(1));
    let answer = scene.status(&ticket).await;
    answer.assert_refused(404, "Not Found", "Ticket not found");
}

#[tokio::test]
async fn a_completed_deletion_stays_completed_when_its_message_comes_again() {
    let scene = scene().await;
    let ticket = scene.remove().await.text("/ticket");
    let key = format!("user#{}", scene.id);
    assert!(scene.app.erase_account(&key).await);
    let mut calls = 0;
    scene.app.wire.on_request(move |_, _| {
        calls += 1;
        (calls > 2).then(Fault::throttled)
    });

    assert!(!scene.app.erase_account(&key).await);

    scene.app.wire.heal();
    assert_eq!(scene.status(&ticket).await.text("/status"), "completed");
}

#[tokio::test]
async fn a_deletion_that_is_not_finished_after_twelve_hours_has_failed() {
    let scene = scene().await;
    let ticket = scene.remove().await.text("/ticket");

    scene.app.clock.advance(Duration::from_secs(12 * 3600 - 1));
    assert_eq!(scene.status(&ticket).await.text("/status"), "in-progress");
    scene.app.clock.advance(Duration::from_secs(1));
    assert_eq!(scene.status(&ticket).await.text("/status"), "failed");

    scene.app.erase().await;
    assert_eq!(scene.status(&ticket).await.text("/status"), "completed");
}

#[tokio::test]
async fn only_an_administrator_with_a_recent_token_deletes_an_account() {
    let scene = scene().await;
    let (app, before) = (&scene.app, scene.app.users().await);
    let key = app.api_key(&scene.admin, 15).await;
    let with_key = app.users().await;
    let by_user = app.call(remove(&scene.id).bearer(&scene.token)).await;
    by_user.assert_refused(403, "Forbidden", "Insufficient scope");
    let by_key = app.call(remove(&scene.id).api_key(&key)).await;
    assert_eq!(by_key.status, 403);
    let by_nobody = app.call(remove(&scene.id)).await;
    assert_eq!(by_nobody.status, 401);
    for id in ["x", "%00", "6b03f80b55d568306a5d0d6c"] {
        let answer = app.call(remove(id).bearer(&scene.admin)).await;
        answer.assert_refused(404, "Not Found", "User not found");
    }
    assert!(app.users().await == with_key && with_key.len() > before.len());

    scene.app.clock.advance(Duration::from_secs(901));
    let by_old = app.call(remove(&scene.id).bearer(&scene.admin)).await;

    assert_eq!(by_old.status, 401);
    assert_eq!(app.users().await, with_key);
}

#[tokio::test]
async fn administrators_who_delete_each_other_at_once_leave_one() {
    for _ in 0..10 {
        let scene = Scene::with(&[], NAME).await;
        let scopes = admin_scope(&scene.id);
        scene.app.operate("grant-scopes", scopes).await.unwrap();
        let first = scene.app.user_id(&scene.admin).await;
        let pairs = [
            (first, scene.token.clone()),
            (scene.id.clone(), scene.admin.clone()),
        ];
        let app = Arc::new(scene.app);
        let racers = pairs.map(|(id, token)| {
            let app = app.another(&[]);
            tokio::spawn(async move { app.call(remove(&id).bearer(&token)).await.status })
        });

        let mut statuses = Vec::new();
        for racer in racers {
            statuses.push(racer.await.unwrap());
        }

        let users = app.users().await;
        let left = users.keys().filter(|key| key.ends_with("/account")).count();
        assert_eq!(left, 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    }
}

#[tokio::test]
async fn the_last_administrator_is_not_deleted() {
    let scene = scene().await;
    let id = scene.app.user_id(&scene.admin).await;
    let before = scene.app.users().await;

    let answer = scene.app.call(remove(&id).bearer(&scene.admin)).await;

    let last = "The last administrator cannot be removed.";
    answer.assert_refused(409, "Conflict", last);
    assert_eq!(scene.app.users().await, before);
}

#[test]
fn the_pipe_passes_on_the_keys_of_accounts_that_are_gone() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
    let template = std::fs::read_to_string(root).unwrap();

    let pattern = r#"{"eventName":["REMOVE"],"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"user#"}]},"sk":{"S":["account"]}}}}"#;
    assert!(template.contains(&format!("Pattern: '{pattern}'")));
}
