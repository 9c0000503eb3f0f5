//! The expressions of a change to a profile.
//!
//! Names and spaces are short: an expression is of 4 KB at most, and one update may remove a
//! hundred settings and create a hundred.

use std::collections::HashMap;
use std::ops::Range;

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{Attributes, n, s, version};
use super::profiles::{setting_attribute, setting_item};
use crate::domain::{MAX_SETTINGS, ProfileDelta, Setting, Timestamp};

/// What to set, remove, add and ask for.
#[derive(Default)]
pub(super) struct ProfileChange {
    set: Vec<String>,
    remove: Vec<String>,
    add: Vec<String>,
    conditions: Vec<String>,
    names: HashMap<String, String>,
    values: Attributes,
}

impl ProfileChange {
    /// The change that makes this difference.
    pub(super) fn of(delta: &ProfileDelta, new_ids: &Range<u64>, now: Timestamp) -> Self {
        let mut change = Self::default();
        change.set("updated_at", n(now.millis()));
        let version = change.value(version());
        change.set.push(format!("v=if_not_exists(v,{version})"));
        for (field, value) in &delta.fields {
            let name = change.name(field.name());
            match value {
                Some(value) => change.set(&name, s(value.as_str())),
                None => change.remove.push(name),
            }
        }
        for (seen, changed) in &delta.changed {
            change.only_if_as_seen(seen);
            let item = setting_item(&changed.content, changed.read_only);
            change.set(&setting_attribute(seen.id), item);
        }
        for seen in &delta.removed {
            change.only_if_as_seen(seen);
            change.remove.push(setting_attribute(seen.id));
        }
        for (id, new) in new_ids.clone().zip(&delta.created) {
            change.set(&setting_attribute(id), setting_item(new, false));
        }
        if !delta.created.is_empty() {
            let first = setting_attribute(new_ids.start);
            change
                .conditions
                .push(format!("attribute_not_exists({first})"));
        }
        change.count_settings(delta.created.len(), delta.removed.len());
        change
    }

    /// Keeps count of the settings, and makes a condition of their limit.
    fn count_settings(&mut self, created: usize, removed: usize) {
        let signed = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        if created > removed {
            let room = MAX_SETTINGS.saturating_sub(created - removed);
            let room = self.value(n(signed(room)));
            self.conditions.push(format!(
                "(attribute_not_exists(setting_count) OR setting_count<={room})"
            ));
        }
        if created != removed {
            let growth = self.value(n(signed(created) - signed(removed)));
            self.add.push(format!("setting_count {growth}"));
        }
    }

    fn only_if_as_seen(&mut self, seen: &Setting) {
        let value = self.value(setting_item(&seen.content, seen.read_only));
        self.conditions
            .push(format!("{}={value}", setting_attribute(seen.id)));
    }

    fn set(&mut self, attribute: &str, value: AttributeValue) {
        let value = self.value(value);
        self.set.push(format!("{attribute}={value}"));
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
    pub(super) fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }

    pub(super) fn values(&self) -> Attributes {
        self.values.clone()
    }

    /// DynamoDB wants no empty condition.
    pub(super) fn condition_expression(&self) -> Option<String> {
        (!self.conditions.is_empty()).then(|| self.conditions.join(" AND "))
    }

    pub(super) fn update_expression(&self) -> String {
        let clause = |keyword: &str, actions: &[String]| {
            (!actions.is_empty()).then(|| format!("{keyword} {}", actions.join(",")))
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
