//! Accounts.

use super::{AccountId, Email, Scopes, Timestamp, Username};

/// An account as it is stored, without its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Never changes and is never given to another.
    pub id: AccountId,
    /// The name as it was typed at sign-up.
    pub username: String,
    /// The canonical username, under which it can be found; `None` where it is the email.
    pub username_canonical: Option<String>,
    /// The address as it was typed at sign-up.
    pub email: String,
    /// The canonical address, under which the account can be found.
    pub email_canonical: String,
    /// Set by the operator. An account that is not active may still sign in.
    pub is_active: bool,
    /// The plan's name: `free` until the operator says otherwise.
    pub plan: String,
    /// The vendor the account belongs to, if any.
    pub vendor: Option<String>,
    /// What the account may do, as of now: claims in a token never widen it.
    pub scopes: Scopes,
    /// Counts the account's passwords. A sign-in counts only if this is still the one it verified.
    pub password_version: u64,
    /// Tokens carry the generation they were issued in; an older one is dead.
    pub generation: u64,
    /// When the account was made.
    pub created_at: Timestamp,
    /// The last successful sign-in; `None` before the first.
    pub last_login: Option<Timestamp>,
}

impl Account {
    /// A new account: inactive, on the free plan, with the scope `user`.
    #[must_use]
    pub fn new(
        id: AccountId,
        email: &Email,
        username: &Username,
        vendor: Option<String>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            username: username.typed().to_owned(),
            username_canonical: username.canonical().map(str::to_owned),
            email: email.typed().to_owned(),
            email_canonical: email.canonical().to_owned(),
            is_active: false,
            plan: "free".to_owned(),
            vendor,
            scopes: Scopes::of_new_account(),
            password_version: 1,
            generation: 1,
            created_at: now,
            last_login: None,
        }
    }
}
