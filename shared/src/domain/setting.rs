//! Settings: named values an account's owner keeps in their profile.

use std::fmt;

use serde::de::IgnoredAny;

/// A stored setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its number, which no other setting of the account ever has.
    pub id: u64,
    /// What it is.
    pub content: NewSetting,
    /// Set by the operator: its owner can neither change nor remove it.
    pub read_only: bool,
}

/// What a setting is, but for its number.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSetting {
    /// 1 to 128 bytes.
    pub category: String,
    /// Up to 128 bytes.
    pub group: Option<String>,
    /// 1 to 128 bytes.
    pub name: String,
    /// Up to 1024 bytes, and a value of its type.
    pub value: String,
    /// What its value is.
    pub kind: SettingType,
    /// Up to 256 bytes.
    pub description: Option<String>,
}

impl fmt::Debug for NewSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewSetting({}, redacted)", self.kind.name())
    }
}

/// What the value of a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingType {
    /// Any text.
    String,
    /// `true` or `false`.
    Bool,
    /// A whole number of 64 bits.
    Int,
    /// A number as JSON writes it, within the range of a double.
    Double,
    /// Any JSON.
    Json,
}

impl SettingType {
    /// Every type.
    pub const ALL: [Self; 5] = [
        Self::String,
        Self::Bool,
        Self::Int,
        Self::Double,
        Self::Json,
    ];

    /// The type of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Double => "double",
            Self::Json => "json",
        }
    }

    fn admits(self, value: &str) -> bool {
        let is_padded = value.trim().len() < value.len();
        match self {
            Self::String => true,
            Self::Bool => matches!(value, "true" | "false"),
            Self::Int => !value.starts_with('+') && value.parse::<i64>().is_ok(),
            Self::Double => !is_padded && serde_json::from_str::<f64>(value).is_ok(),
            Self::Json => serde_json::from_str::<IgnoredAny>(value).is_ok(),
        }
    }
}

/// What a client asks of one setting.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SettingChange {
    /// Which; a new one where there is none.
    pub id: Option<u64>,
    /// The category, where it is to change.
    pub category: Option<String>,
    /// The group, where it is to change: to none, or to this.
    pub group: Option<Option<String>>,
    /// The name, where it is to change.
    pub name: Option<String>,
    /// The value, where it is to change; `None` within removes the setting.
    pub value: Option<Option<String>>,
    /// The type, where it is to change.
    pub kind: Option<SettingType>,
    /// The description, where it is to change: to none, or to this.
    pub description: Option<Option<String>>,
}

impl fmt::Debug for SettingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SettingChange({:?}, redacted)", self.id)
    }
}

/// Why a setting is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetting {
    /// The account has no setting of this number.
    #[error("unknown id")]
    UnknownId,
    /// Two changes name one setting.
    #[error("repeated id")]
    RepeatedId,
    /// The account would have more settings than it may.
    #[error("too many settings")]
    TooMany,
    /// A new setting needs this.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// This must not be empty.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// This has more bytes than so many.
    #[error("{0} has more than {1} bytes")]
    TooLong(&'static str, usize),
    /// This holds a control character.
    #[error("{0} holds a control character")]
    ControlCharacter(&'static str),
    /// The value is not one of its type.
    #[error("value is no {0:?}")]
    Value(SettingType),
}

const MAX_NAME: usize = 128;
const MAX_VALUE: usize = 1024;
const MAX_DESCRIPTION: usize = 256;

impl SettingChange {
    /// The new setting this asks for. Without a value it has the empty one, if that is one of its
    /// type; without a type it is a string.
    pub(super) fn create(&self) -> Result<NewSetting, InvalidSetting> {
        let setting = NewSetting {
            category: self
                .category
                .clone()
                .ok_or(InvalidSetting::Missing("category"))?,
            group: self.group.clone().flatten(),
            name: self.name.clone().ok_or(InvalidSetting::Missing("name"))?,
            value: self.value.clone().flatten().unwrap_or_default(),
            kind: self.kind.unwrap_or(SettingType::String),
            description: self.description.clone().flatten(),
        };
        setting.check()?;
        Ok(setting)
    }

    /// Whether this is to remove the setting.
    pub(super) fn removes(&self) -> bool {
        self.value == Some(None)
    }

    /// What this makes of a stored setting; `None` removes it.
    pub(super) fn apply(&self, seen: &Setting) -> Result<Option<Setting>, InvalidSetting> {
        let mut changed = seen.clone();
        let content = &mut changed.content;
        match &self.value {
            Some(None) => return Ok(None),
            Some(Some(value)) => content.value.clone_from(value),
            None => {}
        }
        if let Some(category) = &self.category {
            content.category.clone_from(category);
        }
        if let Some(group) = &self.group {
            content.group.clone_from(group);
        }
        if let Some(name) = &self.name {
            content.name.clone_from(name);
        }
        if let Some(kind) = self.kind {
            content.kind = kind;
        }
        if let Some(description) = &self.description {
            content.description.clone_from(description);
        }
        content.check()?;
        Ok(Some(changed))
    }
}

impl NewSetting {
    fn check(&self) -> Result<(), InvalidSetting> {
        for (name, text) in [("category", &self.category), ("name", &self.name)] {
            if text.is_empty() {
                return Err(InvalidSetting::Empty(name));
            }
        }
        for (name, text, max) in [
            ("category", Some(&self.category), MAX_NAME),
            ("group", self.group.as_ref(), MAX_NAME),
            ("name", Some(&self.name), MAX_NAME),
            ("value", Some(&self.value), MAX_VALUE),
            ("description", self.description.as_ref(), MAX_DESCRIPTION),
        ] {
            let Some(text) = text else { continue };
            if text.len() > max {
                return Err(InvalidSetting::TooLong(name, max));
            }
            let layout: &[char] = if name == "value" {
                &['\t', '\n', '\r']
            } else {
                &[]
            };
            if text.contains(|c: char| c.is_control() && !layout.contains(&c)) {
                return Err(InvalidSetting::ControlCharacter(name));
            }
        }
        if self.kind.admits(&self.value) {
            Ok(())
        } else {
            Err(InvalidSetting::Value(self.kind))
        }
    }
}

#[cfg(test)]
mod tests;
