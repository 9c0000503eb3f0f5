//! `own#<id>`: what an account's owner wrote, an item for each part, and an entry for each API key.
//!
//! | sort key | item |
//! | --- | --- |
//! | `profile` | names, dates, the operator's fields, the number and the last id of the settings |
//! | `address`, `contact`, `region`, `work` | up to three text fields each, so less than 1 KB |
//! | `image`, `notes` | one long field each |
//! | `setting#<n>` | a setting |
//! | `key#<n>` | an entry of an API key |
//! | `metadata` | see [`super::metadata`] |
//!
//! A write costs units by the size of its item, so a change costs what it changes. Each item has its
//! own `updated_at`; the profile's is the latest. So a change of one item needs no second write.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::api_keys;
use super::item::{Attributes, Item, Key, s};
use super::metadata::{self, METADATA};
use super::{SK, Store, StoreError};
use crate::domain::{
    Account, AccountId, FieldValue, NewSetting, Profile, ProfileField, Setting, SettingType,
};

impl Store {
    /// Reads what an account's owner wrote: one strongly consistent query, one call for each 1 MB.
    /// The profile is empty if nothing is stored.
    ///
    /// Reads in descending order of sort keys. A read that returns the last API key therefore returns every
    /// earlier one.
    pub async fn profile(&self, owner: &Account) -> Result<Profile, StoreError> {
        let profile = self.own_items(&owner.id).await?;
        Ok(profile.with_ended_api_keys(owner))
    }

    /// As [`Self::profile`], but API keys that ended with a generation of the account look live.
    pub(super) async fn own_items(&self, owner: &AccountId) -> Result<Profile, StoreError> {
        let query = self.query_partition(own_partition(owner));
        let query = query.scan_index_forward(false);
        let mut items = query.into_paginator().items().send();
        let mut profile = Profile::default();
        while let Some(item) = items.try_next().await.map_err(StoreError::from_sdk)? {
            add_item(&mut profile, &item)?;
        }
        Ok(profile)
    }
}

pub(super) fn own_partition(owner: &AccountId) -> String {
    format!("own#{owner}")
}

pub(super) fn own_key(owner: &AccountId, sort_key: impl Into<String>) -> Key {
    Key::new(own_partition(owner), sort_key)
}

/// The sort key of the item with the counters.
pub(super) const PROFILE: &str = "profile";
const SETTING_PREFIX: &str = "setting#";
const API_KEY_PREFIX: &str = "key#";

pub(super) fn setting_key(owner: &AccountId, id: u64) -> Key {
    own_key(owner, format!("{SETTING_PREFIX}{id}"))
}

/// The sort keys have leading zeros, so that they are in the order of the ids.
pub(super) fn entry_key(owner: &AccountId, id: u64) -> Key {
    own_key(owner, format!("{API_KEY_PREFIX}{id:012}"))
}

/// The sort key of the item that has this field.
pub(super) fn item_of(field: ProfileField) -> &'static str {
    match field {
        ProfileField::FirstName
        | ProfileField::LastName
        | ProfileField::BirthDate
        | ProfileField::LastDismissMessages => PROFILE,
        ProfileField::PhoneNumber | ProfileField::Mobile => "contact",
        ProfileField::Title | ProfileField::Department => "work",
        ProfileField::Address | ProfileField::PostalCode | ProfileField::City => "address",
        ProfileField::Region | ProfileField::Country | ProfileField::CountryCode => "region",
        ProfileField::Notes => "notes",
        ProfileField::Image => "image",
    }
}

/// Adds what an item of the owner's partition says to `profile`.
fn add_item(profile: &mut Profile, attributes: &Attributes) -> Result<(), StoreError> {
    let item = Item::new("profile", attributes)?;
    let sort_key = item.string(SK)?;
    profile.updated_at = profile.updated_at.max(item.optional_time("updated_at")?);
    if let Some(id) = id_after(SETTING_PREFIX, sort_key) {
        profile.settings.insert(id, setting(id, &item)?);
    } else if let Some(id) = id_after(API_KEY_PREFIX, sort_key) {
        profile
            .api_keys
            .insert(id, api_keys::from_entry(id, &item)?);
    }
    for field in ProfileField::ALL {
        if item_of(field) == sort_key
            && let Some(text) = item.optional_string(field.name())?
        {
            let value = FieldValue::stored(text.to_owned());
            profile.fields.insert(field, value);
        }
    }
    if sort_key == METADATA {
        profile.metadata = Some(metadata::from_item(attributes)?);
    }
    if sort_key == PROFILE {
        profile.rank = item.optional_number("rank")?;
        profile.customer_id = item.optional_number("customer_id")?;
        profile.last_setting = item.optional_number("last_setting")?.unwrap_or(0);
    }
    Ok(())
}

fn id_after(prefix: &str, sort_key: &str) -> Option<u64> {
    sort_key.strip_prefix(prefix)?.parse().ok()
}

/// The attribute of a setting's item that has the setting, so that one condition compares all of it.
pub(super) const SETTING: &str = "setting";

pub(super) fn setting_map(setting: &NewSetting, read_only: bool) -> AttributeValue {
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

fn setting(id: u64, item: &Item<'_>) -> Result<Setting, StoreError> {
    let item = Item::within("setting", item.map(SETTING)?);
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
