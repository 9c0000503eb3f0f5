//! Posting what `GET /v1/auth/user` returns to `POST /v1/auth/user` changes nothing, for generated
//! profiles.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tests::app::TestApp;

use crate::profiles::TEXTS;

/// Text of at most `max` bytes, with troublesome characters: emoji, right-to-left, combining.
fn text(max: usize) -> impl Strategy<Value = Value> {
    const ODD: [&str; 13] = [
        "👩\u{200d}👩\u{200d}👧",
        "שלום",
        "مرحبا",
        "e\u{301}",
        "\u{202e}",
        "\u{feff}",
        "𠮷",
        "\"",
        "\\",
        "%s",
        "<b>",
        "'",
        "\u{2028}",
    ];
    let piece = prop_oneof![
        3 => "[^\\p{Cc}]",
        1 => prop::sample::select(&ODD[..]).prop_map(str::to_owned),
    ];
    let filled = move |piece: &str| json!(piece.repeat(max / piece.len()));
    prop_oneof![
        1 => Just(Value::Null),
        1 => Just(json!("")),
        1 => prop::sample::select(&ODD[..]).prop_map(filled),
        1 => Just(json!("x".repeat(max))),
        4 => prop::collection::vec(piece, 0..max / 40).prop_map(|pieces| json!(pieces.concat())),
    ]
}

fn date() -> impl Strategy<Value = Value> {
    let millis = -62_135_596_800_000_i64..253_402_300_800_000;
    millis.prop_map(|millis| {
        let date = shared::domain::Timestamp::from_millis(millis).to_rfc3339();
        json!(date.unwrap())
    })
}

fn setting() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        text(1024).prop_map(|value| ("string", value)),
        any::<bool>().prop_map(|value| ("bool", json!(value.to_string()))),
        any::<i64>().prop_map(|value| ("int", json!(value.to_string()))),
        (-1e300..1e300).prop_map(|value: f64| ("double", json!(json!(value).to_string()))),
        text(100).prop_map(|value| ("json", json!(json!({"a": value}).to_string()))),
    ];
    let name = || {
        text(128).prop_filter("required", |name| {
            name.as_str().is_some_and(|name| !name.is_empty())
        })
    };
    (name(), text(128), name(), text(256), value).prop_map(
        |(category, group, name, description, (kind, value))| {
            json!({"category": category, "group": group, "name": name,
                   "description": description, "value": value, "type": kind})
        },
    )
}

fn profile() -> impl Strategy<Value = Value> {
    let texts = TEXTS.map(|name| text(256).prop_map(move |value| (name, value)).boxed());
    let country = prop::sample::select(&["AQ", "DE", "GB", "JP", "ZW"][..]);
    let images = ["https://example.com/a?b=ü", "data:image/png;base64,AA=="];
    let image = prop::sample::select(images.to_vec());
    let others = [
        text(4096).prop_map(|value| ("notes", value)).boxed(),
        date().prop_map(|value| ("birthDate", value)).boxed(),
        date()
            .prop_map(|value| ("lastDismissMessages", value))
            .boxed(),
        country
            .prop_map(|value| ("countryCode", json!(value)))
            .boxed(),
        image.prop_map(|value| ("image", json!(value))).boxed(),
    ];
    let fields: Vec<_> = texts.into_iter().chain(others).collect();
    (fields, prop::collection::vec(setting(), 0..12)).prop_map(|(fields, settings)| {
        let fields = fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        let mut user: Map<String, Value> = fields.collect();
        user.insert("settings".to_owned(), json!(settings));
        json!(user)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

    #[test]
    fn posting_a_profile_back_unchanged_changes_nothing(generated in profile()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(round_trip(&generated));
    }
}

async fn round_trip(generated: &Value) {
    let (app, token) = TestApp::with_user().await;
    app.api_key(&token, 15).await;
    app.api_key(&token, 0).await;
    app.revoke_api_key(&token, 1).await;

    let written = app.update_profile(&token, generated.clone()).await;
    let read = app.profile(&token).await.body;
    let stored = app.users().await;
    app.clock.advance(Duration::from_secs(1));
    let posted_back = app.update_profile(&token, read["user"].clone()).await;

    assert_eq!(written.status, 200, "{written:?}");
    assert_eq!(written.body, read);
    assert_shows(&read["user"], generated);
    assert_eq!(posted_back.status, 200, "{posted_back:?}");
    assert_eq!(posted_back.body, read);
    assert_eq!(app.users().await, stored);
}

/// Asserts that a user object shows what was written. A setting without a value shows an empty one.
fn assert_shows(user: &Value, written: &Value) {
    for (name, value) in written.as_object().unwrap() {
        if name != "settings" {
            assert_eq!(&user[name], value, "{name}");
        }
    }
    let written = written["settings"].as_array().unwrap();
    let shown = user["settings"].as_array().unwrap();
    assert_eq!(shown.len(), written.len());
    for (setting, written) in shown.iter().zip(written) {
        for (name, value) in written.as_object().unwrap() {
            let is_removed = name == "value" && value.is_null();
            let expected = if is_removed { &json!("") } else { value };
            assert_eq!(&setting[name], expected, "{name}");
        }
    }
}
