//! DynamoDB items: written with a schema version and parsed strictly.

use std::collections::HashMap;
use std::fmt::Display;
use std::time::Duration;

use aws_sdk_dynamodb::types::builders::{
    ConditionCheckBuilder, DeleteBuilder, PutBuilder, UpdateBuilder,
};
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use super::{PK, SK, StoreError};
use crate::domain::{AccountId, Timestamp};

pub(super) type Attributes = HashMap<String, AttributeValue>;

/// The schema version that this code writes and reads.
const VERSION: u64 = 1;
const VERSION_ATTRIBUTE: &str = "v";

/// A string attribute.
pub(super) fn s(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub(super) fn n(value: impl Display + Copy) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The TTL of an item that expires at `end`, in epoch seconds: one hour later, to tolerate clock
/// skew. The TTL only cleans up; the code checks expiry itself.
pub(super) fn deletable(end: Timestamp) -> AttributeValue {
    const SLACK: Duration = Duration::from_hours(1);
    n(end.plus(SLACK).secs())
}

pub(super) fn version() -> AttributeValue {
    n(VERSION)
}

/// The key of an item in any table but the users table.
pub(super) fn pk(key: impl Into<String>) -> Attributes {
    HashMap::from([(PK.to_owned(), s(key))])
}

/// The key of an item in the users table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pk: String,
    sk: String,
}

impl Key {
    pub(super) fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }

    pub(super) fn attributes(&self) -> Attributes {
        HashMap::from([(PK.to_owned(), s(&self.pk)), (SK.to_owned(), s(&self.sk))])
    }

    /// Whether this is the key of `item`.
    pub(super) fn is_of(&self, item: &Attributes) -> bool {
        let text = |name| item.get(name)?.as_s().ok();
        text(PK) == Some(&self.pk) && text(SK) == Some(&self.sk)
    }
}

/// An item of the users table with only its key and schema version.
pub(super) fn new_item(key: &Key) -> Attributes {
    let mut item = key.attributes();
    item.insert(VERSION_ATTRIBUTE.to_owned(), version());
    item
}

pub(super) fn check_in_transaction(
    check: ConditionCheckBuilder,
) -> Result<TransactWriteItem, StoreError> {
    let check = TransactWriteItem::builder().condition_check(check.build()?);
    Ok(check.build())
}

pub(super) fn put_in_transaction(put: PutBuilder) -> Result<TransactWriteItem, StoreError> {
    Ok(TransactWriteItem::builder().put(put.build()?).build())
}

pub(super) fn update_in_transaction(
    update: UpdateBuilder,
) -> Result<TransactWriteItem, StoreError> {
    Ok(TransactWriteItem::builder().update(update.build()?).build())
}

pub(super) fn delete_in_transaction(
    delete: DeleteBuilder,
) -> Result<TransactWriteItem, StoreError> {
    Ok(TransactWriteItem::builder().delete(delete.build()?).build())
}

/// An item to parse. A missing attribute or one of another type is an error, never a default.
pub(super) struct Item<'a> {
    kind: &'static str,
    attributes: &'a Attributes,
}

impl<'a> Item<'a> {
    /// Checks the schema version.
    pub(super) fn new(kind: &'static str, attributes: &'a Attributes) -> Result<Self, StoreError> {
        let item = Self { kind, attributes };
        if item.number::<u64>(VERSION_ATTRIBUTE)? == VERSION {
            Ok(item)
        } else {
            Err(item.unreadable(VERSION_ATTRIBUTE))
        }
    }

    /// Wraps a map inside an item. Such a map has no schema version.
    pub(super) fn within(kind: &'static str, attributes: &'a Attributes) -> Self {
        Self { kind, attributes }
    }

    pub(super) fn string(&self, name: &'static str) -> Result<&'a str, StoreError> {
        self.optional_string(name)?
            .ok_or_else(|| self.unreadable(name))
    }

    pub(super) fn optional_string(
        &self,
        name: &'static str,
    ) -> Result<Option<&'a str>, StoreError> {
        match self.attributes.get(name) {
            None => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text)),
            Some(_) => Err(self.unreadable(name)),
        }
    }

    pub(super) fn number<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, StoreError> {
        self.optional_number(name)?
            .ok_or_else(|| self.unreadable(name))
    }

    pub(super) fn optional_number<T: std::str::FromStr>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, StoreError> {
        match self.attributes.get(name) {
            None => Ok(None),
            Some(AttributeValue::N(number)) => {
                number.parse().map(Some).map_err(|_| self.unreadable(name))
            }
            Some(_) => Err(self.unreadable(name)),
        }
    }

    pub(super) fn time(&self, name: &'static str) -> Result<Timestamp, StoreError> {
        self.number(name).map(Timestamp::from_millis)
    }

    pub(super) fn optional_time(
        &self,
        name: &'static str,
    ) -> Result<Option<Timestamp>, StoreError> {
        let millis = self.optional_number(name)?;
        Ok(millis.map(Timestamp::from_millis))
    }

    pub(super) fn account_id(&self, name: &'static str) -> Result<AccountId, StoreError> {
        AccountId::parse(self.string(name)?).map_err(|_| self.unreadable(name))
    }

    pub(super) fn boolean(&self, name: &'static str) -> Result<bool, StoreError> {
        match self.attributes.get(name) {
            Some(AttributeValue::Bool(value)) => Ok(*value),
            _ => Err(self.unreadable(name)),
        }
    }

    pub(super) fn map(&self, name: &'static str) -> Result<&'a Attributes, StoreError> {
        match self.attributes.get(name) {
            Some(AttributeValue::M(map)) => Ok(map),
            _ => Err(self.unreadable(name)),
        }
    }

    pub(super) fn strings(&self, name: &'static str) -> Result<Vec<&'a str>, StoreError> {
        self.optional_strings(name)?
            .ok_or_else(|| self.unreadable(name))
    }

    pub(super) fn optional_strings(
        &self,
        name: &'static str,
    ) -> Result<Option<Vec<&'a str>>, StoreError> {
        let text = |value: &'a AttributeValue| match value {
            AttributeValue::S(text) => Ok(text.as_str()),
            _ => Err(self.unreadable(name)),
        };
        match self.attributes.get(name) {
            None => Ok(None),
            Some(AttributeValue::L(list)) => {
                list.iter().map(text).collect::<Result<_, _>>().map(Some)
            }
            Some(_) => Err(self.unreadable(name)),
        }
    }

    pub(super) fn unreadable(&self, attribute: &'static str) -> StoreError {
        StoreError::Unreadable {
            item: self.kind,
            attribute,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_of_another_version_is_unreadable() {
        for found in [Some(n(2)), Some(s("1")), None] {
            let mut attributes = new_item(&Key::new("user#1".to_owned(), "account"));
            attributes.remove(VERSION_ATTRIBUTE);
            attributes.extend(found.map(|value| (VERSION_ATTRIBUTE.to_owned(), value)));

            assert!(Item::new("account", &attributes).is_err());
        }
    }

    #[test]
    fn an_attribute_of_another_type_is_unreadable() {
        let mut attributes = new_item(&Key::new("user#1".to_owned(), "account"));
        attributes.insert("last_login".to_owned(), s("yesterday"));

        let item = Item::new("account", &attributes).unwrap();

        assert!(item.optional_number::<i64>("last_login").is_err());
        assert!(item.optional_number::<i64>("created_at").unwrap().is_none());
        assert!(item.number::<i64>("created_at").is_err());
        assert!(item.boolean("last_login").is_err());
        assert!(item.strings("last_login").is_err());
    }
}
