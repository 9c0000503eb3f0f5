//! `email#<canonical>` or `username#<canonical>`, `claim`: the account with this name, and its
//! password hash.
//!
//! A sign-in reads one claim to verify a password. An account whose username is its email has only
//! the email claim, because an identifier with `@` is always looked up as an email.

use aws_sdk_dynamodb::types::{
    Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use super::item::{
    Attributes, Item, Key, n, new_item, put_in_transaction, s, update_in_transaction,
};
use super::transaction::Transaction;
use super::{Store, StoreError};
use crate::crypto::PasswordHash;
use crate::domain::{Account, AccountId, Identifier, Timestamp};

/// An account's claim on an email or username.
#[derive(Debug, Clone)]
pub struct Claim {
    pub account: AccountId,
    pub password_hash: PasswordHash,
    /// The version of the account's password that `password_hash` was made from.
    pub password_version: u64,
    /// The account's. A session that this claim's password starts carries it.
    pub session_generation: u64,
    /// Whether the account is disabled.
    pub is_disabled: bool,
    /// The account's.
    expires_at: Option<Timestamp>,
}

impl Store {
    /// Looks up the claim on an identifier with one read. An identifier that no account can have
    /// takes one read too, so that response times do not differ.
    pub async fn claim(&self, identifier: &Identifier) -> Result<Option<Claim>, StoreError> {
        let item = self.user_item(&claim_key(identifier)).await?;
        let claim = item.as_ref().map(from_item).transpose()?;
        let now = self.clock.now();
        Ok(claim.filter(|claim| claim.expires_at.is_none_or(|expires_at| now < expires_at)))
    }

    /// The account that has this email or username now.
    pub async fn account_with(
        &self,
        identifier: &Identifier,
    ) -> Result<Option<Account>, StoreError> {
        match self.claim(identifier).await? {
            Some(claim) => self.account(&claim.account).await,
            None => Ok(None),
        }
    }

    /// Puts a claim, as part of a transaction that fails if another account has it. That of an account that
    /// has expired is taken over.
    pub(super) fn put_claim(&self, item: Attributes) -> Result<TransactWriteItem, StoreError> {
        put_in_transaction(
            Put::builder()
                .table_name(&self.tables.users)
                .set_item(Some(item))
                .condition_expression("attribute_not_exists(pk) OR expires_at <= :now")
                .expression_attribute_values(":now", n(self.clock.now().secs()))
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                ),
        )
    }

    /// Replaces the hash `old` with `new` in all claims of the account. Writes nothing, and returns
    /// `false`, if one no longer has `old`, or the account is no longer as it was read: it may have another
    /// claim.
    pub async fn replace_hash(
        &self,
        account: &Account,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError> {
        let mut writes = claim_keys(account)
            .map(|key| self.replace_hash_in(&key, old, new))
            .collect::<Result<Vec<_>, _>>()?;
        writes.push(self.check_revision(account)?);
        let replaced = self.transact(writes).await?;
        Ok(matches!(replaced, Transaction::Written))
    }

    fn replace_hash_in(
        &self,
        key: &Key,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.tables.users)
            .set_key(Some(key.attributes()))
            .update_expression("SET password_hash = :new")
            .condition_expression("password_hash = :old")
            .expression_attribute_values(":old", s(old.as_phc()))
            .expression_attribute_values(":new", s(new.as_phc()));
        update_in_transaction(update)
    }
}

/// A new claim of the account. It has the account's versions, so that a password that it verifies counts
/// only while the account has them.
pub(super) fn claim_item(key: &Key, account: &Account, hash: &PasswordHash) -> Attributes {
    let mut item = new_item(key);
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set("account_id", s(account.id.as_str()));
    set("password_hash", s(hash.as_phc()));
    set("password_version", n(account.password_version));
    set("session_generation", n(account.session_generation));
    if let Some(disabled_at) = account.disabled_at {
        set("disabled_at", n(disabled_at.millis()));
    }
    if let Some(expires_at) = account.expires_at {
        set("expires_at", n(expires_at.secs()));
    }
    item
}

pub(super) fn claim_keys(account: &Account) -> impl Iterator<Item = Key> {
    account
        .identifiers()
        .map(|identifier| claim_key(&identifier))
}

fn claim_key(identifier: &Identifier) -> Key {
    let pk = match identifier {
        Identifier::Email(canonical) => format!("email#{canonical}"),
        Identifier::Username(canonical) => format!("username#{canonical}"),
        Identifier::Invalid(_) => "username#".to_owned(),
    };
    Key::new(pk, "claim")
}

fn from_item(attributes: &Attributes) -> Result<Claim, StoreError> {
    let item = Item::new("claim", attributes)?;
    let password_hash = PasswordHash::parse(item.string("password_hash")?);
    Ok(Claim {
        account: item.account_id("account_id")?,
        password_hash: password_hash.map_err(|_| item.unreadable("password_hash"))?,
        password_version: item.number("password_version")?,
        session_generation: item.number("session_generation")?,
        is_disabled: item.optional_number::<i64>("disabled_at")?.is_some(),
        expires_at: item
            .optional_number("expires_at")?
            .map(Timestamp::from_secs),
    })
}
