//! `code#<digest>` in the sessions table: a one-time code that was sent.
//!
//! A code is stored once, when its item is first prepared. A used one stays, marked, until it expires:
//! so no second delivery of the item makes it usable again.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};

use super::accounts::account_key;
use super::item::{
    Attributes, Item, deletable, n, pk, put_in_transaction, s, update_in_transaction, version,
};
use super::{PK, Store, StoreError};
use crate::domain::{CodeDigest, CodePurpose, MailedCode, OutboxId};

/// The outcome of [`Store::add_code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddedCode {
    /// Stored now or before.
    Stored,
    /// The account has changed or has a newer code, so this one is never valid. Nothing was stored.
    Outdated,
}

impl Store {
    /// Stores the code unless it is stored already, used or not.
    ///
    /// A code that resets a password replaces the account's earlier one in the same transaction, if the
    /// account is enabled, still has the address and the password version, and has no newer code.
    pub async fn add_code(
        &self,
        digest: &CodeDigest,
        code: &MailedCode,
    ) -> Result<AddedCode, StoreError> {
        match code.purpose {
            CodePurpose::VerifyEmail | CodePurpose::ChangeEmail => {
                self.put_code(digest, code).await
            }
            CodePurpose::ResetPassword => self.put_newest_code(digest, code).await,
        }
    }

    async fn put_code(
        &self,
        digest: &CodeDigest,
        code: &MailedCode,
    ) -> Result<AddedCode, StoreError> {
        let put = self.client.put_item().table_name(&self.tables.sessions);
        let put = put.set_item(Some(to_item(digest, code)));
        self.put(put.condition_expression(IS_NEW)).await?;
        // If it was not new, an earlier delivery has stored it.
        Ok(AddedCode::Stored)
    }

    async fn put_newest_code(
        &self,
        digest: &CodeDigest,
        code: &MailedCode,
    ) -> Result<AddedCode, StoreError> {
        let put = Put::builder()
            .table_name(&self.tables.sessions)
            .set_item(Some(to_item(digest, code)))
            .condition_expression(IS_NEW);
        let failed = self.write_parts(vec![
            (put_in_transaction(put)?, AddedCode::Stored),
            (self.make_newest(code)?, AddedCode::Outdated),
        ]);
        Ok(failed.await?.unwrap_or(AddedCode::Stored))
    }

    fn make_newest(&self, code: &MailedCode) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.tables.users)
            .set_key(Some(account_key(&code.account).attributes()))
            .update_expression("SET reset_code = :id ADD revision :one")
            .condition_expression(
                "email_canonical = :address AND password_version = :version \
                 AND attribute_not_exists(disabled_at) \
                 AND (attribute_not_exists(reset_code) OR reset_code < :id)",
            )
            .expression_attribute_values(":id", s(code.outbox.as_str()))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":address", s(&code.address))
            .expression_attribute_values(":version", n(code.password_version));
        update_in_transaction(update)
    }

    /// Looks up a code with one strongly consistent read.
    pub async fn code(&self, digest: &CodeDigest) -> Result<Option<MailedCode>, StoreError> {
        let item = self.item(&self.tables.sessions, pk(key(digest))).await?;
        item.as_ref().map(from_item).transpose()
    }

    /// Marks a code as used, as part of a transaction that fails if it was used before.
    pub(super) fn use_code(&self, digest: &CodeDigest) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.tables.sessions)
            .set_key(Some(pk(key(digest))))
            .update_expression("SET used_at = :now")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(used_at)")
            .expression_attribute_values(":now", n(self.clock.now().millis()));
        update_in_transaction(update)
    }
}

const IS_NEW: &str = "attribute_not_exists(pk)";

fn key(digest: &CodeDigest) -> String {
    format!("code#{}", digest.as_hex())
}

fn to_item(digest: &CodeDigest, code: &MailedCode) -> Attributes {
    let mut item = Attributes::from([("v".to_owned(), version())]);
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set(PK, s(key(digest)));
    set("purpose", s(code.purpose.name()));
    set("outbox_id", s(code.outbox.as_str()));
    set("account_id", s(code.account.as_str()));
    set("address", s(&code.address));
    set("password_version", n(code.password_version));
    if let Some((new_email, session_generation)) = &code.change {
        set("new_email", s(new_email));
        set("session_generation", n(*session_generation));
    }
    set("valid_until", n(code.expires_at.millis()));
    set("expires_at", deletable(code.expires_at));
    if let Some(used_at) = code.used_at {
        set("used_at", n(used_at.millis()));
    }
    item
}

fn from_item(attributes: &Attributes) -> Result<MailedCode, StoreError> {
    let item = Item::new("code", attributes)?;
    let purpose = CodePurpose::from_name(item.string("purpose")?);
    let outbox = OutboxId::parse(item.string("outbox_id")?);
    Ok(MailedCode {
        purpose: purpose.ok_or_else(|| item.unreadable("purpose"))?,
        outbox: outbox.ok_or_else(|| item.unreadable("outbox_id"))?,
        account: item.account_id("account_id")?,
        address: item.string("address")?.to_owned(),
        password_version: item.number("password_version")?,
        change: match item.optional_string("new_email")? {
            Some(new_email) => Some((new_email.to_owned(), item.number("session_generation")?)),
            None => None,
        },
        expires_at: item.time("valid_until")?,
        used_at: item.optional_time("used_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AccountId, Timestamp};

    #[test]
    fn a_code_is_read_as_it_was_written() {
        let mut code = MailedCode {
            purpose: CodePurpose::ResetPassword,
            outbox: OutboxId::parse(&"a".repeat(32)).unwrap(),
            account: AccountId::new(Timestamp::from_secs(1), [0; 5], 0),
            address: "abc@example.com".to_owned(),
            password_version: 3,
            change: None,
            expires_at: Timestamp::from_millis(1_700_000_000_123),
            used_at: None,
        };
        let digest = CodeDigest::from_hex("0".repeat(64));
        assert_eq!(from_item(&to_item(&digest, &code)).unwrap(), code);

        code.used_at = Some(Timestamp::from_millis(1_700_000_000_456));
        code.change = Some(("Def@example.com".to_owned(), 7));
        assert_eq!(from_item(&to_item(&digest, &code)).unwrap(), code);
    }
}
