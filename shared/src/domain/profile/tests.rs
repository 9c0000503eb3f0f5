use std::collections::BTreeSet;

use super::*;
use crate::domain::{InvalidSetting, SettingChange};

fn parse(field: ProfileField, text: &str) -> Result<String, InvalidValue> {
    let value = field.parse(text.to_owned())?;
    Ok(value.as_str().to_owned())
}

fn stored(id: u64) -> Setting {
    Setting {
        id,
        content: new_setting().create().unwrap(),
        read_only: false,
    }
}

fn new_setting() -> SettingChange {
    SettingChange {
        category: Some("ui".to_owned()),
        name: Some("theme".to_owned()),
        ..SettingChange::default()
    }
}

fn value(id: u64, value: Option<&str>) -> SettingChange {
    SettingChange {
        id: Some(id),
        value: Some(value.map(str::to_owned)),
        ..SettingChange::default()
    }
}

fn profile(settings: impl IntoIterator<Item = u64>) -> Profile {
    Profile {
        settings: settings.into_iter().map(|id| (id, stored(id))).collect(),
        ..Profile::default()
    }
}

fn delta(profile: &Profile, settings: Vec<SettingChange>) -> Result<ProfileDelta, InvalidSetting> {
    let update = ProfileUpdate {
        settings,
        ..ProfileUpdate::default()
    };
    profile.delta(&update, profile, 0)
}

#[test]
fn each_field_has_a_maximum_length() {
    for (field, start, max) in [
        (ProfileField::City, "", 256),
        (ProfileField::Notes, "", 4096),
        (ProfileField::Image, "data:image/png,", 49_152),
    ] {
        let longest = format!("{start}{}", "x".repeat(max - start.len()));

        assert_eq!(parse(field, &longest), Ok(longest.clone()));
        let refused = Err(InvalidValue::TooManyBytes(max));
        assert_eq!(parse(field, &format!("{longest}x")), refused);
        assert_eq!(field.max_bytes(), max);
    }
}

#[test]
fn every_field_has_a_distinct_name() {
    let names: BTreeSet<&str> = ProfileField::ALL.map(ProfileField::name).into();

    assert_eq!(names.len(), 16);
    assert!(names.contains("lastDismissMessages"));
}

#[test]
fn only_notes_may_have_line_breaks() {
    let refused = Err(InvalidValue::ControlCharacter);

    assert!(parse(ProfileField::Notes, "a\r\nb").is_ok());
    assert_eq!(parse(ProfileField::Notes, "a\0b"), refused);
    assert_eq!(parse(ProfileField::City, "a\nb"), refused);
}

#[test]
fn an_image_is_an_https_url_or_a_data_url_of_an_image_type() {
    for text in [
        "https://example.com/a.png",
        "HTTPS://example.com",
        "data:image/png;base64,AAAA",
        "data:image/jpeg;base64,/9j+",
        "data:image/webp;base64,AA==",
        "data:image/gif;base64,R0lGODlh",
        "DATA:Image/PNG;BASE64,AAAA",
        "data:image/png,%89PNG%0d%0A",
    ] {
        assert_eq!(parse(ProfileField::Image, text), Ok(text.to_owned()));
    }
}

#[test]
fn a_data_url_of_another_type_or_form_is_not_an_image() {
    for text in [
        "data:,x",
        "data:;base64,AAAA",
        "data:text/html,<script>",
        "data:text/html;base64,PHNjcmlwdD4=",
        "data:image/svg+xml,%3Csvg%3E",
        "data:image/svg+xml;base64,PHN2Zz4=",
        "data:image/png+xml,x",
        "data:image/pngx,x",
        "data:image/*,x",
        "data:image/png/,x",
        "data:text/html;image/png,x",
        "data:image/png;charset=utf-8,x",
        "data:image/png;base64;charset=utf-8,AAAA",
        "data:image/png;charset=utf-8;base64,AAAA",
        "data:image/png;base64;base64,AAAA",
        "data:image/png;,x",
        "data:image/png",
        "data:image/png,",
        "data:image/png;base64,",
        "data:image/png;base64",
        "data:image/png;base64,AAA",
        "data:image/png;base64,AB==",
        "data:image/png;base64,AA%3D%3D",
        "data:image/png;base64,-_-_",
        "data:image/png,<script>",
        "data:image/png,\"x",
        "data:image/png,x#y",
        "data:image/png,%",
        "data:image/png,%4",
        "data:image/png,%4g",
        "data:image/png,%%41",
        "data:image/png,é",
        "data: image/png,x",
        "data://image/png,x",
        " data:image/png,x",
    ] {
        let refused = Err(InvalidValue::Image);
        assert_eq!(parse(ProfileField::Image, text), refused, "{text:?}");
    }
}

#[test]
fn malformed_urls_and_other_schemes_are_not_images() {
    for text in [
        "",
        "x",
        "http://example.com/a.png",
        "javascript:alert(1)",
        "https:example.com",
        "https:///example.com",
        "https://",
        "https://exa mple.com",
        "https://example.com/a b",
        "https://example.com/\u{7f}",
        "https://example.com/\u{a0}",
        "https://example.com\\a",
        "https://[::1",
    ] {
        let refused = Err(InvalidValue::Image);
        assert_eq!(parse(ProfileField::Image, text), refused, "{text:?}");
    }
}

#[test]
fn debug_output_never_shows_a_value() {
    let value = FieldValue::stored("1 Main Street".to_owned());

    assert_eq!(value.as_str(), "1 Main Street");
    assert_eq!(format!("{value:?}"), "FieldValue(redacted)");
}

#[test]
fn only_fields_that_differ_are_written() {
    let city = |name: &str| FieldValue::stored(name.to_owned());
    let seen = Profile {
        fields: BTreeMap::from([(ProfileField::City, city("Bonn"))]),
        ..Profile::default()
    };
    let to = |field, value| {
        let update = ProfileUpdate {
            fields: BTreeMap::from([(field, value)]),
            ..ProfileUpdate::default()
        };
        seen.delta(&update, &seen, 0).unwrap()
    };

    assert_eq!(seen.field(ProfileField::City), Some("Bonn"));
    assert_eq!(seen.field(ProfileField::Region), None);
    assert!(to(ProfileField::City, Some(city("Bonn"))).is_empty());
    assert!(to(ProfileField::Region, None).is_empty());
    for value in [None, Some(city("Köln"))] {
        let delta = to(ProfileField::City, value.clone());
        assert!(!delta.is_empty());
        assert_eq!(delta.fields, BTreeMap::from([(ProfileField::City, value)]));
    }
}

#[test]
fn settings_are_created_changed_and_removed_as_asked() {
    let changes = vec![
        new_setting(),
        value(1, Some("dark")),
        value(2, None),
        value(3, Some("")),
    ];

    let delta = delta(&profile([1, 2, 3, 4]), changes).unwrap();

    let mut dark = stored(1);
    "dark".clone_into(&mut dark.content.value);
    assert_eq!(delta.created, [stored(0).content]);
    assert_eq!(delta.changed, [(stored(1), dark)]);
    assert_eq!(
        delta.removed,
        [stored(2)],
        "setting 3 has that value already"
    );
}

#[test]
fn unknown_and_repeated_ids_are_refused() {
    let seen = profile([1]);
    let twice = vec![value(1, Some("a")), value(1, Some("b"))];

    assert_eq!(delta(&seen, twice), Err(InvalidSetting::RepeatedId));
    for change in [value(2, Some("a")), value(2, None)] {
        assert_eq!(delta(&seen, vec![change]), Err(InvalidSetting::UnknownId));
    }
}

#[test]
fn a_setting_removed_meanwhile_can_be_removed_but_not_changed() {
    let (first, now) = (profile([1]), profile([]));
    let update = |change| ProfileUpdate {
        settings: vec![change],
        ..ProfileUpdate::default()
    };

    let removed = now.delta(&update(value(1, None)), &first, 0).unwrap();

    assert!(removed.is_empty());
    let changed = now.delta(&update(value(1, Some("a"))), &first, 0);
    assert_eq!(changed, Err(InvalidSetting::UnknownId));
}

#[test]
fn changes_to_a_read_only_setting_are_ignored() {
    let mut seen = profile([1]);
    seen.settings.get_mut(&1).unwrap().read_only = true;

    for change in [value(1, Some("dark")), value(1, None)] {
        assert!(delta(&seen, vec![change]).unwrap().is_empty());
    }
}

#[test]
fn an_account_may_have_a_hundred_settings() {
    let (almost, full) = (profile(1..=99), profile(1..=100));
    let too_many = Err(InvalidSetting::TooMany);

    assert!(delta(&almost, vec![new_setting()]).is_ok());
    assert_eq!(delta(&full, vec![new_setting()]), too_many);
    assert_eq!(delta(&almost, vec![new_setting(); 2]), too_many);
    assert!(delta(&full, vec![new_setting(), value(1, None)]).is_ok());
}

#[test]
fn an_account_over_the_limit_may_still_change_and_remove_settings() {
    let over = profile(1..=102);

    assert!(delta(&over, vec![value(1, Some("dark"))]).is_ok());
    assert!(delta(&over, vec![value(1, None)]).is_ok());
    assert_eq!(
        delta(&over, vec![value(1, None), new_setting()]),
        Err(InvalidSetting::TooMany)
    );
}

#[test]
fn the_first_step_has_every_field_and_ninety_settings_with_new_ones_last() {
    let seen = Profile {
        last_setting: 60,
        ..profile(1..=60)
    };
    let changes = (1..=30).map(|id| value(id, Some("a")));
    let removals = (31..=60).map(|id| value(id, None));
    let created = (0..40).map(|_| new_setting());
    let settings = changes.chain(removals).chain(created).collect();
    let city = ProfileField::City.parse("Bonn".to_owned()).unwrap();
    let update = ProfileUpdate {
        fields: [(ProfileField::City, Some(city))].into(),
        settings,
    };

    let delta = seen.delta(&update, &seen, 0).unwrap();
    let step = delta.clone().first_step();

    assert_eq!(step.fields, delta.fields);
    assert_eq!(step.changed.len(), 30);
    assert_eq!(step.removed.len(), 30);
    assert_eq!(step.created.len(), 30);
    let mut after = seen.clone();
    after.apply(step, Timestamp::from_secs(7));
    let rest = after.delta(&update, &seen, 30).unwrap();
    assert_eq!(rest.created.len(), 10);
    let only_created = ProfileDelta {
        created: rest.created.clone(),
        ..ProfileDelta::default()
    };
    assert_eq!(rest, only_created);
    assert_eq!(after.updated_at, Some(Timestamp::from_secs(7)));
}
