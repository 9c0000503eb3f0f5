//! `user#<id>`, `account`: the account.

use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, Put, ReturnValue, TransactWriteItem,
};

use super::claims::{Claim, claim_item, claim_keys};
use super::error::is_failed_condition;
use super::item::{Attributes, Item, Key, n, new_item, put_in_transaction, s};
use super::item_update::ItemUpdate;
use super::listing::add_to_index;
use super::requests::Updated;
use super::sessions::session_item;
use super::transaction::Transaction;
use super::{PK, Store, StoreError};
use crate::crypto::PasswordHash;
use crate::domain::{
    Account, AccountId, EmailVerification, MetadataChange, OutboxId, OutboxItem, Scope, Scopes,
    Session, Timestamp,
};

/// The outcome of [`Store::add_account`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    Stored,
    /// Another account has the email or username. Nothing was stored.
    Taken,
    /// Another account has the id. Nothing was stored.
    IdCollision,
}

/// What is written with a new account.
#[derive(Debug)]
pub struct NewAccount<'a> {
    pub account: &'a Account,
    pub hash: &'a PasswordHash,
    pub session: &'a Session,
    pub metadata: Option<&'a MetadataChange>,
    pub outbox: &'a [OutboxItem],
}

impl Store {
    /// Adds the account, its claims on email and username, its first session and, if there are any, its
    /// metadata and items of the outbox in one transaction. Of racing sign-ups for one name exactly one
    /// returns `Stored`.
    ///
    /// A retry that finds this account's own claims returns `Stored` too.
    pub async fn add_account(&self, new: &NewAccount<'_>) -> Result<Added, StoreError> {
        let NewAccount {
            account,
            hash,
            session,
            ..
        } = new;
        let mut puts = vec![self.put_new(to_item(account))?];
        for key in claim_keys(account) {
            puts.push(self.put_claim(claim_item(&key, account, hash))?);
        }
        puts.push(self.put_new(session_item(session))?);
        if let Some(metadata) = new.metadata {
            puts.push(self.change_metadata(&account.id, metadata)?);
        }
        for item in new.outbox {
            puts.push(self.post_in_transaction(item)?);
        }
        Ok(match self.transact(puts).await? {
            Transaction::Written => Added::Stored,
            Transaction::Failed(reasons) => why_not_added(&reasons, &account.id),
        })
    }

    /// Puts an item in the users table, as part of a transaction that fails if its key exists.
    pub(super) fn put_new(&self, item: Attributes) -> Result<TransactWriteItem, StoreError> {
        put_in_transaction(
            Put::builder()
                .table_name(&self.tables.users)
                .set_item(Some(item))
                .condition_expression("attribute_not_exists(pk)"),
        )
    }

    /// Returns `None` if the account does not exist, is deleted or has expired.
    pub async fn account(&self, id: &AccountId) -> Result<Option<Account>, StoreError> {
        let item = self.user_item(&account_key(id)).await?;
        self.live_account(item.as_ref())
    }

    /// The account in an item, unless it has expired.
    pub(super) fn live_account(
        &self,
        item: Option<&Attributes>,
    ) -> Result<Option<Account>, StoreError> {
        let now = self.clock.now();
        let account = item.map(from_item).transpose()?;
        Ok(account.filter(|account| !account.is_expired(now)))
    }

    /// Sets the last login of the claim's account and returns the account as it was before. Returns `None`
    /// if the account does not exist, its email has to be verified and is not, or its password or session
    /// generation has changed since the claim was read. Disabling an account raises the generation, so this
    /// returns `None` then too.
    pub(super) async fn record_login(
        &self,
        claim: &Claim,
        now: Timestamp,
        verification: EmailVerification,
    ) -> Result<Option<Account>, StoreError> {
        let mut update = ItemUpdate::default();
        update.require("password_version", n(claim.password_version));
        update.require("session_generation", n(claim.session_generation));
        if verification == EmailVerification::Required {
            update.require("is_active", AttributeValue::Bool(true));
        }
        update.set("last_login", n(now.millis()));
        let update = update.of(&self.tables.users, &account_key(&claim.account));
        let updated = self.update_returning(update.build()?, ReturnValue::AllOld);
        match updated.await? {
            Updated::Written(before) => self.live_account(before.as_ref()),
            Updated::ConditionFailed(_) => Ok(None),
        }
    }

    /// Gives the account the last login that it had before the one at `login`, unless a later one was recorded.
    pub(super) async fn restore_last_login(
        &self,
        before: &Account,
        login: Timestamp,
    ) -> Result<(), StoreError> {
        let mut update = ItemUpdate::default();
        update.require("last_login", n(login.millis()));
        match before.last_login {
            Some(last_login) => update.set("last_login", n(last_login.millis())),
            None => update.remove("last_login"),
        }
        let update = update.of(&self.tables.users, &account_key(&before.id));
        self.update_alone(update.build()?).await.map(|_| ())
    }
}

/// Interprets the reasons of a cancelled transaction. The first is the account's, those after it are its
/// claims'. The keys of the others are new.
fn why_not_added(reasons: &[CancellationReason], id: &AccountId) -> Added {
    let mut claims = reasons.iter().skip(1);
    match claims.find(|reason| is_failed_condition(reason)) {
        None => Added::IdCollision,
        Some(reason) => match reason.item().and_then(|claim| claim.get("account_id")) {
            Some(AttributeValue::S(holder)) if holder == id.as_str() => Added::Stored,
            _ => Added::Taken,
        },
    }
}

/// The attribute of [`Account::reset_code`].
pub(super) const RESET_CODE: &str = "reset_code";

pub(super) fn account_key(id: &AccountId) -> Key {
    Key::new(format!("user#{id}"), "account")
}

fn scopes_attribute(scopes: &Scopes) -> AttributeValue {
    AttributeValue::L(scopes.iter().map(s).collect())
}

pub(super) fn to_item(account: &Account) -> Attributes {
    let mut item = new_item(&account_key(&account.id));
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set("username", s(&account.username));
    set("email", s(&account.email));
    set("email_canonical", s(&account.email_canonical));
    set("is_active", AttributeValue::Bool(account.is_active));
    set("plan", s(&account.plan));
    set("scope", scopes_attribute(&account.scopes));
    set("password_version", n(account.password_version));
    set("session_generation", n(account.session_generation));
    set("key_generation", n(account.key_generation));
    set("revision", n(account.revision));
    set("created_at", n(account.created_at.millis()));
    if let Some(canonical) = &account.username_canonical {
        set("username_canonical", s(canonical));
    }
    if !account.vendor.is_empty() {
        let vendors = account.vendor.iter().map(s).collect();
        set("vendor", AttributeValue::L(vendors));
    }
    if let Some(ended_at) = account.keys_ended_at {
        set("keys_ended_at", n(ended_at.millis()));
    }
    if let Some(disabled_at) = account.disabled_at {
        set("disabled_at", n(disabled_at.millis()));
    }
    if let Some(reset_code) = &account.reset_code {
        set(RESET_CODE, s(reset_code.as_str()));
    }
    if let Some(expires_at) = account.expires_at {
        set("expires_at", n(expires_at.secs()));
    }
    if let Some(last_login) = account.last_login {
        set("last_login", n(last_login.millis()));
    }
    add_to_index(&mut item, account);
    item
}

pub(super) fn from_item(attributes: &Attributes) -> Result<Account, StoreError> {
    let item = Item::new("account", attributes)?;
    let reset_code = item.optional_string(RESET_CODE)?.map(OutboxId::parse);
    let id = item
        .string(PK)?
        .strip_prefix("user#")
        .and_then(|id| AccountId::parse(id).ok())
        .ok_or_else(|| item.unreadable(PK))?;
    let scopes: Option<Scopes> = item
        .strings("scope")?
        .into_iter()
        .map(Scope::parse)
        .collect();
    Ok(Account {
        id,
        username: item.string("username")?.to_owned(),
        username_canonical: item
            .optional_string("username_canonical")?
            .map(str::to_owned),
        email: item.string("email")?.to_owned(),
        email_canonical: item.string("email_canonical")?.to_owned(),
        is_active: item.boolean("is_active")?,
        plan: item.string("plan")?.to_owned(),
        vendor: item
            .optional_strings("vendor")?
            .unwrap_or_default()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        scopes: scopes.ok_or_else(|| item.unreadable("scope"))?,
        password_version: item.number("password_version")?,
        session_generation: item.number("session_generation")?,
        key_generation: item.number("key_generation")?,
        keys_ended_at: item.optional_time("keys_ended_at")?,
        disabled_at: item.optional_time("disabled_at")?,
        revision: item.number("revision")?,
        reset_code: reset_code
            .map(|id| id.ok_or_else(|| item.unreadable(RESET_CODE)))
            .transpose()?,
        created_at: item.time("created_at")?,
        expires_at: item
            .optional_number("expires_at")?
            .map(Timestamp::from_secs),
        last_login: item.optional_time("last_login")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Email, Username};

    fn account() -> Account {
        let email = Email::parse("abc@example.com").unwrap();
        let username = Username::parse("Abc", &email).unwrap();
        let id = AccountId::new(Timestamp::from_secs(1), [0; 5], 0);
        let now = Timestamp::from_millis(1_700_000_000_123);
        Account::new(
            id,
            &email,
            &username,
            vec!["acme".to_owned(), "umbrella".to_owned()],
            now,
        )
    }

    #[test]
    fn an_account_is_read_as_it_was_written() {
        let mut account = account();
        assert_eq!(from_item(&to_item(&account)).unwrap(), account);

        account.vendor = Vec::new();
        account.username_canonical = None;
        account.last_login = Some(Timestamp::from_millis(1_700_000_000_456));
        account.keys_ended_at = Some(Timestamp::from_millis(1_700_000_000_789));
        account.disabled_at = Some(Timestamp::from_millis(1_700_000_001_000));
        account.expires_at = Some(Timestamp::from_secs(1_700_086_400));
        account.reset_code = OutboxId::parse(&"a".repeat(32));
        assert_eq!(from_item(&to_item(&account)).unwrap(), account);
    }

    #[test]
    fn an_account_without_a_required_attribute_is_unreadable() {
        for name in [
            "v",
            "username",
            "email",
            "is_active",
            "plan",
            "scope",
            "session_generation",
            "key_generation",
            "revision",
        ] {
            let mut item = to_item(&account());
            item.remove(name);

            assert!(from_item(&item).is_err(), "{name}");
        }
    }
}
