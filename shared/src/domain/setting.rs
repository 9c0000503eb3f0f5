//! Settings: named values that an account's owner keeps in the profile.

use std::fmt;

use serde::de::IgnoredAny;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Never reused within an account.
    pub id: u64,
    pub content: NewSetting,
    /// Set by the operator. The owner can neither change nor remove the setting.
    pub read_only: bool,
}

/// A setting without its id.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSetting {
    /// 1 to 128 bytes.
    pub category: String,
    /// Up to 128 bytes.
    pub group: Option<String>,
    /// 1 to 128 bytes.
    pub name: String,
    /// Up to 1024 bytes, and valid for `kind`.
    pub value: String,
    pub kind: SettingType,
    /// Up to 256 bytes.
    pub description: Option<String>,
}

impl fmt::Debug for NewSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewSetting({}, redacted)", self.kind.name())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingType {
    /// Any text.
    String,
    /// `true` or `false`.
    Bool,
    /// A signed 64-bit integer.
    Int,
    /// A number as JSON writes it, within the range of a double.
    Double,
    /// Any JSON.
    Json,
}

impl SettingType {
    pub const ALL: [Self; 5] = [
        Self::String,
        Self::Bool,
        Self::Int,
        Self::Double,
        Self::Json,
    ];

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

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

/// A client's change to one setting. `None` leaves a part as it is, `Some(None)` clears it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SettingChange {
    /// `None` creates a setting.
    pub id: Option<u64>,
    pub category: Option<String>,
    pub group: Option<Option<String>>,
    pub name: Option<String>,
    /// `Some(None)` removes the setting.
    pub value: Option<Option<String>>,
    pub kind: Option<SettingType>,
    pub description: Option<Option<String>>,
}

impl fmt::Debug for SettingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SettingChange({:?}, redacted)", self.id)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetting {
    #[error("unknown id")]
    UnknownId,
    /// Two changes have the same id.
    #[error("repeated id")]
    RepeatedId,
    #[error("too many settings")]
    TooMany,
    /// A new setting needs this field.
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} is empty")]
    Empty(&'static str),
    #[error("{0} has more than {1} bytes")]
    TooManyBytes(&'static str, usize),
    #[error("{0} holds a control character")]
    ControlCharacter(&'static str),
    #[error("value is no {0:?}")]
    Value(SettingType),
}

const MAX_NAME: usize = 128;
const MAX_VALUE: usize = 1024;
const MAX_DESCRIPTION: usize = 256;

impl SettingChange {
    /// The new setting. The type defaults to string, and the value to an empty text, which must be
    /// valid for the type.
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

    pub(super) fn removes(&self) -> bool {
        self.value == Some(None)
    }

    /// The changed setting; `None` if it is to be removed.
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
                return Err(InvalidSetting::TooManyBytes(name, max));
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
