use super::*;

#[test]
fn each_type_accepts_its_values() {
    for (kind, values) in [
        (SettingType::String, &["", " ", "x"][..]),
        (SettingType::Bool, &["true", "false"]),
        (SettingType::Int, &["0", "-7", "-0", "9223372036854775807"]),
        (SettingType::Double, &["0", "-1.5", "1e300"]),
        (SettingType::Json, &["null", "{\"a\":[1]}", " 1 ", "\"x\""]),
    ] {
        for value in values {
            assert!(kind.admits(value), "{kind:?} {value:?}");
        }
    }
}

#[test]
fn each_type_refuses_other_values() {
    for (kind, values) in [
        (SettingType::Bool, &["", "True", "1", "true "][..]),
        (
            SettingType::Int,
            &["", "1.0", "+1", " 1", "9223372036854775808"],
        ),
        (
            SettingType::Double,
            &["", "NaN", "inf", "1e400", ".5", "1 "],
        ),
        (SettingType::Json, &["", "{", "x", "1 2"]),
    ] {
        for value in values {
            assert!(!kind.admits(value), "{kind:?} {value:?}");
        }
    }
}

#[test]
fn a_new_type_must_suit_the_unchanged_value() {
    let seen = Setting {
        id: 1,
        content: SettingChange {
            category: Some("ui".to_owned()),
            name: Some("columns".to_owned()),
            value: Some(Some("7".to_owned())),
            ..SettingChange::default()
        }
        .create()
        .unwrap(),
        read_only: false,
    };
    let to = |kind| SettingChange {
        kind: Some(kind),
        ..SettingChange::default()
    };

    assert!(to(SettingType::Int).apply(&seen).is_ok());
    assert_eq!(
        to(SettingType::Bool).apply(&seen),
        Err(InvalidSetting::Value(SettingType::Bool))
    );
}

fn setting() -> SettingChange {
    SettingChange {
        category: Some("ui".to_owned()),
        name: Some("theme".to_owned()),
        value: Some(Some("dark".to_owned())),
        ..SettingChange::default()
    }
}

#[test]
fn a_type_parses_from_its_exact_name() {
    for kind in SettingType::ALL {
        assert_eq!(SettingType::parse(kind.name()), Some(kind));
    }
    for name in ["", "String", "integer"] {
        assert_eq!(SettingType::parse(name), None, "{name}");
    }
}

#[test]
fn each_text_has_a_maximum_length() {
    let with = |name: &str, bytes: usize| {
        let text = "x".repeat(bytes);
        let mut change = setting();
        match name {
            "category" => change.category = Some(text),
            "group" => change.group = Some(Some(text)),
            "name" => change.name = Some(text),
            "value" => change.value = Some(Some(text)),
            _ => change.description = Some(Some(text)),
        }
        change.create()
    };

    for (name, max) in [
        ("category", 128),
        ("group", 128),
        ("name", 128),
        ("value", 1024),
        ("description", 256),
    ] {
        assert!(with(name, max).is_ok(), "{name}");
        let refused = Err(InvalidSetting::TooManyBytes(name, max));
        assert_eq!(with(name, max + 1), refused);
    }
    assert_eq!(with("category", 0), Err(InvalidSetting::Empty("category")));
    assert_eq!(with("name", 0), Err(InvalidSetting::Empty("name")));
}

#[test]
fn a_value_may_have_line_breaks_and_a_name_may_not() {
    let text = || "a\tb\r\nc".to_owned();
    let value = |text: &str| SettingChange {
        value: Some(Some(text.to_owned())),
        ..setting()
    };
    let name = SettingChange {
        name: Some(text()),
        ..setting()
    };

    assert!(value(&text()).create().is_ok());
    let refused = |name| Err(InvalidSetting::ControlCharacter(name));
    assert_eq!(value("a\0b").create(), refused("value"));
    assert_eq!(name.create(), refused("name"));
}

#[test]
fn only_a_null_value_removes_a_setting() {
    let value = |value| SettingChange {
        value,
        ..SettingChange::default()
    };
    let seen = Setting {
        id: 1,
        content: setting().create().unwrap(),
        read_only: false,
    };

    assert!(value(Some(None)).removes());
    assert!(!value(Some(Some(String::new()))).removes());
    assert!(!value(None).removes());
    assert_eq!(value(Some(None)).apply(&seen), Ok(None));
    assert_eq!(value(None).apply(&seen), Ok(Some(seen.clone())));
}

#[test]
fn debug_output_shows_neither_names_nor_values() {
    let new = setting().create().unwrap();

    assert_eq!(format!("{new:?}"), "NewSetting(string, redacted)");
    let change = format!("{:?}", setting());
    assert_eq!(change, "SettingChange(None, redacted)");
}
