//! Updates of a profile, through the parser, the merge and the store's expressions. Whatever an
//! owner sends:
//!
//! - what is refused changes nothing;
//! - what was sent is there afterwards, what was not is as it was, and of a read-only setting
//!   nothing changes;
//! - a field that is unknown changes nothing;
//! - every value keeps its bounds, and the account its number of settings;
//! - the same update again has nothing left to write, but for settings it creates;
//! - no expression is longer than DynamoDB takes.

use serde_json::json;
use shared::auth::{Caller, ProfileRequest, update_profile};
use shared::domain::{AccountId, MAX_SETTINGS, Profile, Setting, SettingChange};
use shared::http::body::read;
use shared::http::profile::UserChange;
use shared::store::WithProfile;

use crate::engine::Engine;
use crate::world::{self, ADA, Settings, USERS};

/// Runs one input: user objects in JSON, one to a line. After a `+` they meet a profile that has as
/// many settings as it may.
pub fn run(input: &[u8]) {
    let (is_full, input) = match input.split_first() {
        Some((b'+', rest)) => (true, rest),
        _ => (false, input),
    };
    let engine = Engine::new(world::tables(), &[], &[]);
    if is_full {
        fill(&engine);
    }
    for line in input.split(|byte| *byte == b'\n').take(8) {
        if let Some(request) = parsed(line) {
            let with_unknown = with_unknown_field(line).and_then(|line| parsed(&line));
            if let Some(same) = with_unknown {
                assert_eq!(same.update.fields, request.update.fields);
                assert_eq!(same.update.settings, request.update.settings);
            }
            world::run(update(&engine, &request));
        }
    }
}

fn fill(engine: &Engine) {
    let mut profile = world::fields(world::profile());
    for id in 3..=MAX_SETTINGS {
        profile.insert(format!("s{id}"), profile["s1"].clone());
    }
    for name in ["last_setting", "setting_count"] {
        profile.insert(name.to_owned(), json!({ "N": MAX_SETTINGS.to_string() }));
    }
    let pk = format!("profile#{ADA}");
    profile.insert("pk".to_owned(), json!({ "S": pk }));
    engine.put(USERS, &pk, profile);
}

fn parsed(line: &[u8]) -> Option<ProfileRequest> {
    read::<UserChange>(line).ok()?.parse().ok()
}

/// The same object with a field that nobody knows; `None` if it has fields twice.
fn with_unknown_field(line: &[u8]) -> Option<Vec<u8>> {
    let end = line.iter().rposition(|byte| *byte == b'}')?;
    let is_empty = !line[..end].contains(&b':');
    let mut extended = line[..end].to_vec();
    extended.extend_from_slice(if is_empty { b"" } else { b"," });
    extended.extend_from_slice(br#""scope":["admin"]}"#);
    Some(extended)
}

async fn update(engine: &Engine, request: &ProfileRequest) {
    let app = world::app(Settings::Default, engine);
    let owner = AccountId::parse(ADA).expect("an id");
    let record = app.store.caller(&owner, None, WithProfile::Yes).await;
    let record = record.expect("a caller");
    let caller = Caller {
        account: record.account.expect("an account"),
        token: None,
    };
    let first = record.profile;

    let updated = update_profile(&app, &caller, first.clone(), request).await;
    let stored = app.store.profile(&owner).await.expect("a profile");
    let Ok(updated) = updated else {
        assert_eq!(stored, first, "refused, and written");
        return;
    };
    assert_eq!(stored, updated, "not what was answered");

    assert_is_merged(&first, request, &updated);
    assert_is_within_bounds(&first, &updated);
    let mut again = request.update.clone();
    again.settings.retain(|change| change.id.is_some());
    let left = updated.delta(&again, &first).expect("it went well before");
    assert!(left.is_empty(), "the same again: {left:?}");
}

fn assert_is_merged(first: &Profile, request: &ProfileRequest, updated: &Profile) {
    let mut fields = first.fields.clone();
    for (field, value) in &request.update.fields {
        match value {
            Some(value) => fields.insert(*field, value.clone()),
            None => fields.remove(field),
        };
    }
    assert_eq!(updated.fields, fields);
    assert_eq!(updated.api_keys, first.api_keys);
    assert_eq!(
        (updated.rank, updated.customer_id, updated.last_api_key),
        (first.rank, first.customer_id, first.last_api_key)
    );
    let changes = &request.update.settings;
    let is_removal = |change: &&SettingChange| change.value == Some(None);
    for (id, before) in &first.settings {
        let change = changes.iter().find(|change| change.id == Some(*id));
        let after = updated.settings.get(id);
        match change {
            Some(change) if !before.read_only => {
                assert_eq!(after.is_none(), is_removal(&change), "setting {id}");
                if let Some(after) = after {
                    assert_is_changed(before, change, after);
                }
            }
            _ => assert_eq!(after, Some(before), "setting {id}"),
        }
    }
    let created = changes.iter().filter(|change| change.id.is_none()).count();
    let new = updated.settings.keys();
    let new = new.filter(|id| !first.settings.contains_key(id)).count();
    assert_eq!(new, created, "new settings");
}

fn assert_is_changed(before: &Setting, change: &SettingChange, after: &Setting) {
    let (old, new) = (&before.content, &after.content);
    let value = change.value.clone().flatten();
    assert_eq!(new.value, value.unwrap_or_else(|| old.value.clone()));
    assert_eq!(
        new.category,
        *change.category.as_ref().unwrap_or(&old.category)
    );
    assert_eq!(new.name, *change.name.as_ref().unwrap_or(&old.name));
    assert_eq!(new.group, *change.group.as_ref().unwrap_or(&old.group));
    assert_eq!(new.kind, change.kind.unwrap_or(old.kind));
    let description = change.description.as_ref();
    assert_eq!(new.description, *description.unwrap_or(&old.description));
    assert!(!after.read_only);
}

fn assert_is_within_bounds(first: &Profile, updated: &Profile) {
    for (field, value) in &updated.fields {
        assert!(value.as_str().len() <= field.max_bytes(), "{field:?}");
    }
    assert!(updated.settings.len() <= MAX_SETTINGS.max(first.settings.len()));
    for setting in updated.settings.values() {
        let content = &setting.content;
        let is_short = |text: &str, max: usize| text.len() <= max;
        let is_absent_or_short =
            |text: &Option<String>, max| text.as_ref().is_none_or(|text| is_short(text, max));
        assert!(
            is_short(&content.category, 128)
                && is_short(&content.name, 128)
                && is_short(&content.value, 1024)
                && is_absent_or_short(&content.group, 128)
                && is_absent_or_short(&content.description, 256)
        );
    }
}
