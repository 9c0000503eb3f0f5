//! The user object of Appmixer's sign-up and sign-in.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Account;

/// An account as `POST /user` and `POST /user/auth` show it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User<'a> {
    id: &'a str,
    username: &'a str,
    is_active: bool,
    email: &'a str,
    plan: &'a str,
    vendor: Option<&'a str>,
}

/// An example for the API description.
#[must_use]
pub fn example() -> serde_json::Value {
    serde_json::json!({
        "id": "6b03f80b55d568306a5d0d6c",
        "username": "abc@example.com",
        "isActive": false,
        "email": "abc@example.com",
        "plan": "free",
        "vendor": null,
    })
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
            vendor: account.vendor.as_deref(),
        }
    }
}
