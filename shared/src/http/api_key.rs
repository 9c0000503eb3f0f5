//! The API key object of the Management family.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{AccountId, ApiKey, ApiKeyDescription, Timestamp};

/// A key as its owner sees it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyObject<'a> {
    id: u64,
    name: &'a str,
    /// Whole in the answer that makes it; from then on its start and `…`.
    key: String,
    /// Always null: a key of ours is all there is to it.
    client_secret: Option<&'a str>,
    #[schema(format = DateTime)]
    created_date: Option<String>,
    #[schema(format = DateTime)]
    expire_date: Option<String>,
    owner_id: &'a str,
    revoked: bool,
    /// A mask: Read 1, Write 2, Delete 4, Create 8.
    #[schema(maximum = 15)]
    permissions: u8,
    description: Option<&'a str>,
}

/// A key for the reference, shown so.
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

impl fmt::Debug for ApiKeyObject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeyObject({}, redacted)", self.id)
    }
}

impl<'a> ApiKeyObject<'a> {
    /// A key with all but its start masked.
    #[must_use]
    pub fn masked(key: &'a ApiKey, owner: &'a AccountId) -> Self {
        Self::of(key, owner, format!("{}…", key.start))
    }

    /// A key as it is shown once, when it is made.
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
