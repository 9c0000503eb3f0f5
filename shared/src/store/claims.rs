//! `email#<canonical>` and `username#<canonical>`: who holds a name, and the hash of their password.
//!
//! A sign-in reads one claim and can verify. An account whose username is its email holds one
//! claim, the email's: no look-up of a name with `@` goes anywhere else.

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};

use super::error::failed_conditions;
use super::item::update_in_transaction;
use super::item::{Attributes, Item, n, new_item, s};
use super::{PK, Store, StoreError};
use crate::crypto::PasswordHash;
use crate::domain::{Account, AccountId, Identifier};

/// Who holds a name.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The holder.
    pub account: AccountId,
    /// The hash of the holder's password.
    pub password_hash: PasswordHash,
    /// Which of the holder's passwords that is.
    pub password_version: u64,
}

impl Store {
    /// The claim on an identifier, if anybody holds it. One read, also for an identifier that
    /// nobody can hold, so that the time taken does not tell them apart.
    pub async fn claim(&self, identifier: &Identifier) -> Result<Option<Claim>, StoreError> {
        let key = match identifier {
            Identifier::Email(canonical) => email_key(canonical),
            Identifier::Username(canonical) => username_key(canonical),
            Identifier::Nobody(_) => username_key(""),
        };
        self.user_item(key)
            .await?
            .as_ref()
            .map(from_item)
            .transpose()
    }

    /// Replaces the hash `old` in all of the account's claims by `new`, or, where one of them
    /// holds another hash by now, in none.
    pub async fn replace_hash(
        &self,
        account: &Account,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        let updates = claim_keys(account)
            .map(|key| self.replace_hash_in(key, old, new))
            .collect::<Result<Vec<_>, _>>()?;
        self.retrying(|| async {
            let written = self
                .client
                .transact_write_items()
                .set_transact_items(Some(updates.clone()))
                .send()
                .await;
            match written {
                Ok(_) => Ok(()),
                Err(error) => failed_conditions(error).map(|_| ()),
            }
        })
        .await
    }

    fn replace_hash_in(
        &self,
        key: String,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.tables.users)
            .key(PK, s(key))
            .update_expression("SET password_hash = :new")
            .condition_expression("password_hash = :old")
            .expression_attribute_values(":old", s(old.as_phc()))
            .expression_attribute_values(":new", s(new.as_phc()));
        update_in_transaction(update)
    }
}

/// The claims of a new account, as items.
pub(super) fn claim_items(
    account: &Account,
    hash: &PasswordHash,
) -> impl Iterator<Item = Attributes> {
    claim_keys(account).map(move |key| {
        let mut item = new_item(key);
        item.insert("account_id".to_owned(), s(account.id.as_str()));
        item.insert("password_hash".to_owned(), s(hash.as_phc()));
        item.insert("password_version".to_owned(), n(account.password_version));
        item
    })
}

fn claim_keys(account: &Account) -> impl Iterator<Item = String> {
    let username = account.username_canonical.as_deref().map(username_key);
    std::iter::once(email_key(&account.email_canonical)).chain(username)
}

fn email_key(canonical: &str) -> String {
    format!("email#{canonical}")
}

fn username_key(canonical: &str) -> String {
    format!("username#{canonical}")
}

fn from_item(attributes: &Attributes) -> Result<Claim, StoreError> {
    let item = Item::new("claim", attributes)?;
    let account = AccountId::parse(item.string("account_id")?);
    let password_hash = PasswordHash::parse(item.string("password_hash")?);
    Ok(Claim {
        account: account.map_err(|_| item.unreadable("account_id"))?,
        password_hash: password_hash.map_err(|_| item.unreadable("password_hash"))?,
        password_version: item.number("password_version")?,
    })
}
