//! `own#<id>`, `profile`: an account's profile fields, its settings, and an entry for each API key.
//!
//! Each field, setting and key is a separate attribute, so that racing updates of different
//! attributes all survive.

use std::collections::HashMap;
use std::ops::Range;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::api_keys::{self, API_KEY_PREFIX};
use super::item::{Attributes, Item, Key, n, s, version};
use super::profile_change::ProfileChange;
use super::{Store, StoreError};
use crate::domain::{
    AccountId, FieldValue, NewSetting, Profile, ProfileDelta, ProfileField, Setting, SettingType,
    Timestamp,
};

impl Store {
    /// Reads an account's profile, which is empty if none is stored.
    pub async fn profile(&self, owner: &AccountId) -> Result<Profile, StoreError> {
        let item = self.user_item(&profile_key(owner)).await?;
        let profile = item.as_ref().map(from_item).transpose()?;
        Ok(profile.unwrap_or_default())
    }

    /// Reserves `count` ids for new settings. No two settings of an account ever get the same id. A
    /// reserved id that is not used is never assigned again.
    pub async fn reserve_setting_ids(
        &self,
        owner: &AccountId,
        count: usize,
    ) -> Result<Range<u64>, StoreError> {
        if count == 0 {
            return Ok(0..0);
        }
        self.retrying(|| async {
            let output = self
                .client
                .update_item()
                .table_name(&self.tables.users)
                .set_key(Some(profile_key(owner).attributes()))
                .update_expression("SET v = if_not_exists(v, :v) ADD last_setting :count")
                .expression_attribute_values(":v", version())
                .expression_attribute_values(":count", n(count))
                .return_values(ReturnValue::AllNew)
                .send()
                .await
                .map_err(StoreError::from_sdk)?;
            let attributes = output.attributes.unwrap_or_default();
            let last: u64 = Item::new("profile", &attributes)?.number("last_setting")?;
            let end = last.saturating_add(1);
            Ok(end.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX))..end)
        })
        .await
    }

    /// Writes the whole change or nothing. New settings get the ids `new_ids`, which are reserved
    /// for this update.
    ///
    /// Idempotent: a retry after a lost response returns `Written` if it finds the new settings, or
    /// returns `Stale` with a profile in which nothing is left to change.
    pub async fn change_profile(
        &self,
        owner: &AccountId,
        delta: &ProfileDelta,
        new_ids: &Range<u64>,
        now: Timestamp,
    ) -> Result<ChangedProfile, StoreError> {
        let change = ProfileChange::of(delta, new_ids, now);
        self.retrying(|| async {
            let changed = self
                .client
                .update_item()
                .table_name(&self.tables.users)
                .set_key(Some(profile_key(owner).attributes()))
                .update_expression(change.update_expression())
                .set_condition_expression(change.condition_expression())
                .set_expression_attribute_names(change.names())
                .set_expression_attribute_values(Some(change.values()))
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
            let Some(UpdateItemError::ConditionalCheckFailedException(failed)) =
                error.as_service_error()
            else {
                return Err(StoreError::from_sdk(error));
            };
            let profile = failed
                .item()
                .map(from_item)
                .transpose()?
                .unwrap_or_default();
            let mut new_ids = new_ids.clone();
            let is_written = new_ids
                .next()
                .is_some_and(|id| profile.settings.contains_key(&id));
            Ok(if is_written {
                ChangedProfile::Written(profile)
            } else {
                ChangedProfile::Stale(profile)
            })
        })
        .await
    }
}

/// The outcome of [`Store::change_profile`], with the current profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangedProfile {
    Written(Profile),
    /// Nothing was written: a setting to change or remove was changed by another update, or the
    /// account would have too many settings.
    Stale(Profile),
}

pub(super) fn profile_key(owner: &AccountId) -> Key {
    Key::new(format!("own#{owner}"), "profile")
}

/// Short, because an expression has at most 4 KB and may name two hundred settings.
const SETTING_PREFIX: &str = "s";

pub(super) fn setting_attribute(id: u64) -> String {
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
        if let Some(id) = attribute_id(name, SETTING_PREFIX) {
            profile.settings.insert(id, setting(id, value, &item)?);
        } else if let Some(id) = attribute_id(name, API_KEY_PREFIX) {
            let key = api_keys::from_map(id, value, &item)?;
            profile.api_keys.insert(id, key);
        }
    }
    Ok(profile)
}

/// The id that follows `prefix` in an attribute's name. Only `s5` names setting 5, not `s05`.
fn attribute_id(attribute: &str, prefix: &str) -> Option<u64> {
    let digits = attribute.strip_prefix(prefix)?;
    let id: u64 = digits.parse().ok()?;
    (id.to_string() == digits).then_some(id)
}

pub(super) fn setting_item(setting: &NewSetting, read_only: bool) -> AttributeValue {
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
