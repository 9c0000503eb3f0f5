//! Changes of what an account's owner wrote.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{Delete, TransactWriteItem};

use super::item::{Key, delete_in_transaction, n, new_item, s, update_in_transaction, version};
use super::item_update::ItemUpdate;
use super::profiles::{PROFILE, SETTING, item_of, own_key, setting_key, setting_map};
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::domain::{AccountId, MAX_SETTINGS, Profile, ProfileDelta, Setting, Timestamp};

/// The outcome of [`Store::change_profile`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangedProfile {
    Written,
    /// Nothing was written: another update changed a setting that this one changes, or created
    /// settings.
    Stale,
}

impl Store {
    /// Writes the whole step or nothing. `seen` is the profile that the step was computed from.
    ///
    /// A step that changes one item is a plain update; any other is a transaction, which costs
    /// twice the units. A retry of a plain update after a lost response returns `Stale` if it changes a
    /// setting, which the caller then finds changed.
    pub async fn change_profile(
        &self,
        owner: &AccountId,
        seen: &Profile,
        step: &ProfileDelta,
        now: Timestamp,
    ) -> Result<ChangedProfile, StoreError> {
        let writes = self.writes(owner, seen, step, now)?;
        let is_written = if let [write] = writes.as_slice()
            && let Some(update) = write.update()
        {
            self.update_alone(update.clone()).await?
        } else {
            matches!(self.transact(writes).await?, Transaction::Written)
        };
        Ok(if is_written {
            ChangedProfile::Written
        } else {
            ChangedProfile::Stale
        })
    }

    fn writes(
        &self,
        owner: &AccountId,
        seen: &Profile,
        step: &ProfileDelta,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let mut updates: BTreeMap<&str, ItemUpdate> = BTreeMap::new();
        for (field, value) in &step.fields {
            let update = updates.entry(item_of(*field)).or_default();
            match value {
                Some(value) => update.set(field.name(), s(value.as_str())),
                None => update.remove(field.name()),
            }
        }
        if !step.created.is_empty() || !step.removed.is_empty() {
            let update = updates.entry(PROFILE).or_default();
            count_settings(update, seen, step);
        }
        let mut writes = Vec::new();
        for (sort_key, update) in updates {
            writes.push(self.update_own(&own_key(owner, sort_key), update, now)?);
        }
        for (setting, changed) in &step.changed {
            let mut update = ItemUpdate::default();
            update.require(SETTING, setting_map(&setting.content, setting.read_only));
            update.set(SETTING, setting_map(&changed.content, changed.read_only));
            writes.push(self.update_own(&setting_key(owner, setting.id), update, now)?);
        }
        for setting in &step.removed {
            writes.push(self.delete_setting(owner, setting)?);
        }
        for (id, new) in (seen.last_setting.saturating_add(1)..).zip(&step.created) {
            let mut item = new_item(&setting_key(owner, id));
            item.insert("updated_at".to_owned(), n(now.millis()));
            item.insert(SETTING.to_owned(), setting_map(new, false));
            writes.push(self.put_new(item)?);
        }
        Ok(writes)
    }

    /// Updates an item that may not exist yet.
    fn update_own(
        &self,
        key: &Key,
        mut update: ItemUpdate,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        update.set("updated_at", n(now.millis()));
        update.set_if_absent("v", version());
        update_in_transaction(update.of(&self.tables.users, key))
    }

    fn delete_setting(
        &self,
        owner: &AccountId,
        seen: &Setting,
    ) -> Result<TransactWriteItem, StoreError> {
        delete_in_transaction(
            Delete::builder()
                .table_name(&self.tables.users)
                .set_key(Some(setting_key(owner, seen.id).attributes()))
                .condition_expression("#setting = :seen")
                .expression_attribute_names("#setting", SETTING)
                .expression_attribute_values(":seen", setting_map(&seen.content, seen.read_only)),
        )
    }
}

/// Updates the number of settings, on the condition that it does not exceed [`MAX_SETTINGS`], and their last
/// id, on the condition that no other update created a setting.
fn count_settings(update: &mut ItemUpdate, seen: &Profile, step: &ProfileDelta) {
    let (created, removed) = (step.created.len(), step.removed.len());
    let signed = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    if created > 0 {
        if seen.last_setting == 0 {
            update.require_absent("last_setting");
        } else {
            let room = MAX_SETTINGS.saturating_add(removed).saturating_sub(created);
            update.require("last_setting", n(seen.last_setting));
            update.require_at_most("setting_count", n(signed(room)));
        }
        let created = u64::try_from(created).unwrap_or(u64::MAX);
        update.set("last_setting", n(seen.last_setting.saturating_add(created)));
    }
    update.add("setting_count", n(signed(created) - signed(removed)));
}
