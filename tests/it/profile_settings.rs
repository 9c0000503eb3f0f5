//! Settings are created, numbered, changed and removed through the profile.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tests::app::{Answer, TestApp, post_bytes};

pub(crate) async fn post_settings(app: &TestApp, token: &str, settings: Value) -> Answer {
    app.update_profile(token, json!({ "settings": settings }))
        .await
}

pub(crate) fn settings(answer: &Answer) -> Vec<Value> {
    answer.body["user"]["settings"].as_array().unwrap().clone()
}

async fn assert_refused(app: &TestApp, token: &str, settings: Value, message: &str) {
    let before = app.profile(token).await.body;

    let answer = post_settings(app, token, settings.clone()).await;

    assert_eq!(answer.status, 400, "{settings}");
    assert_eq!(answer.message(), message, "{settings}");
    assert_eq!(app.profile(token).await.body, before);
}

/// An app with a user who has two settings: 1 is theme, 2 is columns.
pub(crate) async fn with_settings() -> (TestApp, String) {
    let (app, token) = TestApp::with_user().await;
    let two = json!([
        {"category": "ui", "name": "theme", "value": "dark"},
        {"category": "ui", "group": "list", "name": "columns", "value": "7", "type": "int",
         "description": "How many"},
    ]);
    assert_eq!(post_settings(&app, &token, two).await.status, 200);
    (app, token)
}

#[tokio::test]
async fn new_settings_are_numbered_and_shown_with_all_fields() {
    let (app, token) = with_settings().await;

    let answer = app.profile(&token).await;

    let owner = &answer.body["user"]["id"];
    assert_eq!(
        answer.body["user"]["settings"],
        json!([
            {"id": 1, "category": "ui", "group": null, "name": "theme", "value": "dark",
             "type": "string", "description": null, "readOnly": false, "userId": owner},
            {"id": 2, "category": "ui", "group": "list", "name": "columns", "value": "7",
             "type": "int", "description": "How many", "readOnly": false, "userId": owner},
        ])
    );
}

#[tokio::test]
async fn changing_a_setting_keeps_its_absent_fields_and_other_settings() {
    let (app, token) = with_settings().await;

    let answer = post_settings(&app, &token, json!([{"id": 2, "value": "8"}])).await;
    let changed = &settings(&answer)[1];
    assert_eq!(changed["value"], "8");
    assert_eq!(changed["group"], "list");
    assert_eq!(settings(&answer)[0]["value"], "dark");

    let cleared = json!([{"id": 2, "group": null, "description": null}]);
    let answer = post_settings(&app, &token, cleared).await;
    assert_eq!(settings(&answer)[1]["group"], json!(null));
    assert_eq!(settings(&answer)[1]["value"], "8");
}

#[tokio::test]
async fn a_null_value_removes_a_setting_and_its_id_is_never_reused() {
    let (app, token) = with_settings().await;

    let removed = json!([
        {"id": 2, "value": null},
        {"category": "ui", "name": "font", "value": null},
    ]);
    let answer = post_settings(&app, &token, removed).await;

    let left = settings(&answer);
    assert_eq!(left.len(), 2);
    assert_eq!(left[0]["id"], 1);
    assert_eq!(left[1]["id"], 3);
    assert_eq!(left[1]["value"], "");
}

#[tokio::test]
async fn an_invalid_setting_is_refused_and_changes_nothing() {
    let (app, token) = with_settings().await;
    let long = "ä".repeat(65);
    let new = |name: &str, value: Value| {
        let mut setting = json!({"category": "a", "name": "b", "value": "c"});
        setting[name] = value;
        json!([setting])
    };

    for (settings, message) in [
        (json!(null), "\"settings\" must be an array of objects"),
        (json!({}), "\"settings\" must be an array of objects"),
        (json!([7]), "\"settings\" must be an array of objects"),
        (
            json!([{"id": 1, "value": "x"}, {"id": 1, "value": "y"}]),
            "\"settings.id\" must name each setting only once",
        ),
        (json!([{"name": "x"}]), "\"settings.category\" is required"),
        (json!([{"category": "x"}]), "\"settings.name\" is required"),
        (
            new("category", json!(null)),
            "\"settings.category\" is required",
        ),
        (
            new("name", json!("")),
            "\"settings.name\" is not allowed to be empty",
        ),
        (
            new("category", json!(long)),
            "\"settings.category\" length must be less than or equal to 128 bytes",
        ),
        (
            new("group", json!(long)),
            "\"settings.group\" length must be less than or equal to 128 bytes",
        ),
        (
            new("name", json!(long)),
            "\"settings.name\" length must be less than or equal to 128 bytes",
        ),
        (
            new("value", json!("x".repeat(1025))),
            "\"settings.value\" length must be less than or equal to 1024 bytes",
        ),
        (
            new("description", json!("x".repeat(257))),
            "\"settings.description\" length must be less than or equal to 256 bytes",
        ),
        (
            new("value", json!(7)),
            "\"settings.value\" must be a string",
        ),
        (new("type", json!(7)), "\"settings.type\" must be a string"),
        (
            new("type", json!("text")),
            "\"settings.type\" must be one of string, bool, int, double, json",
        ),
        (
            new("type", json!("int")),
            "\"settings.value\" must be of type int",
        ),
        (
            json!([{"id": 2, "value": "many"}]),
            "\"settings.value\" must be of type int",
        ),
        (
            json!([{"id": 1, "type": "bool"}]),
            "\"settings.value\" must be of type bool",
        ),
        (
            // The first change is valid, but an update is all or nothing.
            json!([{"id": 1, "value": "light"}, {"id": 2, "value": ""}]),
            "\"settings.value\" must be of type int",
        ),
    ] {
        assert_refused(&app, &token, settings, message).await;
    }
    for id in [json!(0), json!(-1), json!(3), json!(i64::MAX)] {
        let message = "\"settings.id\" must be that of a setting of this account";
        assert_refused(&app, &token, json!([{"id": id, "value": "x"}]), message).await;
    }
    for id in [
        json!("1"),
        json!(1.5),
        json!(1e300),
        json!(true),
        json!(u64::MAX),
    ] {
        let message = "\"settings.id\" must be an integer";
        assert_refused(&app, &token, json!([{"id": id, "value": "x"}]), message).await;
    }
}

#[tokio::test]
async fn only_the_value_of_a_setting_may_contain_tabs_and_line_breaks() {
    let (app, token) = with_settings().await;

    for name in ["category", "group", "name", "description"] {
        let message = format!("\"settings.{name}\" must not contain control characters");
        assert_refused(&app, &token, json!([{"id": 1, name: "a\nb"}]), &message).await;
    }
    let message = "\"settings.value\" must not contain control characters";
    assert_refused(&app, &token, json!([{"id": 1, "value": "a\u{1}"}]), message).await;

    let lines = json!([{"id": 1, "value": "a\tb\r\nc"}]);
    assert_eq!(post_settings(&app, &token, lines).await.status, 200);
}

#[tokio::test]
async fn a_setting_id_may_use_any_json_spelling_of_its_number() {
    let (app, token) = with_settings().await;

    for id in ["1", "1.0", "1e0", "0.1e1"] {
        let body = format!(r#"{{"user":{{"settings":[{{"id":{id},"value":"{id}"}}]}}}}"#);
        let answer = app
            .call(post_bytes("/v1/auth/user", body).bearer(&token))
            .await;

        assert_eq!(settings(&answer)[0]["value"], id);
    }
}

#[tokio::test]
async fn a_hundred_settings_with_large_ids_can_be_replaced_at_once() {
    let (app, token) = TestApp::with_user().await;
    let new: Vec<_> = (0..100)
        .map(|_| json!({"category": "a", "name": "b"}))
        .collect();
    post_settings(&app, &token, json!([new[0]])).await;
    let mut profile = app.own_item("profile").await;
    let far = AttributeValue::N("1000000000".to_owned());
    profile.insert("last_setting".to_owned(), far);
    app.tamper(&app.app.config.tables.users, profile).await;
    let all = post_settings(&app, &token, json!(new[1..])).await;

    let removed = settings(&all)
        .into_iter()
        .map(|setting| json!({"id": setting["id"], "value": null}));
    let exchange: Vec<_> = removed.chain(new).collect();
    let mut user = json!({ "settings": exchange });
    for name in [
        "title",
        "city",
        "notes",
        "firstName",
        "lastName",
        "country",
        "region",
    ] {
        user[name] = json!("x");
    }
    let answer = app.update_profile(&token, user).await;

    assert_eq!(answer.status, 200);
    assert_eq!(settings(&answer).len(), 100);
}

#[tokio::test]
async fn an_account_has_at_most_a_hundred_settings() {
    let (app, token) = TestApp::with_user().await;
    let new = json!({"category": "a", "name": "b"});
    let hundred: Vec<_> = (0..100).map(|_| new.clone()).collect();
    assert_eq!(
        post_settings(&app, &token, json!(hundred)).await.status,
        200
    );

    let message = "\"settings\" must contain at most 100 items";
    assert_refused(&app, &token, json!([new]), message).await;

    let exchanged = json!([{"id": 7, "value": null}, new]);
    let answer = post_settings(&app, &token, exchanged).await;
    assert_eq!(answer.status, 200);
    assert_eq!(settings(&answer).len(), 100);
}

#[tokio::test]
async fn a_client_cannot_change_a_read_only_setting() {
    let (app, token) = with_settings().await;
    let mut item = app.own_item("setting#1").await;
    let AttributeValue::M(setting) = item.get_mut("setting").unwrap() else {
        panic!("a map");
    };
    setting.insert("read_only".to_owned(), AttributeValue::Bool(true));
    app.tamper(&app.app.config.tables.users, item).await;

    for change in [
        json!({"id": 1, "value": "light"}),
        json!({"id": 1, "value": null}),
        json!({"id": 1, "readOnly": false, "value": "light"}),
    ] {
        let answer = post_settings(&app, &token, json!([change, {"id": 2, "value": "9"}])).await;

        assert_eq!(answer.status, 200);
        assert_eq!(settings(&answer)[0]["value"], "dark");
        assert_eq!(settings(&answer)[0]["readOnly"], true);
        assert_eq!(settings(&answer)[1]["value"], "9");
    }
}

#[tokio::test]
async fn a_client_cannot_set_read_only_or_the_owner_of_a_setting() {
    let (app, token) = with_settings().await;

    let new = json!([
        {"id": 1, "readOnly": true, "userId": "000000000000000000000000", "value": "light"},
        {"category": "a", "name": "b", "readOnly": true, "userId": "x"},
    ]);
    let answer = post_settings(&app, &token, new).await;

    for setting in settings(&answer) {
        assert_eq!(setting["readOnly"], false);
        assert_eq!(setting["userId"], answer.body["user"]["id"]);
    }
    assert_eq!(settings(&answer)[0]["value"], "light");
}
