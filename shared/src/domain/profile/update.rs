//! Changes of a profile.

use std::collections::{BTreeMap, BTreeSet};

use super::{FieldValue, Profile, ProfileField};
use crate::domain::{InvalidSetting, NewSetting, Setting, SettingChange, Timestamp};

/// The most settings that an account may have.
pub const MAX_SETTINGS: usize = 100;

/// The most settings that one step of an update changes. With the items of all fields they fit into
/// a `DynamoDB` transaction, which has at most 100 actions.
pub const MAX_SETTINGS_AT_ONCE: usize = 90;

/// An owner's changes to a profile.
#[derive(Debug, Clone, Default)]
pub struct ProfileUpdate {
    /// `None` clears a field.
    pub fields: BTreeMap<ProfileField, Option<FieldValue>>,
    /// Settings to create, change or remove.
    pub settings: Vec<SettingChange>,
}

/// The writes that apply a [`ProfileUpdate`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProfileDelta {
    /// `None` removes a field.
    pub fields: BTreeMap<ProfileField, Option<FieldValue>>,
    pub created: Vec<NewSetting>,
    /// Each setting as it was read, and as it is to be written.
    pub changed: Vec<(Setting, Setting)>,
    /// Settings to remove, as they were read.
    pub removed: Vec<Setting>,
}

impl ProfileDelta {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What to write first: all fields and at most [`MAX_SETTINGS_AT_ONCE`] settings. Settings are
    /// created last, so that an update that fails half-way can be sent again without creating one
    /// twice, unless it creates more than one step can.
    #[must_use]
    pub fn first_step(mut self) -> Self {
        let mut room = MAX_SETTINGS_AT_ONCE;
        self.changed.truncate(room);
        room -= self.changed.len();
        self.removed.truncate(room);
        room -= self.removed.len();
        self.created.truncate(room);
        self
    }
}

impl Profile {
    /// The profile after `step` was written to it at `now`.
    pub fn apply(&mut self, step: ProfileDelta, now: Timestamp) {
        for (field, value) in step.fields {
            match value {
                Some(value) => self.fields.insert(field, value),
                None => self.fields.remove(&field),
            };
        }
        for (_, changed) in step.changed {
            self.settings.insert(changed.id, changed);
        }
        for removed in step.removed {
            self.settings.remove(&removed.id);
        }
        for content in step.created {
            self.last_setting = self.last_setting.saturating_add(1);
            let setting = Setting {
                id: self.last_setting,
                content,
                read_only: false,
            };
            self.settings.insert(setting.id, setting);
        }
        self.updated_at = self.updated_at.max(Some(now));
    }

    /// The writes that apply `update`, without values that are already stored. `created` of its new
    /// settings are already stored.
    ///
    /// Changes to a read-only setting are ignored. Removing a setting that is gone succeeds if
    /// `first`, the profile as first read, has it.
    pub fn delta(
        &self,
        update: &ProfileUpdate,
        first: &Self,
        created: usize,
    ) -> Result<ProfileDelta, InvalidSetting> {
        let mut delta = ProfileDelta::default();
        for (field, value) in &update.fields {
            if self.fields.get(field) != value.as_ref() {
                delta.fields.insert(*field, value.clone());
            }
        }
        let mut named = BTreeSet::new();
        for change in &update.settings {
            let Some(id) = change.id else {
                delta.created.push(change.create()?);
                continue;
            };
            if !named.insert(id) {
                return Err(InvalidSetting::RepeatedId);
            }
            let Some(seen) = self.settings.get(&id) else {
                if change.removes() && first.settings.contains_key(&id) {
                    continue;
                }
                return Err(InvalidSetting::UnknownId);
            };
            if seen.read_only {
                continue;
            }
            match change.apply(seen)? {
                None => delta.removed.push(seen.clone()),
                Some(changed) if changed != *seen => delta.changed.push((seen.clone(), changed)),
                Some(_) => {}
            }
        }
        delta.created.drain(..created.min(delta.created.len()));
        let count = self.settings.len() + delta.created.len() - delta.removed.len();
        if count > MAX_SETTINGS && !delta.created.is_empty() {
            return Err(InvalidSetting::TooMany);
        }
        Ok(delta)
    }
}
