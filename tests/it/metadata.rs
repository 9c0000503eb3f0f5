//! The metadata of an account.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tests::app::{Answer, Call, PASSWORD, TestApp, get, post};
use tests::wire::Fault;

use crate::scene::Scene;

async fn scene() -> Scene {
    let (app, admin) = TestApp::with_administrator().await;
    let user = app.sign_up("def@example.com").await;
    Scene {
        id: user.text("/user/id"),
        token: user.token(),
        app,
        admin,
    }
}

impl Scene {
    async fn put(&self, metadata: Value) -> Answer {
        let body = json!({ "metadata": metadata }).to_string();
        let put = Call::new("PUT", &format!("/users/{}", self.id), body.into());
        self.app.call(put.bearer(&self.admin)).await
    }

    async fn metadata(&self) -> Value {
        self.app.user(&self.token).await.body["metadata"].clone()
    }

    fn key(&self) -> String {
        format!("own#{}/metadata", self.id)
    }
}

async fn sign_up_with(app: &TestApp, metadata: Value) -> Answer {
    let body = json!({"email": "new@example.com", "password": PASSWORD, "metadata": metadata});
    app.call(post("/user", &body)).await
}

#[tokio::test]
async fn the_metadata_of_a_sign_up_is_in_get_user_and_in_every_answer_for_administrators() {
    let (app, admin) = TestApp::with_administrator().await;
    let metadata = json!({"team": "blue", "nested": {"list": [1, 1.5, -3, "ä\u{0}", null, true, {}]},
                          "big": u64::MAX});

    let user = sign_up_with(&app, metadata.clone()).await;

    assert_eq!(user.status, 200);
    assert_eq!(user.body["user"].get("metadata"), None);
    assert_eq!(app.user(&user.token()).await.body["metadata"], metadata);
    let id = user.text("/user/id");
    let one = app
        .call(get(&format!("/users/{id}")).bearer(&admin))
        .await
        .body;
    assert_eq!(one["metadata"], metadata);
    let list = app.call(get("/users").bearer(&admin)).await.body;
    assert_eq!(list[0]["metadata"], metadata);
    assert_eq!(list[1].get("metadata"), None);
    let export = app
        .call(get("/user/export").bearer(&user.token()))
        .await
        .body;
    assert_eq!(export["account"]["metadata"], metadata);
}

#[tokio::test]
async fn an_account_without_metadata_has_no_such_field_and_no_such_item() {
    let (app, admin) = TestApp::with_administrator().await;

    for none in [json!(null), json!({})] {
        let user = sign_up_with(&app, none).await;
        assert_eq!(user.status, 200);
        let answer = app.user(&user.token()).await;
        assert_eq!(answer.body.get("metadata"), None);
        let keys: Vec<_> = app.users().await.into_keys().collect();
        assert!(
            keys.iter().all(|key| !key.ends_with("/metadata")),
            "{keys:?}"
        );
        let body = json!({ "password": PASSWORD }).to_string();
        let delete = Call::new("DELETE", "/user", body.into());
        let deleted = app.call(delete.bearer(&user.token())).await;
        assert_eq!(deleted.status, 200);
    }
    let list = app.call(get("/users").bearer(&admin)).await.body;
    assert_eq!(list[0].get("metadata"), None);
}

#[tokio::test]
async fn an_administrator_replaces_metadata_as_a_whole_and_an_empty_object_removes_it() {
    let scene = scene().await;

    let first = scene.put(json!({"team": "blue", "seats": 3})).await;
    assert_eq!(first.body["metadata"], json!({"team": "blue", "seats": 3}));
    let second = scene.put(json!({"team": "red"})).await;
    assert_eq!(second.body["metadata"], json!({"team": "red"}));
    let kept = scene.put(json!(null)).await;
    assert_eq!(kept.body["metadata"], json!({"team": "red"}));
    assert_eq!(scene.metadata().await, json!({"team": "red"}));

    let none = scene.put(json!({})).await;

    assert_eq!(none.status, 200);
    assert_eq!(none.body.get("metadata"), None);
    assert_eq!(scene.metadata().await, Value::Null);
    assert!(!scene.app.users().await.contains_key(&scene.key()));
}

#[tokio::test]
async fn metadata_beyond_a_limit_or_of_another_type_is_refused_and_changes_nothing() {
    let scene = scene().await;
    scene.put(json!({"team": "blue"})).await;
    let nested = |levels| (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }));
    let text = |bytes: usize| json!({"a": "ä".repeat((bytes - 8) / 2)});
    let size = r#""metadata" length must be less than or equal to 8192 bytes"#;
    let depth = r#""metadata" must not be nested deeper than 32 levels"#;
    let object = r#""metadata" must be of type object"#;

    for (metadata, message) in [
        (text(8194), size),
        (nested(33), depth),
        (json!([]), object),
        (json!("{}"), object),
        (json!(1), object),
    ] {
        for answer in [
            scene.put(metadata.clone()).await,
            sign_up_with(&scene.app, metadata.clone()).await,
        ] {
            assert_eq!(
                (answer.status, answer.text("/message").as_str()),
                (400, message)
            );
        }
    }
    let twice = r#"{"email":"new@example.com","password":"abc321","metadata":{"a":{"b":1,"b":2}}}"#;
    let twice = scene
        .app
        .call(Call::new("POST", "/user", twice.into()))
        .await;

    assert_eq!(
        twice.text("/message"),
        r#""metadata" must have each field only once"#
    );
    assert_eq!(scene.metadata().await, json!({"team": "blue"}));
    assert_eq!(scene.app.account_count().await, 3);
    assert_eq!(scene.put(text(8192)).await.status, 200);
    assert_eq!(scene.put(nested(32)).await.status, 200);
}

#[tokio::test]
async fn metadata_goes_with_its_account() {
    let scene = scene().await;
    scene.put(json!({"team": "blue"})).await;
    assert!(scene.app.users().await.contains_key(&scene.key()));

    let body = json!({ "password": PASSWORD }).to_string();
    let delete = Call::new("DELETE", "/user", body.into());
    assert_eq!(
        scene.app.call(delete.bearer(&scene.token)).await.status,
        200
    );
    scene.app.erase().await;

    assert!(!scene.app.users().await.contains_key(&scene.key()));
    assert_eq!(scene.put(json!({"team": "red"})).await.status, 404);
    assert!(!scene.app.users().await.contains_key(&scene.key()));
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_is_not_written_after_the_administrator_s_session_ended_or_the_account_is_deleted()
{
    for (end, status) in [("session", 401), ("account", 404)] {
        let scene = scene().await;
        scene.put(json!({"team": "blue"})).await;
        let slow = scene.app.another(&[]);
        let body = json!({"metadata": {"team": "red"}}).to_string();
        let call = Call::new("PUT", &format!("/users/{}", scene.id), body.into());

        let ending = async {
            if end == "session" {
                assert_eq!(scene.app.log_out(&scene.admin).await.status, 200);
            } else {
                let id = json!({"id": scene.id});
                scene.app.operate("delete-account", id).await.unwrap();
                scene.app.erase().await;
            }
        };
        let change = slow.call(call.bearer(&scene.admin));
        let (answer, ended) = slow.pause_at("TransactWriteItems", change, ending).await;

        assert!(ended.is_some(), "{end}: {answer:?}");
        assert_eq!(answer.status, status, "{end}: {answer:?}");
        let users = scene.app.users().await;
        let stored = users.get(&scene.key()).map(|item| &item["metadata"]);
        let blue = AttributeValue::S(r#"{"team":"blue"}"#.to_owned());
        let expected = (end == "session").then_some(&blue);
        assert_eq!(stored, expected, "{end}");
    }
}

#[tokio::test]
async fn a_list_has_the_metadata_of_each_of_a_hundred_accounts() {
    let (app, admin) = TestApp::with_administrator().await;
    for n in 0..100 {
        let body = json!({"email": format!("user{n}@example.com"), "password": PASSWORD,
                          "metadata": {"n": n}});
        let new = post("/user", &body).bearer(&admin);
        assert_eq!(app.call(new).await.status, 200);
    }

    let list = app.call(get("/users?limit=100").bearer(&admin)).await.body;

    for user in list.as_array().unwrap() {
        let n = user["metadata"]["n"].as_u64().unwrap();
        assert_eq!(user["email"], format!("user{n}@example.com"));
    }
    assert_eq!(list.as_array().map(Vec::len), Some(100));
}

/// Reports the metadata in an answer as unprocessed.
fn leave_metadata(answer: &mut Value) {
    let items = answer["Responses"]["latchkey-users"]
        .as_array_mut()
        .unwrap();
    let is_metadata = |item: &mut Value| item["sk"]["S"] == "metadata";
    let left = items.extract_if(.., is_metadata);
    let keys: Vec<_> = left
        .map(|item| json!({"pk": item["pk"], "sk": item["sk"]}))
        .collect();
    answer["UnprocessedKeys"] = json!({"latchkey-users": {"Keys": keys}});
}

#[tokio::test]
async fn metadata_that_dynamodb_leaves_unread_is_asked_for_again_and_never_taken_as_absent() {
    let scene = scene().await;
    scene.put(json!({"team": "blue"})).await;
    let one = format!("/users/{}", scene.id);
    for (path, token) in [
        ("/user", &scene.token),
        ("/users", &scene.admin),
        (&one, &scene.admin),
    ] {
        for (times, status) in [(1, 200), (usize::MAX, 503)] {
            let mut left = times;
            scene.app.wire.on_request(move |name, body| {
                let asks = name == "BatchGetItem" && body.to_string().contains("metadata");
                let leaves = asks && left > 0;
                left -= usize::from(leaves);
                leaves.then_some(Fault::Change(leave_metadata))
            });

            let answer = scene.app.call(get(path).bearer(token)).await;

            assert_eq!(answer.status, status, "{path}: {answer:?}");
        }
        scene.app.wire.heal();
    }
}

#[tokio::test]
async fn get_user_reads_metadata_in_the_round_trip_of_the_account() {
    let scene = scene().await;
    scene.put(json!({"a": "b".repeat(8000)})).await;
    let _ = scene.app.cost();

    assert_eq!(scene.app.user(&scene.token).await.status, 200);

    let cost = scene.app.cost();
    assert_eq!((cost.round_trips, cost.read_units), (1, 4.0));
}
