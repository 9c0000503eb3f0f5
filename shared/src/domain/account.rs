//! Accounts.

use std::time::Duration;

use super::email::mail_address;
use super::{
    AccountId, Email, EmailVerification, Identifier, OutboxId, Scope, Scopes, Timestamp, Username,
};

/// A stored account, without its password hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Never changes and is never reused.
    pub id: AccountId,
    /// As typed.
    pub username: String,
    /// The form for lookups; `None` if the username is the email.
    pub username_canonical: Option<String>,
    /// As typed.
    pub email: String,
    /// The form for lookups.
    pub email_canonical: String,
    /// Whether the email is verified. Without it an account can still be used, unless `EMAIL_VERIFICATION`
    /// is `required`.
    pub is_active: bool,
    /// `free` until the operator changes it.
    pub plan: String,
    /// The vendors that the account belongs to.
    pub vendor: Vec<String>,
    /// What the account may do now. A token's claims grant nothing more.
    pub scopes: Scopes,
    /// Incremented with each new password. A sign-in fails if it changed after the password was
    /// verified.
    pub password_version: u64,
    /// A session carries the generation at its start. Raising it ends all sessions.
    pub session_generation: u64,
    /// An API key carries the generation it was created under. Raising it ends all keys.
    pub key_generation: u64,
    /// When the key generation was last raised.
    pub keys_ended_at: Option<Timestamp>,
    /// `None` unless the account is disabled.
    pub disabled_at: Option<Timestamp>,
    /// Incremented with each change but a sign-in. A change is written only over the revision that was
    /// read.
    pub revision: u64,
    /// The outbox id of the only code that resets the password. After a change that voids codes it is the first id of
    /// that time, which no code has. `None` if there was neither.
    pub reset_code: Option<OutboxId>,
    pub created_at: Timestamp,
    /// When an account whose email was never verified is gone, in whole seconds. `None` for never.
    pub expires_at: Option<Timestamp>,
    /// The last successful sign-in; `None` before the first.
    pub last_login: Option<Timestamp>,
}

/// Whether an account can have these vendors: at most 16, each 1 to 64 bytes without control
/// characters.
#[must_use]
pub fn is_vendor_list(vendors: &[String]) -> bool {
    let is_vendor =
        |vendor: &String| (1..=64).contains(&vendor.len()) && !vendor.chars().any(char::is_control);
    vendors.len() <= 16 && vendors.iter().all(is_vendor)
}

impl Account {
    /// What it can sign in with: its email, and its username if that is not the email.
    pub fn identifiers(&self) -> impl Iterator<Item = Identifier> {
        let username = self.username_canonical.clone().map(Identifier::Username);
        std::iter::once(self.email_identifier()).chain(username)
    }

    #[must_use]
    pub fn email_identifier(&self) -> Identifier {
        Identifier::Email(self.email_canonical.clone())
    }

    /// A new account: inactive, on the free plan, with the scope `user`.
    #[must_use]
    pub fn new(
        id: AccountId,
        email: &Email,
        username: &Username,
        vendor: Vec<String>,
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
            session_generation: 1,
            key_generation: 1,
            keys_ended_at: None,
            disabled_at: None,
            revision: 1,
            reset_code: None,
            created_at: now,
            expires_at: None,
            last_login: None,
        }
    }

    /// Where mail goes.
    #[must_use]
    pub fn mail_address(&self) -> String {
        mail_address(&self.email, &self.email_canonical)
    }

    /// The account is gone that long after its creation, rounded up to a second, unless its email is verified
    /// or it becomes an administrator.
    #[must_use]
    pub fn expiring_after(self, lifetime: Duration) -> Self {
        let expires_at = self
            .created_at
            .plus(lifetime)
            .plus(Duration::from_millis(999));
        Self {
            expires_at: Some(Timestamp::from_secs(expires_at.secs())),
            ..self
        }
    }

    /// Whether the account is gone, although DynamoDB may not have deleted it yet.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| now >= expires_at)
    }

    /// The account stays from then on.
    #[must_use]
    pub fn with_email_verified(self) -> Self {
        Self {
            is_active: true,
            expires_at: None,
            ..self
        }
    }

    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.disabled_at.is_some()
    }

    /// Whether the account lacks a verified email that it needs.
    #[must_use]
    pub fn lacks_verification(&self, verification: EmailVerification) -> bool {
        !self.is_active && verification == EmailVerification::Required
    }

    /// Whether the account has the scope `admin` and is not disabled.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        !self.is_disabled() && self.scopes.has_any(&[Scope::admin()])
    }

    /// An administrator's account stays.
    #[must_use]
    pub fn with_scopes(self, scopes: Scopes) -> Self {
        let stays = scopes.has_any(&[Scope::admin()]);
        Self {
            scopes,
            expires_at: self.expires_at.filter(|_| !stays),
            ..self
        }
    }

    /// Another email is not verified, and voids the codes that reset the password. A username that is the
    /// email changes with it.
    #[must_use]
    pub fn with_email(self, email: &Email, now: Timestamp) -> Self {
        let is_same = self.email_canonical == email.canonical();
        let username = match self.username_canonical {
            Some(_) => self.username,
            None => email.typed().to_owned(),
        };
        Self {
            username,
            is_active: self.is_active && is_same,
            reset_code: if is_same {
                self.reset_code
            } else {
                Some(OutboxId::first_at(now))
            },
            email: email.typed().to_owned(),
            email_canonical: email.canonical().to_owned(),
            ..self
        }
    }

    #[must_use]
    pub fn with_username(self, username: &Username) -> Self {
        Self {
            username: username.typed().to_owned(),
            username_canonical: username.canonical().map(str::to_owned),
            ..self
        }
    }

    #[must_use]
    pub fn with_sessions_ended(self) -> Self {
        Self {
            session_generation: self.session_generation.saturating_add(1),
            ..self
        }
    }

    /// Sessions end with them in each use, because a session can create a key.
    #[must_use]
    pub fn with_api_keys_ended(self, now: Timestamp) -> Self {
        Self {
            key_generation: self.key_generation.saturating_add(1),
            keys_ended_at: Some(now),
            ..self
        }
    }

    /// Ends the sessions too, and voids the codes that reset the password.
    #[must_use]
    pub fn with_password_changed(self, now: Timestamp) -> Self {
        Self {
            password_version: self.password_version.saturating_add(1),
            reset_code: Some(OutboxId::first_at(now)),
            ..self.with_sessions_ended()
        }
    }

    /// Ends the sessions too, and voids the codes that reset the password. An account that is disabled already
    /// keeps its time.
    #[must_use]
    pub fn disabled(self, now: Timestamp) -> Self {
        Self {
            disabled_at: self.disabled_at.or(Some(now)),
            reset_code: Some(OutboxId::first_at(now)),
            ..self.with_sessions_ended()
        }
    }

    /// Sessions from before it was disabled stay ended.
    #[must_use]
    pub fn enabled(self) -> Self {
        Self {
            disabled_at: None,
            ..self.with_sessions_ended()
        }
    }
}
