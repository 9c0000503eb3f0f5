//! `GET` and `POST /v1/auth/user`: what an owner can and cannot read and write.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value, json};
use tests::app::{PASSWORD, TestApp};

use crate::races::race_over;

/// The text fields that hold at most 256 bytes.
pub(crate) const TEXTS: [&str; 11] = [
    "phoneNumber",
    "mobile",
    "title",
    "firstName",
    "lastName",
    "department",
    "address",
    "postalCode",
    "region",
    "city",
    "country",
];

#[tokio::test]
async fn a_new_profile_has_every_documented_field_with_null_where_unset() {
    let (app, token) = TestApp::with_user().await;

    let answer = app.profile(&token).await;

    assert_eq!(answer.status, 200);
    let id = &answer.body["user"]["id"];
    assert_eq!(
        answer.body,
        json!({
            "success": true, "code": 0, "message": "",
            "user": {
                "id": id, "userName": "abc@example.com", "email": "abc@example.com",
                "phoneNumber": null, "title": null, "firstName": null, "lastName": null,
                "department": null, "birthDate": null, "createdAt": "2027-01-15T08:00:00.250Z",
                "updatedAt": null, "lastDismissMessages": null, "lastLogIn": null, "rank": null,
                "image": null, "address": null, "postalCode": null, "region": null, "city": null,
                "country": null, "countryCode": null, "mobile": null, "notes": null,
                "customerId": null, "roles": ["user"], "apiKeys": [], "settings": [],
            },
        })
    );
}

#[tokio::test]
async fn both_sign_in_routes_update_the_last_login() {
    let (app, token) = TestApp::with_user().await;

    app.clock.advance(Duration::from_secs(1));
    app.sign_in("abc@example.com", PASSWORD).await;
    let after_sign_in = app.profile(&token).await;
    app.clock.advance(Duration::from_secs(1));
    app.log_in("abc@example.com", PASSWORD).await;
    let after_log_in = app.profile(&token).await;

    assert_eq!(
        after_sign_in.body["user"]["lastLogIn"],
        "2027-01-15T08:00:01.250Z"
    );
    assert_eq!(
        after_log_in.body["user"]["lastLogIn"],
        "2027-01-15T08:00:02.250Z"
    );
}

#[tokio::test]
async fn an_absent_field_is_kept_and_null_clears_a_field() {
    let (app, token) = TestApp::with_user().await;
    let set = json!({"firstName": "Ada", "lastName": "Lovelace", "city": ""});
    assert_eq!(app.update_profile(&token, set).await.status, 200);

    app.clock.advance(Duration::from_secs(1));
    let answer = app
        .update_profile(&token, json!({"firstName": null, "country": "England"}))
        .await;

    let user = &answer.body["user"];
    assert_eq!(user["firstName"], json!(null));
    assert_eq!(user["lastName"], "Lovelace");
    assert_eq!(user["city"], "", "empty is not unset");
    assert_eq!(user["country"], "England");
    assert_eq!(user["updatedAt"], "2027-01-15T08:00:01.250Z");
    assert_eq!(app.profile(&token).await.body, answer.body);
}

#[tokio::test]
async fn dates_are_stored_as_utc_with_milliseconds() {
    let (app, token) = TestApp::with_user().await;
    let dates = json!({
        "birthDate": "1815-12-10T01:30:00.123456+02:00",
        "lastDismissMessages": "9999-12-31T23:59:59.999Z",
    });

    let answer = app.update_profile(&token, dates).await;

    let user = &answer.body["user"];
    assert_eq!(user["birthDate"], "1815-12-09T23:30:00.123Z");
    assert_eq!(user["lastDismissMessages"], "9999-12-31T23:59:59.999Z");
}

#[tokio::test]
async fn an_invalid_profile_field_is_refused_and_changes_nothing() {
    let (app, token) = TestApp::with_user().await;
    let before = app.users().await;
    let long = "ä".repeat(129);
    let long_url = format!("https://example.com/{}", "a".repeat(48 * 1024));
    let mut cases: Vec<(&str, Value, &str)> = vec![
        (
            "notes",
            json!("a\u{0}b"),
            "must not contain control characters",
        ),
        (
            "notes",
            json!("a\tb"),
            "must not contain control characters",
        ),
        (
            "notes",
            json!("a".repeat(4097)),
            "length must be less than or equal to 4096 bytes",
        ),
        (
            "image",
            json!(long_url),
            "length must be less than or equal to 49152 bytes",
        ),
    ];
    for text in TEXTS {
        cases.extend([
            (text, json!(7), "must be a string"),
            (text, json!({}), "must be a string"),
            (text, json!("a\nb"), "must not contain control characters"),
            (
                text,
                json!("a\u{85}b"),
                "must not contain control characters",
            ),
            (
                text,
                json!(long),
                "length must be less than or equal to 256 bytes",
            ),
        ]);
    }
    for code in ["", "de", "XX", "DEU", "UK", "D", "ÄÖ"] {
        let problem = "must be a country code of ISO 3166-1 alpha-2";
        cases.push(("countryCode", json!(code), problem));
    }
    for date in ["", "1815-12-10", "0000-01-01T00:00:00Z", "yesterday"] {
        let problem = "must be an RFC 3339 date-time of the years 1 to 9999";
        cases.push(("birthDate", json!(date), problem));
        cases.push(("lastDismissMessages", json!(date), problem));
    }
    for url in [
        "",
        "x",
        "http://example.com/a.png",
        "javascript:alert(1)",
        "https://",
        "https:// example.com",
        " https://example.com",
        "https://example.com/a\nb",
        "file:///etc/passwd",
        "//example.com/a.png",
        "https:example.com",
        "https:///example.com",
        "https:\\\\example.com",
        "https://exa mple.com/",
        "data:",
        "data:image/png;base64",
        "data:text/html,<script>",
        "data:image/svg+xml;base64,PHN2Zz4=",
        "data:image/png;charset=utf-8,x",
    ] {
        let problem = "must be an https URL, or a data URL of a PNG, JPEG, WebP or GIF image";
        cases.push(("image", json!(url), problem));
    }

    for (field, value, problem) in cases {
        let answer = app
            .update_profile(&token, json!({"city": "Berlin", field: value}))
            .await;

        assert_eq!(answer.status, 400, "{field} {value}");
        assert_eq!(answer.body["code"], 1006);
        assert_eq!(answer.message(), format!("\"{field}\" {problem}"));
    }
    assert_eq!(app.users().await, before);
}

#[tokio::test]
async fn the_user_field_is_required_and_must_be_an_object() {
    let (app, token) = TestApp::with_user().await;

    for (user, problem) in [
        (json!(null), "is required"),
        (json!([]), "must be of type object"),
        (json!("x"), "must be of type object"),
    ] {
        let answer = app.update_profile(&token, user).await;

        assert_eq!(answer.status, 400);
        assert_eq!(answer.message(), format!("\"user\" {problem}"));
    }
    let empty = tests::app::post("/v1/auth/user", &json!({})).bearer(&token);
    assert_eq!(app.call(empty).await.message(), "\"user\" is required");
}

#[tokio::test]
async fn a_duplicate_field_is_refused_at_every_depth() {
    let (app, token) = TestApp::with_user().await;

    for (body, field) in [
        (r#"{"user":{},"user":{}}"#, "user"),
        (r#"{"user":{"city":"a","city":"b"}}"#, "city"),
        (r#"{"user":{"id":"a","id":"b"}}"#, "id"),
        (
            r#"{"user":{"settings":[{"name":"a","name":"b"}]}}"#,
            "settings.name",
        ),
    ] {
        let call = tests::app::post_bytes("/v1/auth/user", body).bearer(&token);
        let answer = app.call(call).await;

        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(
            answer.message(),
            format!("\"{field}\" must appear only once")
        );
    }
}

#[tokio::test]
async fn a_profile_update_cannot_change_the_username_or_email() {
    let (app, token) = TestApp::with_user().await;

    for name in ["userName", "email"] {
        for value in [
            json!("ABC@example.com"),
            json!("eve@example.com"),
            json!(""),
            json!(null),
        ] {
            let answer = app.update_profile(&token, json!({name: value})).await;

            assert_eq!(answer.status, 400, "{name} {value}");
            assert_eq!(
                answer.message(),
                format!("\"{name}\" cannot be changed here")
            );
        }
        let same = app
            .update_profile(&token, json!({name: "abc@example.com"}))
            .await;
        assert_eq!(same.status, 200);
    }
}

#[tokio::test]
async fn a_client_can_change_only_the_writable_profile_fields() {
    let (app, token) = TestApp::with_user().await;
    let before = app.profile(&token).await.body["user"].clone();
    let account_before = app.users().await;
    let key = json!({"id": 1, "name": "x", "key": "api_x", "permissions": 15, "revoked": false});

    for (field, value) in [
        ("id", json!("000000000000000000000000")),
        ("createdAt", json!("2000-01-01T00:00:00Z")),
        ("updatedAt", json!("2000-01-01T00:00:00Z")),
        ("lastLogIn", json!("2000-01-01T00:00:00Z")),
        ("roles", json!(["admin"])),
        ("rank", json!(1)),
        ("customerId", json!(1)),
        ("apiKeys", json!([key])),
        ("scope", json!(["admin"])),
        ("isActive", json!(true)),
        ("plan", json!("beta")),
        ("vendor", json!("x")),
        ("password", json!("def321")),
        ("password_hash", json!("x")),
        ("generation", json!(7)),
        ("pk", json!("user#x")),
        ("v", json!(2)),
        ("sk", json!("account")),
        ("last_api_key", json!(7)),
        ("setting#1", json!({})),
        ("key#1", json!({})),
        ("last_setting", json!(7)),
        ("setting_count", json!(-7)),
    ] {
        let answer = app.update_profile(&token, json!({field: value})).await;

        assert_eq!(answer.status, 200, "{field}");
        assert_eq!(answer.body["user"], before, "{field}");
    }
    assert_eq!(app.users().await, account_before, "nothing was written");

    let writable: Map<String, Value> = TEXTS
        .into_iter()
        .chain(["notes"])
        .map(|name| (name.to_owned(), json!("x")))
        .chain([
            ("countryCode".to_owned(), json!("DE")),
            ("birthDate".to_owned(), json!("2000-01-01T00:00:00Z")),
            (
                "lastDismissMessages".to_owned(),
                json!("2000-01-01T00:00:00Z"),
            ),
            ("image".to_owned(), json!("https://example.com/a.png")),
        ])
        .collect();
    let answer = app.update_profile(&token, json!(writable)).await;
    for (name, value) in &writable {
        assert_eq!(&answer.body["user"][name], value, "{name}");
    }
}

#[tokio::test]
async fn a_rank_and_customer_id_set_by_the_operator_are_shown() {
    let (app, token) = TestApp::with_user().await;
    app.update_profile(&token, json!({"firstName": "Ada"}))
        .await;
    let mut profile = app.own_item("profile").await;
    profile.insert("rank".to_owned(), AttributeValue::N("-3".to_owned()));
    profile.insert("customer_id".to_owned(), AttributeValue::N("42".to_owned()));
    app.tamper(&app.app.config.tables.users, profile).await;

    let user = app.profile(&token).await.body["user"].clone();

    assert_eq!(user["rank"], -3);
    assert_eq!(user["customerId"], 42);
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_updates_of_different_profile_fields_all_take_effect() {
    let (app, token) = TestApp::with_user().await;

    let answers = race_over(&app, &[], TEXTS.len(), |app, i| {
        let (token, field) = (token.clone(), TEXTS[i]);
        async move { app.update_profile(&token, json!({field: field})).await }
    })
    .await;

    assert!(answers.iter().all(|answer| answer.status == 200));
    let user = app.profile(&token).await.body["user"].clone();
    for field in TEXTS {
        assert_eq!(user[field], field);
    }
}
