//! Mail and webhooks to send, and the one-time codes in them.

use std::fmt;
use std::time::Duration;

use super::{Account, AccountId, Timestamp, is_hex};

/// What a mail or a webhook is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailPurpose {
    Code(CodePurpose),
    Notice(Notice),
    /// A webhook tells of a new account.
    UserCreated,
}

/// The only thing that a one-time code allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodePurpose {
    VerifyEmail,
    ResetPassword,
    ChangeEmail,
}

/// What an account's owner is told, whoever did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    PasswordChanged,
    /// Another email was asked for, and is not confirmed yet.
    EmailChangeAsked,
    EmailChanged,
    ApiKeyCreated,
    AccountDeleted,
}

impl CodePurpose {
    /// The name in items, logs and templates.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify-email",
            Self::ResetPassword => "reset-password",
            Self::ChangeEmail => "change-email",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match MailPurpose::from_name(name)? {
            MailPurpose::Code(purpose) => Some(purpose),
            MailPurpose::Notice(_) | MailPurpose::UserCreated => None,
        }
    }
}

impl MailPurpose {
    pub const ALL: [Self; 9] = [
        Self::Code(CodePurpose::VerifyEmail),
        Self::Code(CodePurpose::ResetPassword),
        Self::Code(CodePurpose::ChangeEmail),
        Self::Notice(Notice::PasswordChanged),
        Self::Notice(Notice::EmailChangeAsked),
        Self::Notice(Notice::EmailChanged),
        Self::Notice(Notice::ApiKeyCreated),
        Self::Notice(Notice::AccountDeleted),
        Self::UserCreated,
    ];

    /// The name in items, logs and templates.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Code(purpose) => purpose.name(),
            Self::Notice(Notice::PasswordChanged) => "password-changed",
            Self::Notice(Notice::EmailChangeAsked) => "email-change-asked",
            Self::Notice(Notice::EmailChanged) => "email-changed",
            Self::Notice(Notice::ApiKeyCreated) => "api-key-created",
            Self::Notice(Notice::AccountDeleted) => "account-deleted",
            Self::UserCreated => "user-created",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }

    /// How long after the request the mail or webhook may be sent, and its code used.
    #[must_use]
    pub fn lifetime(self) -> Duration {
        match self {
            Self::Code(CodePurpose::VerifyEmail) | Self::Notice(_) | Self::UserCreated => {
                Duration::from_hours(24)
            }
            Self::Code(CodePurpose::ResetPassword | CodePurpose::ChangeEmail) => {
                Duration::from_hours(1)
            }
        }
    }
}

/// The id of an item of the outbox: the time when it was asked for in milliseconds, and random bits. Sorts by the
/// time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutboxId(String);

impl OutboxId {
    pub(crate) fn new(id: String) -> Self {
        Self(id)
    }

    /// The first id in the order of those of this time.
    #[must_use]
    pub fn first_at(now: Timestamp) -> Self {
        Self(format!("{:012x}{:020x}", now.millis(), 0))
    }

    /// `None` unless `text` is 32 lower-case hex characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 32 && is_hex(text)).then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OutboxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an account had when a code was asked for. The code is void once one of these has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedUnder {
    /// In canonical form.
    pub email: String,
    pub password_version: u64,
    /// Disabling an account raises it.
    pub session_generation: u64,
}

impl AskedUnder {
    #[must_use]
    pub fn of(account: &Account) -> Self {
        Self {
            email: account.email_canonical.clone(),
            password_version: account.password_version,
            session_generation: account.session_generation,
        }
    }
}

/// How an item of the outbox is sent. Each way has a queue of its own, so that a slow receiver of webhooks
/// holds up no mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    Mail,
    Webhook,
}

impl Channel {
    /// What the keys of its items begin with.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Mail => "outbox#",
            Self::Webhook => "webhook#",
        }
    }
}

/// A mail or a webhook to send. It has no code: the function that sends it derives the code from the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxItem {
    pub id: OutboxId,
    pub channel: Channel,
    pub recipient: Recipient,
    pub asked_at: Timestamp,
}

/// A message of a queue, which names an item of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    pub id: OutboxId,
    pub channel: Channel,
    /// How often it was received, this time included.
    pub times: u32,
}

/// Whom a mail or a webhook is for, and with that its purpose.
#[derive(Clone, PartialEq, Eq)]
pub enum Recipient {
    /// Gets a code that verifies the address, which is in canonical form, unless the account has another
    /// one by then.
    Unverified { account: AccountId, address: String },
    /// Gets a code that resets the password, if an account has the address, which is in canonical form.
    PasswordReset { address: String },
    /// Gets a code at a new address, which is as typed, for an account that has not changed since it was
    /// asked for.
    EmailChange {
        account: AccountId,
        new_email: String,
        asked_under: AskedUnder,
    },
    /// Is told what was done to the account, which may be gone by then.
    Notified {
        notice: Notice,
        account: AccountId,
        /// Where the mail goes.
        address: String,
        /// Whether the account's email was verified.
        is_verified: bool,
    },
    /// The receiver of a webhook is told of a new account.
    Created { account: AccountId },
}

impl Recipient {
    #[must_use]
    pub fn purpose(&self) -> MailPurpose {
        match self {
            Self::Unverified { .. } => MailPurpose::Code(CodePurpose::VerifyEmail),
            Self::PasswordReset { .. } => MailPurpose::Code(CodePurpose::ResetPassword),
            Self::EmailChange { .. } => MailPurpose::Code(CodePurpose::ChangeEmail),
            Self::Notified { notice, .. } => MailPurpose::Notice(*notice),
            Self::Created { .. } => MailPurpose::UserCreated,
        }
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({})", self.purpose().name())
    }
}

impl OutboxItem {
    /// When it is no longer sent and its code is no longer valid.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.asked_at.plus(self.recipient.purpose().lifetime())
    }
}

/// The SHA-256 of a one-time code, by which the code is stored and found.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeDigest(String);

impl CodeDigest {
    pub(crate) fn from_hex(hex: String) -> Self {
        Self(hex)
    }

    #[must_use]
    pub fn as_hex(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CodeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeDigest(redacted)")
    }
}

/// A one-time code as stored: its purpose, its account, and what of the account it depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailedCode {
    pub purpose: CodePurpose,
    /// The mail or webhook that the code was sent in.
    pub outbox: OutboxId,
    pub account: AccountId,
    /// The account's canonical email when the code was stored.
    pub address: String,
    /// The account's when the code was stored.
    pub password_version: u64,
    /// The new address, as typed, and the account's session generation when it was asked for. Only a code
    /// that changes the email has these.
    pub change: Option<(String, u64)>,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_read_by_its_name() {
        for purpose in MailPurpose::ALL {
            assert_eq!(MailPurpose::from_name(purpose.name()), Some(purpose));
        }
        assert_eq!(MailPurpose::from_name("Verify-email"), None);
        assert_eq!(CodePurpose::from_name("password-changed"), None);
    }

    #[test]
    fn an_outbox_id_is_32_hex_characters() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(OutboxId::parse(id).unwrap().as_str(), id);
        for text in ["", "0123", &id.to_uppercase(), &format!("{id}0"), "é"] {
            assert_eq!(OutboxId::parse(text), None, "{text}");
        }
    }
}
