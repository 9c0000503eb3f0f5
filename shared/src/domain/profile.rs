//! Profiles: the data that an account's owner edits.

mod update;

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;

pub use self::update::{MAX_SETTINGS, MAX_SETTINGS_AT_ONCE, ProfileDelta, ProfileUpdate};
use super::setting::Setting;
use super::{ApiKey, Metadata, Timestamp};

/// A field of a profile that its owner may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

    /// The name on the wire and in the table.
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

    /// The longest value, in bytes of UTF-8.
    #[must_use]
    pub fn max_bytes(self) -> usize {
        match self {
            Self::Notes => 4096,
            Self::Image => 48 * 1024,
            _ => 256,
        }
    }

    /// Checks `text` and returns the value to store. Dates are converted to UTC.
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
        return Err(InvalidValue::TooManyBytes(max));
    }
    if text.contains(|c: char| c.is_control() && !controls.contains(&c)) {
        return Err(InvalidValue::ControlCharacter);
    }
    Ok(FieldValue(text))
}

/// Accepts an https URL with a host, or a data URL of an image, and keeps it as written.
/// `Url::parse` repairs malformed URLs as browsers do, so those are refused first.
fn image(text: String, max: usize) -> Result<FieldValue, InvalidValue> {
    if text.len() > max {
        return Err(InvalidValue::TooManyBytes(max));
    }
    let has_stray = text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\');
    let is_https = || {
        let host = after_prefix(&text, "https://");
        host.is_some_and(|host| !host.starts_with('/')) && Url::parse(&text).is_ok()
    };
    if !has_stray && (is_https() || is_image_data(&text)) {
        Ok(FieldValue(text))
    } else {
        Err(InvalidValue::Image)
    }
}

/// What follows `prefix`, whose case does not matter.
fn after_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The media types of images in data URLs. SVG is left out because it can contain scripts.
const IMAGE_TYPES: [&str; 4] = ["image/png", "image/jpeg", "image/webp", "image/gif"];

/// Whether `text` is a data URL (RFC 2397) of one of [`IMAGE_TYPES`], without parameters and with
/// data.
fn is_image_data(text: &str) -> bool {
    let parts = after_prefix(text, "data:").and_then(|rest| rest.split_once(','));
    let Some((head, data)) = parts else {
        return false;
    };
    let (media_type, is_base64) = match head.split_once(';') {
        None => (head, false),
        Some((media_type, encoding)) if encoding.eq_ignore_ascii_case("base64") => {
            (media_type, true)
        }
        Some(_) => return false,
    };
    let is_image = IMAGE_TYPES
        .iter()
        .any(|allowed| media_type.eq_ignore_ascii_case(allowed));
    let is_encoded = if is_base64 {
        STANDARD.decode(data).is_ok()
    } else {
        is_percent_encoded(data)
    };
    is_image && !data.is_empty() && is_encoded
}

/// Whether `data` has only the characters of RFC 2397's `urlchar`, with two hex digits after each
/// `%`.
fn is_percent_encoded(data: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b";/?:@&=+$,-_.!~*'()".contains(&byte);
    let mut parts = data.split('%');
    parts
        .next()
        .is_some_and(|first| first.bytes().all(is_plain))
        && parts.all(|part| match part.as_bytes() {
            [high, low, rest @ ..] => {
                high.is_ascii_hexdigit()
                    && low.is_ascii_hexdigit()
                    && rest.iter().copied().all(is_plain)
            }
            _ => false,
        })
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
    /// Takes a stored value without checking it.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValue {
    #[error("empty")]
    Empty,
    #[error("more than {0} bytes")]
    TooManyBytes(usize),
    #[error("a control character")]
    ControlCharacter,
    /// Not a code of ISO 3166-1 alpha-2.
    #[error("no country code")]
    CountryCode,
    /// Not an RFC 3339 date-time of the years 1 to 9999.
    #[error("no date-time")]
    Date,
    /// Neither an https URL nor a data URL of an allowed image type.
    #[error("no image URL")]
    Image,
}

/// What is stored with an account: the owner's fields, settings and API keys (as digests).
///
/// With every limit reached it has less than 300 KB, of which a `DynamoDB` query reads 1 MB at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// Set by the owner. Unset fields are absent.
    pub fields: BTreeMap<ProfileField, FieldValue>,
    /// Set by the operator.
    pub rank: Option<i64>,
    /// Set by the operator.
    pub customer_id: Option<i64>,
    /// When the owner last changed a field or a setting.
    pub updated_at: Option<Timestamp>,
    /// By id.
    pub settings: BTreeMap<u64, Setting>,
    /// By id: all live keys, and the latest of the others.
    pub api_keys: BTreeMap<u64, ApiKey>,
    /// The id of the last setting that was created.
    pub last_setting: u64,
    /// Which the owner cannot write.
    pub metadata: Option<Metadata>,
}

impl Profile {
    #[must_use]
    pub fn field(&self, field: ProfileField) -> Option<&str> {
        self.fields.get(&field).map(FieldValue::as_str)
    }
}

#[cfg(test)]
mod tests;
