//! An update of one item, put together attribute by attribute.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Update};

use super::item::{Attributes, Key};

/// An update changes nothing that it does not name. All its conditions must hold.
#[derive(Default)]
pub(super) struct ItemUpdate {
    set: Vec<String>,
    remove: Vec<String>,
    add: Vec<String>,
    conditions: Vec<String>,
    names: HashMap<String, String>,
    values: Attributes,
}

impl ItemUpdate {
    pub(super) fn set(&mut self, attribute: &str, value: AttributeValue) {
        let (name, value) = (self.name(attribute), self.value(value));
        self.set.push(format!("{name} = {value}"));
    }

    pub(super) fn set_if_absent(&mut self, attribute: &str, value: AttributeValue) {
        let (name, value) = (self.name(attribute), self.value(value));
        self.set
            .push(format!("{name} = if_not_exists({name}, {value})"));
    }

    pub(super) fn remove(&mut self, attribute: &str) {
        let name = self.name(attribute);
        self.remove.push(name);
    }

    /// Adds to a number; to 0 if it is absent.
    pub(super) fn add(&mut self, attribute: &str, value: AttributeValue) {
        let (name, value) = (self.name(attribute), self.value(value));
        self.add.push(format!("{name} {value}"));
    }

    pub(super) fn require(&mut self, attribute: &str, value: AttributeValue) {
        let (name, value) = (self.name(attribute), self.value(value));
        self.conditions.push(format!("{name} = {value}"));
    }

    pub(super) fn require_above(&mut self, attribute: &str, value: AttributeValue) {
        let (name, value) = (self.name(attribute), self.value(value));
        self.conditions.push(format!("{name} > {value}"));
    }

    pub(super) fn require_at_most(&mut self, attribute: &str, value: AttributeValue) {
        let (name, value) = (self.name(attribute), self.value(value));
        self.conditions.push(format!("{name} <= {value}"));
    }

    pub(super) fn require_absent(&mut self, attribute: &str) {
        let name = self.name(attribute);
        self.conditions
            .push(format!("attribute_not_exists({name})"));
    }

    /// Makes it an update of the item with this key.
    pub(super) fn of(self, table: &str, key: &Key) -> UpdateBuilder {
        let condition = (!self.conditions.is_empty()).then(|| self.conditions.join(" AND "));
        let clauses = [
            ("SET", &self.set),
            ("REMOVE", &self.remove),
            ("ADD", &self.add),
        ];
        let clauses = clauses.iter().filter(|(_, actions)| !actions.is_empty());
        let clauses: Vec<_> = clauses
            .map(|(keyword, actions)| format!("{keyword} {}", actions.join(", ")))
            .collect();
        Update::builder()
            .table_name(table)
            .set_key(Some(key.attributes()))
            .update_expression(clauses.join(" "))
            .set_condition_expression(condition)
            .set_expression_attribute_names(Some(self.names))
            .set_expression_attribute_values((!self.values.is_empty()).then_some(self.values))
    }

    /// Returns a placeholder for the name, because DynamoDB reserves many names.
    fn name(&mut self, attribute: &str) -> String {
        let name = format!("#{attribute}");
        self.names.insert(name.clone(), attribute.to_owned());
        name
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let name = format!(":v{}", self.values.len());
        self.values.insert(name.clone(), value);
        name
    }
}
