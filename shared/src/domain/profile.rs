//! Profiles: what an account's owner says of themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use url::Url;

use super::setting::{InvalidSetting, NewSetting, Setting, SettingChange};
use super::{ApiKey, Timestamp};

/// A field of a profile that its owner may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is what its name says")]
pub enum ProfileField {
    PhoneNumber,
    Mobile,
    Title,
    FirstName,
    LastName,
    Department,
    Address,
    PostalCode,
    Region,
    City,
    Country,
    CountryCode,
    Notes,
    BirthDate,
    LastDismissMessages,
    Image,
}

impl ProfileField {
    /// Every field.
    pub const ALL: [Self; 16] = [
        Self::PhoneNumber,
        Self::Mobile,
        Self::Title,
        Self::FirstName,
        Self::LastName,
        Self::Department,
        Self::Address,
        Self::PostalCode,
        Self::Region,
        Self::City,
        Self::Country,
        Self::CountryCode,
        Self::Notes,
        Self::BirthDate,
        Self::LastDismissMessages,
        Self::Image,
    ];

    /// Its name, on the wire and in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PhoneNumber => "phoneNumber",
            Self::Mobile => "mobile",
            Self::Title => "title",
            Self::FirstName => "firstName",
            Self::LastName => "lastName",
            Self::Department => "department",
            Self::Address => "address",
            Self::PostalCode => "postalCode",
            Self::Region => "region",
            Self::City => "city",
            Self::Country => "country",
            Self::CountryCode => "countryCode",
            Self::Notes => "notes",
            Self::BirthDate => "birthDate",
            Self::LastDismissMessages => "lastDismissMessages",
            Self::Image => "image",
        }
    }

    /// The most bytes of UTF-8 it may be written in.
    #[must_use]
    pub fn max_bytes(self) -> usize {
        match self {
            Self::Notes => 4096,
            Self::Image => 48 * 1024,
            _ => 256,
        }
    }

    /// The value `text` gives this field, in the form it is kept in.
    pub fn parse(self, text: String) -> Result<FieldValue, InvalidValue> {
        match self {
            Self::CountryCode => match rust_iso3166::from_alpha2(&text) {
                Some(_) => Ok(FieldValue(text)),
                None => Err(InvalidValue::CountryCode),
            },
            Self::BirthDate | Self::LastDismissMessages => Timestamp::parse_rfc3339(&text)
                .and_then(Timestamp::to_rfc3339)
                .map(FieldValue)
                .ok_or(InvalidValue::Date),
            Self::Image => image(text, self.max_bytes()),
            Self::Notes => plain(text, self.max_bytes(), &['\n', '\r']),
            Self::PhoneNumber
            | Self::Mobile
            | Self::Title
            | Self::FirstName
            | Self::LastName
            | Self::Department
            | Self::Address
            | Self::PostalCode
            | Self::Region
            | Self::City
            | Self::Country => plain(text, self.max_bytes(), &[]),
        }
    }
}

fn plain(text: String, max: usize, controls: &[char]) -> Result<FieldValue, InvalidValue> {
    if text.len() > max {
        return Err(InvalidValue::TooLong(max));
    }
    if text.contains(|c: char| c.is_control() && !controls.contains(&c)) {
        return Err(InvalidValue::ControlCharacter);
    }
    Ok(FieldValue(text))
}

/// An https URL with a host, or a data URL, as it was written. The parser mends what only looks
/// like one, as browsers do, so that is refused first.
fn image(text: String, max: usize) -> Result<FieldValue, InvalidValue> {
    if text.len() > max {
        return Err(InvalidValue::TooLong(max));
    }
    let has_stray = text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\');
    let after = |prefix: &str| {
        let (start, rest) = text.split_at_checked(prefix.len())?;
        start.eq_ignore_ascii_case(prefix).then_some(rest)
    };
    let is_https = after("https://").is_some_and(|rest| !rest.starts_with('/'));
    let is_data = after("data:").is_some_and(|rest| rest.contains(','));
    if !has_stray && (is_https || is_data) && Url::parse(&text).is_ok() {
        Ok(FieldValue(text))
    } else {
        Err(InvalidValue::Image)
    }
}

/// The value of a [`ProfileField`], valid for that field.
#[derive(Clone, PartialEq, Eq)]
pub struct FieldValue(String);

impl fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FieldValue(redacted)")
    }
}

impl FieldValue {
    /// A value read back from where it was stored.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The value as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a value is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValue {
    /// Nothing, where there must be something.
    #[error("empty")]
    Empty,
    /// More than this many bytes.
    #[error("more than {0} bytes")]
    TooLong(usize),
    /// It holds a control character.
    #[error("a control character")]
    ControlCharacter,
    /// Not a code of ISO 3166-1 alpha-2.
    #[error("no country code")]
    CountryCode,
    /// Not an RFC 3339 date-time of the years 1 to 9999.
    #[error("no date-time")]
    Date,
    /// Neither an https URL nor a data URL.
    #[error("no image URL")]
    Image,
}

/// What is stored beside an account: the owner's fields, settings, and summaries of API keys.
///
/// At every limit at once it stays under 300 KB, and a `DynamoDB` item holds 400.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// The owner's fields; one that is unset is not there.
    pub fields: BTreeMap<ProfileField, FieldValue>,
    /// The operator's.
    pub rank: Option<i64>,
    /// The operator's.
    pub customer_id: Option<i64>,
    /// When the owner last changed a field or a setting.
    pub updated_at: Option<Timestamp>,
    /// Settings by number.
    pub settings: BTreeMap<u64, Setting>,
    /// API keys by number: the live ones, and the last of the others.
    pub api_keys: BTreeMap<u64, ApiKey>,
    /// The number of the last API key there was.
    pub last_api_key: u64,
}

/// The most settings an account has.
pub const MAX_SETTINGS: usize = 100;

/// What an owner asks to have changed.
#[derive(Debug, Clone, Default)]
pub struct ProfileUpdate {
    /// Fields to set, or to clear where there is no value.
    pub fields: BTreeMap<ProfileField, Option<FieldValue>>,
    /// Settings to create, change or remove.
    pub settings: Vec<SettingChange>,
}

/// What is to be written so that a profile becomes what its owner asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProfileDelta {
    /// Fields to write, or to remove where there is no value.
    pub fields: BTreeMap<ProfileField, Option<FieldValue>>,
    /// Settings to create.
    pub created: Vec<NewSetting>,
    /// Settings to write in place of what they were when looked at.
    pub changed: Vec<(Setting, Setting)>,
    /// Settings to remove, as they were when looked at.
    pub removed: Vec<Setting>,
}

impl ProfileDelta {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Profile {
    /// The value of a field.
    #[must_use]
    pub fn field(&self, field: ProfileField) -> Option<&str> {
        self.fields.get(&field).map(FieldValue::as_str)
    }

    /// What `update` changes: only what is not so already.
    ///
    /// Of a read-only setting nothing changes; one that is neither named nor removed stays. One to
    /// be removed may have gone since the profile was `first` looked at.
    pub fn delta(
        &self,
        update: &ProfileUpdate,
        first: &Self,
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
        let count = self.settings.len() + delta.created.len() - delta.removed.len();
        if count > MAX_SETTINGS && !delta.created.is_empty() {
            return Err(InvalidSetting::TooMany);
        }
        Ok(delta)
    }
}

#[cfg(test)]
mod tests;
