//! The body that changes a profile.

use std::fmt;
use std::sync::LazyLock;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use utoipa::ToSchema;

use crate::auth::ProfileRequest;
use crate::domain::{ProfileField, ProfileUpdate, SettingChange, SettingType};
use crate::http::body::Given;
use crate::http::problem::{FieldName, Problem};
use crate::http::{HttpError, InField};

/// The body of `POST /v1/auth/user`.
#[derive(serde::Deserialize, ToSchema)]
pub struct Body {
    pub user: UserChange,
}

/// A user object: the profile's fields ([`ProfileField`]), settings, username and email.
#[derive(Default)]
pub struct UserChange {
    fields: Vec<(ProfileField, Option<String>)>,
    settings: Vec<SettingBody>,
    user_name: Given<String>,
    email: Given<String>,
}

/// Read-only fields. They are ignored, so a client may send back what it read.
pub(super) const OWNED: [&str; 8] = [
    "id",
    "createdAt",
    "updatedAt",
    "lastLogIn",
    "roles",
    "rank",
    "customerId",
    "apiKeys",
];

pub(super) const SETTINGS: &str = "settings";
pub(super) const USER_NAME: &str = "userName";
pub(super) const EMAIL: &str = "email";

/// Every field, in the order of reading.
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let profile = ProfileField::ALL.map(ProfileField::name);
    let names = OWNED.into_iter().chain(profile);
    names.chain([SETTINGS, USER_NAME, EMAIL]).collect()
});

impl<'de> Deserialize<'de> for UserChange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("UserChange", &NAMES, UserChangeVisitor)
    }
}

struct UserChangeVisitor;

impl<'de> Visitor<'de> for UserChangeVisitor {
    type Value = UserChange;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a user object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UserChange, A::Error> {
        let mut user = UserChange::default();
        while let Some(name) = map.next_key::<&str>()? {
            let field = ProfileField::ALL.into_iter().find(|one| one.name() == name);
            match (field, name) {
                (Some(field), _) => {
                    let change = map.next_value::<Given<String>>()?.change();
                    user.fields.extend(change.map(|change| (field, change)));
                }
                (None, SETTINGS) => user.settings = map.next_value()?,
                (None, USER_NAME) => user.user_name = map.next_value()?,
                (None, EMAIL) => user.email = map.next_value()?,
                (None, _) => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(user)
    }
}

/// A setting to create, change or remove.
#[derive(serde::Deserialize, ToSchema)]
#[schema(as = SettingChange)]
#[serde(rename_all = "camelCase")]
pub(super) struct SettingBody {
    /// The setting to change; without it a new one is created.
    id: Option<i64>,
    /// 1 to 128 bytes of UTF-8; required for a new setting.
    #[schema(max_length = 128)]
    category: Option<String>,
    /// Up to 128 bytes of UTF-8.
    #[schema(value_type = Option<String>, max_length = 128)]
    group: Given<String>,
    /// 1 to 128 bytes of UTF-8; required for a new setting.
    #[schema(max_length = 128)]
    name: Option<String>,
    /// Up to 1024 bytes of UTF-8, of the setting's type; `null` removes the setting.
    #[schema(value_type = Option<String>, max_length = 1024)]
    value: Given<String>,
    /// The value's type, `string` by default.
    #[serde(rename = "type")]
    #[schema(value_type = Option<super::openapi::SettingTypeName>)]
    kind: Option<String>,
    /// Up to 256 bytes of UTF-8.
    #[schema(value_type = Option<String>, max_length = 256)]
    description: Given<String>,
    /// Read-only: ignored.
    #[serde(rename = "readOnly")]
    #[schema(value_type = Option<serde_json::Value>)]
    _read_only: IgnoredAny,
    /// Read-only: ignored.
    #[serde(rename = "userId")]
    #[schema(value_type = Option<serde_json::Value>)]
    _user_id: IgnoredAny,
}

impl UserChange {
    /// Parses every value; the first invalid field is the error.
    pub fn parse(self) -> Result<ProfileRequest, HttpError> {
        let mut update = ProfileUpdate::default();
        for (field, text) in self.fields {
            let value = text.map(|text| field.parse(text)).transpose();
            let value = value.in_field(field.name())?;
            update.fields.insert(field, value);
        }
        let settings = self.settings.into_iter().map(SettingBody::parse);
        update.settings = settings.collect::<Result<_, _>>()?;
        Ok(ProfileRequest {
            username: self.user_name.change(),
            email: self.email.change(),
            update,
        })
    }
}

impl SettingBody {
    fn parse(self) -> Result<SettingChange, HttpError> {
        let parse = |name: String| {
            let name_of_field = FieldName {
                within: Some(SETTINGS),
                name: "type",
            };
            SettingType::parse(&name)
                .ok_or(HttpError::Field(name_of_field, Problem::NotASettingType))
        };
        Ok(SettingChange {
            // No setting has the id 0, so it stands for any negative number.
            id: self.id.map(|id| u64::try_from(id).unwrap_or(0)),
            category: self.category,
            group: self.group.change(),
            name: self.name,
            value: self.value.change(),
            kind: self.kind.map(parse).transpose()?,
            description: self.description.change(),
        })
    }
}
