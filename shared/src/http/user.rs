//! The user objects of the Appmixer family.

use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::DescribedAccount;
use crate::domain::{Account, Metadata};

/// An account as `POST /user` shows it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User<'a> {
    id: &'a str,
    username: &'a str,
    is_active: bool,
    email: &'a str,
    plan: &'a str,
    /// Null if there is none.
    vendor: Option<&'a [String]>,
}

impl<'a> User<'a> {
    #[must_use]
    pub fn of(account: &'a Account) -> Self {
        Self {
            id: account.id.as_str(),
            username: &account.username,
            is_active: account.is_active,
            email: &account.email,
            plan: &account.plan,
            vendor: vendor(account),
        }
    }
}

/// An account as `POST /user/auth` shows it: with its scopes, by which a published Terraform provider
/// decides who is an administrator.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignedInUser<'a> {
    id: &'a str,
    username: &'a str,
    is_active: bool,
    email: &'a str,
    plan: &'a str,
    /// Null if there is none.
    vendor: Option<&'a [String]>,
    scope: Vec<&'a str>,
}

impl<'a> SignedInUser<'a> {
    #[must_use]
    pub fn of(account: &'a Account) -> Self {
        Self {
            id: account.id.as_str(),
            username: &account.username,
            is_active: account.is_active,
            email: &account.email,
            plan: &account.plan,
            vendor: vendor(account),
            scope: account.scopes.iter().collect(),
        }
    }
}

/// The caller's account as `GET /user` shows it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CurrentUser<'a> {
    id: &'a str,
    username: &'a str,
    is_active: bool,
    email: &'a str,
    scope: Vec<&'a str>,
    plan: &'a str,
    /// Only in the response to `GET /user`, and only if it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, required = false)]
    metadata: Option<&'a Metadata>,
}

impl<'a> CurrentUser<'a> {
    #[must_use]
    pub fn of(account: &'a Account) -> Self {
        Self {
            id: account.id.as_str(),
            username: &account.username,
            is_active: account.is_active,
            email: &account.email,
            scope: account.scopes.iter().collect(),
            plan: &account.plan,
            metadata: None,
        }
    }

    #[must_use]
    pub fn with_metadata(self, metadata: Option<&'a Metadata>) -> Self {
        Self { metadata, ..self }
    }
}

/// An account as administrators see it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManagedUser<'a> {
    id: &'a str,
    /// The same as `id`.
    user_id: &'a str,
    username: &'a str,
    /// Whether the email is verified.
    is_active: bool,
    email: &'a str,
    scope: Vec<&'a str>,
    plan: &'a str,
    /// Null if there is none.
    vendor: Option<&'a [String]>,
    #[schema(format = DateTime)]
    created: Option<String>,
    /// Whether nobody can sign in to it.
    disabled: bool,
    /// Only if it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, required = false)]
    metadata: Option<&'a Metadata>,
}

impl<'a> ManagedUser<'a> {
    #[must_use]
    pub fn of(described: &'a DescribedAccount) -> Self {
        Self::with_metadata(&described.account, described.metadata.as_ref())
    }

    #[must_use]
    pub fn with_metadata(account: &'a Account, metadata: Option<&'a Metadata>) -> Self {
        Self {
            id: account.id.as_str(),
            user_id: account.id.as_str(),
            username: &account.username,
            is_active: account.is_active,
            email: &account.email,
            scope: account.scopes.iter().collect(),
            plan: &account.plan,
            vendor: vendor(account),
            created: account.created_at.to_rfc3339(),
            disabled: account.is_disabled(),
            metadata,
        }
    }
}

/// An example for the API's description.
#[must_use]
pub fn managed_user_example() -> serde_json::Value {
    serde_json::json!({
        "id": "6b03f80b55d568306a5d0d6c",
        "userId": "6b03f80b55d568306a5d0d6c",
        "username": "abc@example.com",
        "isActive": false,
        "email": "abc@example.com",
        "scope": ["user"],
        "plan": "free",
        "vendor": null,
        "created": "2026-11-23T08:23:39.391Z",
        "disabled": false,
        "metadata": {"team": "blue"},
    })
}

/// An example for the API's description.
#[must_use]
pub fn current_user_example() -> serde_json::Value {
    serde_json::json!({
        "id": "6b03f80b55d568306a5d0d6c",
        "username": "abc@example.com",
        "isActive": false,
        "email": "abc@example.com",
        "scope": ["user"],
        "plan": "free",
    })
}

fn vendor(account: &Account) -> Option<&[String]> {
    (!account.vendor.is_empty()).then_some(&account.vendor)
}
