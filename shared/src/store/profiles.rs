//! `profile#<id>`: what an account's owner says of themselves, their settings, and what they can
//! see of their API keys.
//!
//! Each field, setting and key is an attribute of its own, so that racing updates of different
//! ones all survive.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::api_keys::{self, API_KEY_PREFIX};
use super::item::{Attributes, Item, n, s, version};
use super::{PK, Store, StoreError};
use crate::domain::{
    AccountId, FieldValue, MAX_SETTINGS, NewSetting, Profile, ProfileDelta, ProfileField, Setting,
    SettingType, Timestamp,
};

impl Store {
    /// An account's profile; an empty one where none is stored.
    pub async fn profile(&self, owner: &AccountId) -> Result<Profile, StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.tables.users)
            .key(PK, s(profile_key(owner)))
            .consistent_read(true)
            .send()
            .await
            .map_err(StoreError::from_sdk)?;
        let profile = output.item.as_ref().map(from_item).transpose()?;
        Ok(profile.unwrap_or_default())
    }

    /// Reserves so many numbers for settings, and returns the first: no two settings of an account
    /// ever get one number, however many race. One that is reserved in vain is never used.
    pub async fn reserve_setting_ids(
        &self,
        owner: &AccountId,
        count: usize,
    ) -> Result<u64, StoreError> {
        self.retrying(|| async {
            let output = self
                .client
                .update_item()
                .table_name(&self.tables.users)
                .key(PK, s(profile_key(owner)))
                .update_expression("SET v = if_not_exists(v, :v) ADD last_setting :count")
                .expression_attribute_values(":v", version())
                .expression_attribute_values(":count", n(count))
                .return_values(ReturnValue::AllNew)
                .send()
                .await
                .map_err(StoreError::from_sdk)?;
            let attributes = output.attributes.unwrap_or_default();
            let last: u64 = Item::new("profile", &attributes)?.number("last_setting")?;
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            Ok(last.saturating_sub(count).saturating_add(1))
        })
        .await
    }

    /// Writes what is to change, all or nothing of it. New settings are numbered from `first_id`.
    ///
    /// `update_id` is an id of this update's own, by which a retry after a lost answer knows its
    /// own success.
    pub async fn change_profile(
        &self,
        owner: &AccountId,
        delta: &ProfileDelta,
        first_id: u64,
        now: Timestamp,
        update_id: &str,
    ) -> Result<ChangedProfile, StoreError> {
        let mut change = Change::of(delta, first_id, now);
        change.set("last_update", s(update_id));
        self.retrying(|| async {
            let condition = change.conditions.join(" AND ");
            let changed = self
                .client
                .update_item()
                .table_name(&self.tables.users)
                .key(PK, s(profile_key(owner)))
                .update_expression(change.update_expression())
                .set_condition_expression((!condition.is_empty()).then_some(condition))
                .set_expression_attribute_names(change.names())
                .set_expression_attribute_values(Some(change.values.clone()))
                .return_values(ReturnValue::AllNew)
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                )
                .send()
                .await;
            let error = match changed {
                Ok(output) => {
                    let item = output.attributes.unwrap_or_default();
                    return from_item(&item).map(ChangedProfile::Written);
                }
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let item = failed.item().cloned().unwrap_or_default();
                    let profile = from_item(&item)?;
                    Ok(if item.get("last_update") == Some(&s(update_id)) {
                        ChangedProfile::Written(profile)
                    } else {
                        ChangedProfile::Stale(profile)
                    })
                }
                _ => Err(StoreError::from_sdk(error)),
            }
        })
        .await
    }
}

/// What became of a change to a profile; with the profile as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangedProfile {
    /// It was written.
    Written(Profile),
    /// Nothing was written: a setting to change or remove is not as it was seen, or the account
    /// would have too many.
    Stale(Profile),
}

/// An update expression in the making.
#[derive(Default)]
struct Change {
    set: Vec<String>,
    remove: Vec<String>,
    add: Vec<String>,
    conditions: Vec<String>,
    names: HashMap<String, String>,
    values: Attributes,
}

impl Change {
    fn of(delta: &ProfileDelta, first_id: u64, now: Timestamp) -> Self {
        let mut change = Self::default();
        change.set("updated_at", n(now.millis()));
        let version = change.value(version());
        change.set.push(format!("v = if_not_exists(v, {version})"));
        for (field, value) in &delta.fields {
            let name = change.name(field.name());
            match value {
                Some(value) => change.set(&name, s(value.as_str())),
                None => change.remove.push(name),
            }
        }
        for (seen, changed) in &delta.changed {
            change.only_if_as_seen(seen);
            change.set(
                &setting_attribute(seen.id),
                setting_item(&changed.content, changed.read_only),
            );
        }
        for seen in &delta.removed {
            change.only_if_as_seen(seen);
            change.remove.push(setting_attribute(seen.id));
        }
        for (id, new) in (first_id..).zip(&delta.created) {
            change.set(&setting_attribute(id), setting_item(new, false));
        }
        change.count_settings(delta.created.len(), delta.removed.len());
        change
    }

    /// Keeps count of the settings, and makes a condition of their limit.
    fn count_settings(&mut self, created: usize, removed: usize) {
        let value = |count: usize| n(i64::try_from(count).unwrap_or(i64::MAX));
        if created > removed {
            let room = self.value(value(MAX_SETTINGS.saturating_sub(created - removed)));
            self.conditions.push(format!(
                "(attribute_not_exists(setting_count) OR setting_count <= {room})"
            ));
        }
        if created != removed {
            let created = i64::try_from(created).unwrap_or(i64::MAX);
            let removed = i64::try_from(removed).unwrap_or(i64::MAX);
            let growth = self.value(n(created - removed));
            self.add.push(format!("setting_count {growth}"));
        }
    }

    fn only_if_as_seen(&mut self, seen: &Setting) {
        let value = self.value(setting_item(&seen.content, seen.read_only));
        self.conditions
            .push(format!("{} = {value}", setting_attribute(seen.id)));
    }

    fn set(&mut self, attribute: &str, value: AttributeValue) {
        let value = self.value(value);
        self.set.push(format!("{attribute} = {value}"));
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let name = format!(":{}", self.values.len());
        self.values.insert(name.clone(), value);
        name
    }

    fn name(&mut self, attribute: &str) -> String {
        let name = format!("#{}", self.names.len());
        self.names.insert(name.clone(), attribute.to_owned());
        name
    }

    /// DynamoDB wants no empty map of names.
    fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }

    fn update_expression(&self) -> String {
        let clause = |keyword: &str, actions: &[String]| {
            (!actions.is_empty()).then(|| format!("{keyword} {}", actions.join(", ")))
        };
        [
            clause("SET", &self.set),
            clause("REMOVE", &self.remove),
            clause("ADD", &self.add),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
    }
}

/// The key of an account's profile.
pub(super) fn profile_key(owner: &AccountId) -> String {
    format!("profile#{owner}")
}

const SETTING_PREFIX: &str = "setting_";

fn setting_attribute(id: u64) -> String {
    format!("{SETTING_PREFIX}{id}")
}

pub(super) fn from_item(attributes: &Attributes) -> Result<Profile, StoreError> {
    let item = Item::new("profile", attributes)?;
    let mut profile = Profile {
        rank: item.optional_number("rank")?,
        customer_id: item.optional_number("customer_id")?,
        updated_at: item
            .optional_number("updated_at")?
            .map(Timestamp::from_millis),
        last_api_key: item.optional_number("last_api_key")?.unwrap_or(0),
        ..Profile::default()
    };
    for field in ProfileField::ALL {
        if let Some(text) = item.optional_string(field.name())? {
            let value = FieldValue::stored(text.to_owned());
            profile.fields.insert(field, value);
        }
    }
    for (name, value) in attributes {
        if let Some(id) = numbered(name, SETTING_PREFIX) {
            profile.settings.insert(id, setting(id, value, &item)?);
        } else if let Some(id) = numbered(name, API_KEY_PREFIX) {
            let key = api_keys::from_map(id, value, &item)?;
            profile.api_keys.insert(id, key);
        }
    }
    Ok(profile)
}

/// The number in the name of an attribute of which a profile has many.
fn numbered(attribute: &str, prefix: &str) -> Option<u64> {
    attribute.strip_prefix(prefix)?.parse().ok()
}

fn setting_item(setting: &NewSetting, read_only: bool) -> AttributeValue {
    let mut map = HashMap::from([
        ("category".to_owned(), s(&setting.category)),
        ("name".to_owned(), s(&setting.name)),
        ("value".to_owned(), s(&setting.value)),
        ("type".to_owned(), s(setting.kind.name())),
        ("read_only".to_owned(), AttributeValue::Bool(read_only)),
    ]);
    if let Some(group) = &setting.group {
        map.insert("group".to_owned(), s(group));
    }
    if let Some(description) = &setting.description {
        map.insert("description".to_owned(), s(description));
    }
    AttributeValue::M(map)
}

fn setting(id: u64, value: &AttributeValue, profile: &Item<'_>) -> Result<Setting, StoreError> {
    let map = value.as_m().map_err(|_| profile.unreadable("setting"))?;
    let item = Item::within("setting", map);
    Ok(Setting {
        id,
        content: NewSetting {
            category: item.string("category")?.to_owned(),
            group: item.optional_string("group")?.map(str::to_owned),
            name: item.string("name")?.to_owned(),
            value: item.string("value")?.to_owned(),
            kind: SettingType::parse(item.string("type")?)
                .ok_or_else(|| item.unreadable("type"))?,
            description: item.optional_string("description")?.map(str::to_owned),
        },
        read_only: item.boolean("read_only")?,
    })
}
