//! What can be wrong with a field of a body, and the error texts.

use std::borrow::Cow;
use std::fmt;

use crate::auth::Name;
use crate::domain::{
    InvalidEmail, InvalidMetadata, InvalidPassword, InvalidSetting, InvalidUsername, InvalidValue,
    MAX_METADATA_BYTES, MAX_METADATA_DEPTH, MAX_PASSWORD_BYTES, MAX_SETTINGS, MAX_USERNAME_CHARS,
    SettingType,
};

/// A field's name, with the list that contains it: `email`, `settings.value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldName {
    pub(super) within: Option<&'static str>,
    pub(super) name: &'static str,
}

impl From<&'static str> for FieldName {
    fn from(name: &'static str) -> Self {
        Self { within: None, name }
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(within) = self.within {
            write!(f, "{within}.")?;
        }
        f.write_str(self.name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    Missing,
    NotAString,
    NotAnInteger,
    NotABoolean,
    NotAnObject,
    NotAList,
    NotStrings,
    NotOneOrMoreStrings,
    NotScopes,
    NotVendors,
    Repeated,
    /// An object within the field has a field twice.
    RepeatedField,
    /// Nested deeper than this many levels.
    TooDeep(usize),
    Empty,
    NotAnEmail,
    /// At most this many characters.
    TooManyChars(usize),
    /// At most this many bytes of UTF-8.
    TooManyBytes(usize),
    ControlCharacter,
    NotAUsername,
    /// A username with `@` must be the account's own email.
    AnotherEmail,
    /// At least this many characters.
    PasswordTooShort(usize),
    PasswordCommon,
    PasswordHoldsName,
    NotACountryCode,
    NotADate,
    NotInTheFuture,
    NotAnImage,
    NotPermissions,
    NotASettingType,
    NotOfType(SettingType),
    UnknownSetting,
    RepeatedSetting,
    NotCurrent,
    NotAFilter,
    NotAnOrder,
    NotACursor,
    /// An integer between these, inclusive.
    NotBetween(usize, usize),
    /// At most this many items.
    TooMany(usize),
    Unchangeable,
}

impl Problem {
    /// The part of the error text after the field's name.
    pub(super) fn text(self) -> Cow<'static, str> {
        match self {
            Self::Missing => "is required".into(),
            Self::NotAString => "must be a string".into(),
            Self::NotAnInteger => "must be an integer".into(),
            Self::NotABoolean => "must be a boolean".into(),
            Self::NotAnObject => "must be of type object".into(),
            Self::NotAList => "must be an array of objects".into(),
            Self::NotStrings => "must be an array of strings".into(),
            Self::NotOneOrMoreStrings => "must be a string or an array of strings".into(),
            Self::NotScopes => {
                "must contain at most 16 items, each once, of 1 to 64 characters A-Z a-z 0-9 . _ : -".into()
            }
            Self::NotVendors => {
                "must contain at most 16 items of 1 to 64 bytes without control characters".into()
            }
            Self::Repeated => "must appear only once".into(),
            Self::RepeatedField => "must have each field only once".into(),
            Self::TooDeep(max) => format!("must not be nested deeper than {max} levels").into(),
            Self::Empty => "is not allowed to be empty".into(),
            Self::NotAnEmail => "must be a valid email".into(),
            Self::TooManyChars(max) => {
                format!("length must be less than or equal to {max} characters long").into()
            }
            Self::TooManyBytes(max) => {
                format!("length must be less than or equal to {max} bytes").into()
            }
            Self::ControlCharacter => "must not contain control characters".into(),
            Self::NotAUsername => "contains characters that are not allowed".into(),
            Self::AnotherEmail => "must be the account's own email if it contains @".into(),
            Self::PasswordTooShort(min) => {
                format!("length must be at least {min} characters long").into()
            }
            Self::PasswordCommon => "is among the most common passwords".into(),
            Self::PasswordHoldsName => "must not contain the email or username".into(),
            Self::NotACountryCode => "must be a country code of ISO 3166-1 alpha-2".into(),
            Self::NotADate => "must be an RFC 3339 date-time of the years 1 to 9999".into(),
            Self::NotInTheFuture => "must be in the future".into(),
            Self::NotAnImage => {
                "must be an https URL, or a data URL of a PNG, JPEG, WebP or GIF image".into()
            }
            Self::NotPermissions => "must be a mask from 0 to 15".into(),
            Self::NotASettingType => "must be one of string, bool, int, double, json".into(),
            Self::NotOfType(kind) => format!("must be of type {}", kind.name()).into(),
            Self::UnknownSetting => "must be that of a setting of this account".into(),
            Self::RepeatedSetting => "must name each setting only once".into(),
            Self::NotAFilter => "must be scope: and a scope".into(),
            Self::NotAnOrder => "must be created:1 or created:-1".into(),
            Self::NotACursor => "must be that of a page of the last 24 hours".into(),
            Self::NotBetween(min, max) => format!("must be an integer from {min} to {max}").into(),
            Self::NotCurrent => "must be current".into(),
            Self::TooMany(max) => format!("must contain at most {max} items").into(),
            Self::Unchangeable => "cannot be changed here".into(),
        }
    }
}

/// The field of an account's name.
pub(super) fn field_of(name: Name) -> FieldName {
    match name {
        Name::Username => "userName".into(),
        Name::Email => "email".into(),
    }
}

/// The field of an invalid setting, and what is wrong with it.
pub(super) fn setting_problem(invalid: InvalidSetting) -> (FieldName, Problem) {
    let field = |name| FieldName {
        within: Some("settings"),
        name,
    };
    match invalid {
        InvalidSetting::UnknownId => (field("id"), Problem::UnknownSetting),
        InvalidSetting::RepeatedId => (field("id"), Problem::RepeatedSetting),
        InvalidSetting::TooMany => ("settings".into(), Problem::TooMany(MAX_SETTINGS)),
        InvalidSetting::Missing(name) => (field(name), Problem::Missing),
        InvalidSetting::Empty(name) => (field(name), Problem::Empty),
        InvalidSetting::TooManyBytes(name, max) => (field(name), Problem::TooManyBytes(max)),
        InvalidSetting::ControlCharacter(name) => (field(name), Problem::ControlCharacter),
        InvalidSetting::Value(kind) => (field("value"), Problem::NotOfType(kind)),
    }
}

impl From<InvalidEmail> for Problem {
    fn from(_: InvalidEmail) -> Self {
        Self::NotAnEmail
    }
}

impl From<InvalidUsername> for Problem {
    fn from(invalid: InvalidUsername) -> Self {
        match invalid {
            InvalidUsername::TooManyChars => Self::TooManyChars(MAX_USERNAME_CHARS),
            InvalidUsername::Characters => Self::NotAUsername,
            InvalidUsername::AnotherEmail => Self::AnotherEmail,
        }
    }
}

impl From<InvalidMetadata> for Problem {
    fn from(invalid: InvalidMetadata) -> Self {
        match invalid {
            InvalidMetadata::TooManyBytes => Self::TooManyBytes(MAX_METADATA_BYTES),
            InvalidMetadata::TooDeep => Self::TooDeep(MAX_METADATA_DEPTH),
        }
    }
}

impl From<InvalidPassword> for Problem {
    fn from(invalid: InvalidPassword) -> Self {
        match invalid {
            InvalidPassword::TooShort(min) => Self::PasswordTooShort(min),
            InvalidPassword::TooManyBytes => Self::TooManyBytes(MAX_PASSWORD_BYTES),
            InvalidPassword::Common => Self::PasswordCommon,
            InvalidPassword::HoldsName => Self::PasswordHoldsName,
        }
    }
}

impl From<InvalidValue> for Problem {
    fn from(invalid: InvalidValue) -> Self {
        match invalid {
            InvalidValue::Empty => Self::Empty,
            InvalidValue::TooManyBytes(max) => Self::TooManyBytes(max),
            InvalidValue::ControlCharacter => Self::ControlCharacter,
            InvalidValue::CountryCode => Self::NotACountryCode,
            InvalidValue::Date => Self::NotADate,
            InvalidValue::Image => Self::NotAnImage,
        }
    }
}
