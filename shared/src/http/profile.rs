//! The user object of the Management family: an account and its profile, in one.

#[cfg(feature = "openapi")]
pub mod openapi;

use std::fmt;

use serde::Serialize;

use super::HttpError;
use super::api_key::ApiKeyObject;
use super::object::Object;
use super::problem::Problem;
use crate::auth::ProfileRequest;
use crate::domain::{
    Account, AccountId, Profile, ProfileField, ProfileUpdate, Setting, SettingChange, SettingType,
    Timestamp,
};

/// What `GET` and `POST /v1/auth/user` add to the envelope.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserPayload<'a> {
    user: UserObject<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct UserObject<'a> {
    id: &'a str,
    user_name: &'a str,
    email: &'a str,
    phone_number: Option<&'a str>,
    title: Option<&'a str>,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    department: Option<&'a str>,
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    birth_date: Option<&'a str>,
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    created_at: Option<String>,
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    updated_at: Option<String>,
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    last_dismiss_messages: Option<&'a str>,
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    last_log_in: Option<String>,
    rank: Option<i64>,
    image: Option<&'a str>,
    address: Option<&'a str>,
    postal_code: Option<&'a str>,
    region: Option<&'a str>,
    city: Option<&'a str>,
    country: Option<&'a str>,
    country_code: Option<&'a str>,
    mobile: Option<&'a str>,
    notes: Option<&'a str>,
    customer_id: Option<i64>,
    roles: Vec<&'a str>,
    api_keys: Vec<ApiKeyObject<'a>>,
    settings: Vec<SettingObject<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct SettingObject<'a> {
    id: u64,
    category: &'a str,
    group: Option<&'a str>,
    name: &'a str,
    value: &'a str,
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", schema(schema_with = openapi::setting_type))]
    kind: &'static str,
    description: Option<&'a str>,
    read_only: bool,
    user_id: &'a str,
}

impl fmt::Debug for UserPayload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserPayload({}, redacted)", self.user.id)
    }
}

impl<'a> UserPayload<'a> {
    /// An account and its profile, as they stand at `now`.
    #[must_use]
    pub fn of(account: &'a Account, profile: &'a Profile, now: Timestamp) -> Self {
        let field = |field| profile.field(field);
        let keys = profile.listed_api_keys(now).into_values();
        Self {
            user: UserObject {
                id: account.id.as_str(),
                user_name: &account.username,
                email: &account.email,
                phone_number: field(ProfileField::PhoneNumber),
                title: field(ProfileField::Title),
                first_name: field(ProfileField::FirstName),
                last_name: field(ProfileField::LastName),
                department: field(ProfileField::Department),
                birth_date: field(ProfileField::BirthDate),
                created_at: account.created_at.to_rfc3339(),
                updated_at: profile.updated_at.and_then(Timestamp::to_rfc3339),
                last_dismiss_messages: field(ProfileField::LastDismissMessages),
                last_log_in: account.last_login.and_then(Timestamp::to_rfc3339),
                rank: profile.rank,
                image: field(ProfileField::Image),
                address: field(ProfileField::Address),
                postal_code: field(ProfileField::PostalCode),
                region: field(ProfileField::Region),
                city: field(ProfileField::City),
                country: field(ProfileField::Country),
                country_code: field(ProfileField::CountryCode),
                mobile: field(ProfileField::Mobile),
                notes: field(ProfileField::Notes),
                customer_id: profile.customer_id,
                roles: account.scopes.iter().collect(),
                api_keys: keys
                    .map(|key| ApiKeyObject::masked(key, &account.id))
                    .collect(),
                settings: profile
                    .settings
                    .values()
                    .map(|setting| SettingObject::of(setting, &account.id))
                    .collect(),
            },
        }
    }
}

impl<'a> SettingObject<'a> {
    fn of(setting: &'a Setting, owner: &'a AccountId) -> Self {
        let content = &setting.content;
        Self {
            id: setting.id,
            category: &content.category,
            group: content.group.as_deref(),
            name: &content.name,
            value: &content.value,
            kind: content.kind.name(),
            description: content.description.as_deref(),
            read_only: setting.read_only,
            user_id: owner.as_str(),
        }
    }
}

/// Fields of the user object that the server owns: a client may send back what it read.
const OWNED: [&str; 8] = [
    "id",
    "createdAt",
    "updatedAt",
    "lastLogIn",
    "roles",
    "rank",
    "customerId",
    "apiKeys",
];

/// What a user object sent by its owner asks for.
pub fn parse(mut user: Object) -> Result<ProfileRequest, HttpError> {
    for name in OWNED {
        user.ignored(name)?;
    }
    let mut update = ProfileUpdate::default();
    for field in ProfileField::ALL {
        let Some(change) = user.given_string(field.name())?.change() else {
            continue;
        };
        let value = change.map(|text| field.parse(text)).transpose();
        let value = value.map_err(|invalid| user.error(field.name(), invalid))?;
        update.fields.insert(field, value);
    }
    for setting in user.optional_objects("settings")? {
        update.settings.push(parse_setting(setting)?);
    }
    Ok(ProfileRequest {
        username: user.given_string("userName")?.change(),
        email: user.given_string("email")?.change(),
        update,
    })
}

fn parse_setting(mut setting: Object) -> Result<SettingChange, HttpError> {
    for name in ["readOnly", "userId"] {
        setting.ignored(name)?;
    }
    // A negative number is that of no setting, like 0.
    let id = setting.optional_integer("id")?;
    let kind = match setting.optional_string("type")? {
        Some(name) => Some(
            SettingType::parse(&name)
                .ok_or_else(|| setting.error("type", Problem::NotASettingType))?,
        ),
        None => None,
    };
    Ok(SettingChange {
        id: id.map(|id| u64::try_from(id).unwrap_or(0)),
        category: setting.optional_string("category")?,
        group: setting.given_string("group")?.change(),
        name: setting.optional_string("name")?,
        value: setting.given_string("value")?.change(),
        kind,
        description: setting.given_string("description")?.change(),
    })
}
