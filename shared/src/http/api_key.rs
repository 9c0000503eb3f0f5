//! The API key object of the Management family.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{AccountId, ApiKey, ApiKeyDescription, Timestamp};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyObject<'a> {
    id: u64,
    name: &'a str,
    /// The full key in the response that creates it; afterwards its start and `…`.
    key: String,
    /// Always null: API keys have no separate secret.
    client_secret: Option<&'a str>,
    #[schema(format = DateTime)]
    created_date: Option<String>,
    #[schema(format = DateTime)]
    expire_date: Option<String>,
    owner_id: &'a str,
    revoked: bool,
    /// A bit mask: Read 1, Write 2, Delete 4, Create 8.
    #[schema(maximum = 15)]
    permissions: u8,
    description: Option<&'a str>,
}

/// An example for the API description, with `shown` as its `key`.
#[must_use]
pub fn example(shown: &str) -> serde_json::Value {
    serde_json::json!({
        "id": 1,
        "name": "backup",
        "key": shown,
        "clientSecret": null,
        "createdDate": "2026-11-23T08:23:39.391Z",
        "expireDate": null,
        "ownerId": "6b03f80b55d568306a5d0d6c",
        "revoked": false,
        "permissions": 1,
        "description": null,
    })
}

impl<'a> ApiKeyObject<'a> {
    /// Shows only the start of the key.
    #[must_use]
    pub fn masked(key: &'a ApiKey, owner: &'a AccountId) -> Self {
        Self::of(key, owner, format!("{}…", key.start))
    }

    /// Shows the full key: only in the response that creates it.
    #[must_use]
    pub fn whole(key: &'a ApiKey, owner: &'a AccountId, plain: &str) -> Self {
        Self::of(key, owner, plain.to_owned())
    }

    fn of(key: &'a ApiKey, owner: &'a AccountId, shown: String) -> Self {
        Self {
            id: key.id,
            name: key.name.as_str(),
            key: shown,
            client_secret: None,
            created_date: key.created_at.to_rfc3339(),
            expire_date: key.expires_at.and_then(Timestamp::to_rfc3339),
            owner_id: owner.as_str(),
            revoked: key.revoked_at.is_some(),
            permissions: key.permissions.mask(),
            description: key.description.as_ref().map(ApiKeyDescription::as_str),
        }
    }
}
