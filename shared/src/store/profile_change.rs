//! Changes of what an account's owner wrote.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem, Update};

use super::item::{
    Attributes, delete_in_transaction, n, new_item, s, update_in_transaction, version,
};
use super::profiles::{PROFILE, SETTING, item_of, own_key, setting_key, setting_map};
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::domain::{
    AccountId, FieldValue, MAX_SETTINGS, Profile, ProfileDelta, ProfileField, Setting, Timestamp,
};

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
            self.update(update).await?
        } else {
            matches!(self.transact(&writes).await?, Transaction::Written)
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
            update.set_field(*field, value.as_ref());
        }
        if !step.created.is_empty() || !step.removed.is_empty() {
            let update = updates.entry(PROFILE).or_default();
            update.count_settings(seen, step);
        }
        let mut writes = Vec::new();
        for (sort_key, update) in updates {
            let key = own_key(owner, sort_key).attributes();
            writes.push(update.build(&self.tables.users, key, now)?);
        }
        for (setting, changed) in &step.changed {
            let mut update = ItemUpdate::default();
            update.change_setting(setting, changed);
            let key = setting_key(owner, setting.id).attributes();
            writes.push(update.build(&self.tables.users, key, now)?);
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

/// An update of one item. It sets `updated_at` and changes nothing that it does not name.
#[derive(Default)]
struct ItemUpdate {
    set: Vec<String>,
    remove: Vec<String>,
    add: Vec<String>,
    conditions: Vec<String>,
    names: HashMap<String, String>,
    values: Attributes,
}

impl ItemUpdate {
    fn set_field(&mut self, field: ProfileField, value: Option<&FieldValue>) {
        let name = self.name(field.name());
        match value {
            Some(value) => self.set(&name, s(value.as_str())),
            None => self.remove.push(name),
        }
    }

    fn change_setting(&mut self, seen: &Setting, changed: &Setting) {
        let name = self.name(SETTING);
        let old = self.value(setting_map(&seen.content, seen.read_only));
        self.conditions.push(format!("{name} = {old}"));
        self.set(&name, setting_map(&changed.content, changed.read_only));
    }

    /// Updates the number of settings, on the condition that it does not exceed [`MAX_SETTINGS`],
    /// and their last id, on the condition that no other update created a setting.
    fn count_settings(&mut self, seen: &Profile, step: &ProfileDelta) {
        let (created, removed) = (step.created.len(), step.removed.len());
        let signed = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        if created > 0 {
            if seen.last_setting == 0 {
                let is_first = "attribute_not_exists(last_setting)";
                self.conditions.push(is_first.to_owned());
            } else {
                let room = MAX_SETTINGS.saturating_add(removed).saturating_sub(created);
                let room = self.value(n(signed(room)));
                let last = self.value(n(seen.last_setting));
                let has_room = format!("last_setting = {last} AND setting_count <= {room}");
                self.conditions.push(has_room);
            }
            let created = u64::try_from(created).unwrap_or(u64::MAX);
            self.set("last_setting", n(seen.last_setting.saturating_add(created)));
        }
        let growth = self.value(n(signed(created) - signed(removed)));
        self.add.push(format!("setting_count {growth}"));
    }

    fn set(&mut self, name: &str, value: AttributeValue) {
        let value = self.value(value);
        self.set.push(format!("{name} = {value}"));
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let name = format!(":v{}", self.values.len());
        self.values.insert(name.clone(), value);
        name
    }

    fn name(&mut self, attribute: &str) -> String {
        let name = format!("#n{}", self.names.len());
        self.names.insert(name.clone(), attribute.to_owned());
        name
    }

    fn build(
        mut self,
        table: &str,
        key: Attributes,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        self.set("updated_at", n(now.millis()));
        let version = self.value(version());
        self.set.push(format!("v = if_not_exists(v, {version})"));
        let condition = (!self.conditions.is_empty()).then(|| self.conditions.join(" AND "));
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(key))
            .update_expression(self.expression())
            .set_condition_expression(condition)
            .set_expression_attribute_names((!self.names.is_empty()).then_some(self.names))
            .set_expression_attribute_values(Some(self.values));
        update_in_transaction(update)
    }

    fn expression(&self) -> String {
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
