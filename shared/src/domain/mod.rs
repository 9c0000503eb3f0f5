//! The rules, without I/O, AWS or HTTP. A value of one of these types has passed its checks.

mod account;
mod account_id;
mod api_key;
mod deletion;
mod email;
mod email_verification;
mod hash_params;
mod identifier;
mod lifetime;
mod limit;
mod mail;
mod metadata;
mod password;
mod policy;
mod precis;
mod profile;
mod refresh;
mod scope;
mod session;
mod setting;
mod sign_in_record;
mod signing_algorithm;
mod source_ip;
mod timestamp;
mod username;

pub use account::{Account, is_vendor_list};
pub use account_id::{AccountId, InvalidAccountId};
pub use api_key::{
    ApiKey, ApiKeyDescription, ApiKeyDigest, ApiKeyName, MAX_LIVE_API_KEYS, Permission, Permissions,
};
pub use deletion::{Deletion, DeletionStatus};
pub use email::{Email, InvalidEmail};
pub use email_verification::EmailVerification;
pub use hash_params::{HashParams, InvalidHashParams, PreviousHashParams};
pub use identifier::Identifier;
pub use lifetime::{InvalidLifetime, Lifetime};
pub use limit::{Limit, RateLimitStatus, Tally};
pub use mail::{
    AskedUnder, Channel, CodeDigest, CodePurpose, MailPurpose, MailedCode, Notice, OutboxId,
    OutboxItem, OutboxMessage, Recipient,
};
pub use metadata::{
    InvalidMetadata, MAX_METADATA_BYTES, MAX_METADATA_DEPTH, Metadata, MetadataChange,
};
pub use password::{InvalidPassword, MAX_PASSWORD_BYTES, Password, PasswordPolicy};
pub use policy::{Limits, RateLimitPolicy};
pub use profile::{
    FieldValue, InvalidValue, MAX_SETTINGS, MAX_SETTINGS_AT_ONCE, Profile, ProfileDelta,
    ProfileField, ProfileUpdate,
};
pub use refresh::{Refresh, TokenUse};
pub use scope::{Scope, Scopes};
pub use session::{Client, Session, UserAgent};
pub use setting::{InvalidSetting, NewSetting, Setting, SettingChange, SettingType};
pub use sign_in_record::{Familiarity, SignInRecord};
pub use signing_algorithm::SigningAlgorithm;
pub use source_ip::{SourceIp, SourceNetwork};
pub use timestamp::Timestamp;
pub use username::{InvalidUsername, MAX_USERNAME_CHARS, Username};

/// Whether the text has only hexadecimal digits, lower case.
pub(crate) fn is_hex(text: &str) -> bool {
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.bytes().all(is_digit)
}

/// The longest canonical form of an email or a username, in bytes of UTF-8.
const MAX_CANONICAL_BYTES: usize = 512;
