//! The user object of the Management family: an account and its profile.

mod change;
pub mod openapi;

use serde::Serialize;
use utoipa::ToSchema;

pub use self::change::{Body, UserChange};
use super::api_key::ApiKeyObject;
use crate::domain::{Account, AccountId, Profile, ProfileField, Setting, Timestamp};

/// What `GET` and `POST /v1/auth/user` add to the envelope.
#[derive(Serialize, ToSchema)]
pub struct UserPayload<'a> {
    user: UserObject<'a>,
}

/// An account, its profile and its API keys.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserObject<'a> {
    id: &'a str,
    user_name: &'a str,
    email: &'a str,
    phone_number: Option<&'a str>,
    title: Option<&'a str>,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    department: Option<&'a str>,
    #[schema(format = DateTime)]
    birth_date: Option<&'a str>,
    #[schema(format = DateTime)]
    created_at: Option<String>,
    #[schema(format = DateTime)]
    updated_at: Option<String>,
    #[schema(format = DateTime)]
    last_dismiss_messages: Option<&'a str>,
    #[schema(format = DateTime)]
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

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SettingObject<'a> {
    id: u64,
    category: &'a str,
    group: Option<&'a str>,
    name: &'a str,
    value: &'a str,
    #[serde(rename = "type")]
    #[schema(value_type = openapi::SettingTypeName)]
    kind: &'static str,
    description: Option<&'a str>,
    read_only: bool,
    user_id: &'a str,
}

impl<'a> UserPayload<'a> {
    /// `now` decides which API keys are listed as live.
    #[must_use]
    pub fn of(account: &'a Account, profile: &'a Profile, now: Timestamp) -> Self {
        Self {
            user: UserObject::of(account, profile, now),
        }
    }
}

impl<'a> UserObject<'a> {
    /// `now` decides which API keys are listed as live.
    #[must_use]
    pub fn of(account: &'a Account, profile: &'a Profile, now: Timestamp) -> Self {
        let field = |field| profile.field(field);
        let keys = profile.listed_api_keys(now).into_values();
        Self {
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
