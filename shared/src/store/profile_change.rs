//! Builds the expressions of a profile update.
//!
//! Placeholders are short and spaces are left out, because an expression has at most 4 KB and one
//! update may remove a hundred settings and create a hundred.

use std::collections::HashMap;
use std::ops::Range;

use aws_sdk_dynamodb::types::AttributeValue;

use super::item::{Attributes, n, s, version};
use super::profiles::{setting_attribute, setting_item};
use crate::domain::{MAX_SETTINGS, ProfileDelta, Setting, Timestamp};

/// The clauses of an update expression, and its conditions.
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
            change.require_unchanged(seen);
            let item = setting_item(&changed.content, changed.read_only);
            change.set(&setting_attribute(seen.id), item);
        }
        for seen in &delta.removed {
            change.require_unchanged(seen);
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

    /// Updates `setting_count`, on the condition that it does not exceed [`MAX_SETTINGS`].
    fn count_settings(&mut self, created: usize, removed: usize) {
        let signed = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        if created > removed {
            let most_before = MAX_SETTINGS.saturating_sub(created - removed);
            let most_before = self.value(n(signed(most_before)));
            self.conditions.push(format!(
                "(attribute_not_exists(setting_count) OR setting_count<={most_before})"
            ));
        }
        if created != removed {
            let growth = self.value(n(signed(created) - signed(removed)));
            self.add.push(format!("setting_count {growth}"));
        }
    }

    fn require_unchanged(&mut self, seen: &Setting) {
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

    /// `None` if there are no names, because DynamoDB rejects an empty map.
    pub(super) fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }

    pub(super) fn values(&self) -> Attributes {
        self.values.clone()
    }

    /// `None` if there are no conditions, because DynamoDB rejects an empty expression.
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
