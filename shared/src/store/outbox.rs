//! `outbox#<id>` and `webhook#<id>` in the sessions table: a mail or a webhook to send. The table's stream
//! tells the functions `deliver` and `deliver-webhook` of a new one.
//!
//! An item has no code, and is never changed. It is deleted when it expires, sent or not.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};

use super::item::{Attributes, Item, deletable, n, pk, put_in_transaction, s, version};
use super::{PK, Store, StoreError};
use crate::domain::{
    AskedUnder, Channel, CodePurpose, MailPurpose, OutboxId, OutboxItem, Recipient,
};

impl Store {
    /// Adds several items to the outbox, or none of them.
    pub async fn post_all(&self, items: &[OutboxItem]) -> Result<(), StoreError> {
        let items = items.iter().map(|item| self.post_in_transaction(item));
        let writes: Vec<_> = items.collect::<Result<_, _>>()?;
        self.transact(writes).await.map(|_| ())
    }

    /// Adds an item to the outbox. Its cost does not depend on the recipient.
    pub async fn post(&self, item: &OutboxItem) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.tables.sessions);
        self.put(put.set_item(Some(attributes(item)))).await
    }

    /// [`Self::post`] as a part of a transaction.
    pub(super) fn post_in_transaction(
        &self,
        item: &OutboxItem,
    ) -> Result<TransactWriteItem, StoreError> {
        put_in_transaction(
            Put::builder()
                .table_name(&self.tables.sessions)
                .set_item(Some(attributes(item))),
        )
    }

    /// Returns `None` if there is no such item, or not any more.
    pub async fn outbox_item(
        &self,
        channel: Channel,
        id: &OutboxId,
    ) -> Result<Option<OutboxItem>, StoreError> {
        let item = self
            .item(&self.tables.sessions, pk(key(channel, id)))
            .await?;
        let item = item.as_ref();
        item.map(|item| outbox_item(channel, id, item)).transpose()
    }
}

fn key(channel: Channel, id: &OutboxId) -> String {
    format!("{}{id}", channel.prefix())
}

fn attributes(item: &OutboxItem) -> Attributes {
    let mut attributes = Attributes::from([("v".to_owned(), version())]);
    let mut set = |name: &str, value| attributes.insert(name.to_owned(), value);
    set(PK, s(key(item.channel, &item.id)));
    set("purpose", s(item.recipient.purpose().name()));
    set("asked_at", n(item.asked_at.millis()));
    set("expires_at", deletable(item.expires_at()));
    match &item.recipient {
        Recipient::Unverified { account, address } => {
            set("account_id", s(account.as_str()));
            set("address", s(address));
        }
        Recipient::PasswordReset { address } => {
            set("address", s(address));
        }
        Recipient::EmailChange {
            account,
            new_email,
            asked_under,
        } => {
            set("account_id", s(account.as_str()));
            set("address", s(new_email));
            set("email_canonical", s(&asked_under.email));
            set("password_version", n(asked_under.password_version));
            set("session_generation", n(asked_under.session_generation));
        }
        Recipient::Notified {
            account,
            address,
            is_verified,
            ..
        } => {
            set("account_id", s(account.as_str()));
            set("address", s(address));
            set("is_verified", AttributeValue::Bool(*is_verified));
        }
        Recipient::Created { account } => {
            set("account_id", s(account.as_str()));
        }
    }
    attributes
}

fn outbox_item(
    channel: Channel,
    id: &OutboxId,
    attributes: &Attributes,
) -> Result<OutboxItem, StoreError> {
    let item = Item::new("outbox", attributes)?;
    let purpose = MailPurpose::from_name(item.string("purpose")?);
    let purpose = purpose.ok_or_else(|| item.unreadable("purpose"))?;
    let address = || item.string("address").map(str::to_owned);
    let account = || item.account_id("account_id");
    Ok(OutboxItem {
        id: id.clone(),
        channel,
        recipient: match purpose {
            MailPurpose::Code(CodePurpose::VerifyEmail) => Recipient::Unverified {
                account: account()?,
                address: address()?,
            },
            MailPurpose::Code(CodePurpose::ResetPassword) => Recipient::PasswordReset {
                address: address()?,
            },
            MailPurpose::Code(CodePurpose::ChangeEmail) => Recipient::EmailChange {
                account: account()?,
                new_email: address()?,
                asked_under: AskedUnder {
                    email: item.string("email_canonical")?.to_owned(),
                    password_version: item.number("password_version")?,
                    session_generation: item.number("session_generation")?,
                },
            },
            MailPurpose::Notice(notice) => Recipient::Notified {
                notice,
                account: account()?,
                address: address()?,
                is_verified: item.boolean("is_verified")?,
            },
            MailPurpose::UserCreated => Recipient::Created {
                account: account()?,
            },
        },
        asked_at: item.time("asked_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AccountId, Notice, Timestamp};

    #[test]
    fn an_item_is_read_as_it_was_written() {
        let account = AccountId::new(Timestamp::from_secs(1), [0; 5], 0);
        let address = "abc@example.com".to_owned();
        for recipient in [
            Recipient::Unverified {
                account: account.clone(),
                address: address.clone(),
            },
            Recipient::PasswordReset {
                address: address.clone(),
            },
            Recipient::EmailChange {
                account: account.clone(),
                new_email: "Def@example.com".to_owned(),
                asked_under: AskedUnder {
                    email: address.clone(),
                    password_version: 2,
                    session_generation: 3,
                },
            },
            Recipient::Notified {
                notice: Notice::PasswordChanged,
                account: account.clone(),
                address,
                is_verified: true,
            },
            Recipient::Created { account },
        ] {
            let item = OutboxItem {
                id: OutboxId::parse(&"a".repeat(32)).unwrap(),
                channel: Channel::Webhook,
                recipient,
                asked_at: Timestamp::from_millis(1_700_000_000_123),
            };

            let read = outbox_item(item.channel, &item.id, &attributes(&item));
            assert_eq!(read.unwrap(), item);
        }
    }
}
