//! `outbox#<id>` in the sessions table: a mail to send. The table's stream tells the function `deliver`
//! of a new one.
//!
//! An item has no code, and is never changed. It is deleted when it expires, sent or not.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};

use super::item::{Attributes, Item, deletable, n, put_in_transaction, s, version};
use super::{PK, Store, StoreError};
use crate::domain::{
    AccountId, AskedUnder, CodePurpose, MailPurpose, OutboxId, OutboxMail, Recipient, Timestamp,
};

impl Store {
    /// Adds several mails to the outbox, or none of them.
    pub async fn post_all(&self, mails: &[OutboxMail]) -> Result<(), StoreError> {
        let mails = mails.iter().map(|mail| self.post_in_transaction(mail));
        let writes: Vec<_> = mails.collect::<Result<_, _>>()?;
        self.transact(&writes, None).await.map(|_| ())
    }

    /// Adds a mail to the outbox. Its cost does not depend on the recipient.
    pub async fn post(&self, mail: &OutboxMail) -> Result<(), StoreError> {
        let item = to_item(mail);
        self.retrying(|| async {
            let put = self.client.put_item().table_name(&self.tables.sessions);
            let put = put.set_item(Some(item.clone())).send().await;
            put.map(|_| ()).map_err(StoreError::from_sdk)
        })
        .await
    }

    /// [`Self::post`] as a part of a transaction.
    pub(super) fn post_in_transaction(
        &self,
        mail: &OutboxMail,
    ) -> Result<TransactWriteItem, StoreError> {
        put_in_transaction(
            Put::builder()
                .table_name(&self.tables.sessions)
                .set_item(Some(to_item(mail))),
        )
    }

    /// Returns `None` if there is no such mail, or not any more.
    pub async fn mail(&self, id: &OutboxId) -> Result<Option<OutboxMail>, StoreError> {
        let item = self.short_lived_item(&key(id)).await?;
        item.as_ref().map(|item| from_item(id, item)).transpose()
    }
}

fn key(id: &OutboxId) -> String {
    format!("outbox#{id}")
}

fn to_item(mail: &OutboxMail) -> Attributes {
    let mut item = Attributes::from([("v".to_owned(), version())]);
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set(PK, s(key(&mail.id)));
    set("purpose", s(mail.recipient.purpose().name()));
    set("asked_at", n(mail.asked_at.millis()));
    set("expires_at", deletable(mail.expires_at()));
    match &mail.recipient {
        Recipient::Unverified { account, address } => {
            set("account_id", s(account.as_str()));
            set("address", s(address));
        }
        Recipient::Forgetful { address } => {
            set("address", s(address));
        }
        Recipient::Renamed {
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
            username,
            address,
            ..
        } => {
            set("account_id", s(account.as_str()));
            set("username", s(username));
            set("address", s(address));
        }
    }
    item
}

fn from_item(id: &OutboxId, attributes: &Attributes) -> Result<OutboxMail, StoreError> {
    let item = Item::new("outbox", attributes)?;
    let purpose = MailPurpose::from_name(item.string("purpose")?);
    let purpose = purpose.ok_or_else(|| item.unreadable("purpose"))?;
    let address = item.string("address")?.to_owned();
    let account = || {
        let id = AccountId::parse(item.string("account_id")?);
        id.map_err(|_| item.unreadable("account_id"))
    };
    Ok(OutboxMail {
        id: id.clone(),
        recipient: match purpose {
            MailPurpose::Code(CodePurpose::VerifyEmail) => Recipient::Unverified {
                account: account()?,
                address,
            },
            MailPurpose::Code(CodePurpose::ResetPassword) => Recipient::Forgetful { address },
            MailPurpose::Code(CodePurpose::ChangeEmail) => Recipient::Renamed {
                account: account()?,
                new_email: address,
                asked_under: AskedUnder {
                    email: item.string("email_canonical")?.to_owned(),
                    password_version: item.number("password_version")?,
                    session_generation: item.number("session_generation")?,
                },
            },
            MailPurpose::Notice(notice) => Recipient::Notified {
                notice,
                account: account()?,
                username: item.string("username")?.to_owned(),
                address,
            },
        },
        asked_at: Timestamp::from_millis(item.number("asked_at")?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Notice;

    #[test]
    fn a_mail_is_read_as_it_was_written() {
        let account = AccountId::new(Timestamp::from_secs(1), [0; 5], 0);
        let address = "abc@example.com".to_owned();
        for recipient in [
            Recipient::Unverified {
                account: account.clone(),
                address: address.clone(),
            },
            Recipient::Forgetful {
                address: address.clone(),
            },
            Recipient::Renamed {
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
                account,
                username: "abc".to_owned(),
                address,
            },
        ] {
            let mail = OutboxMail {
                id: OutboxId::parse(&"a".repeat(32)).unwrap(),
                recipient,
                asked_at: Timestamp::from_millis(1_700_000_000_123),
            };

            assert_eq!(from_item(&mail.id, &to_item(&mail)).unwrap(), mail);
        }
    }
}
