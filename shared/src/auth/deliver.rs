//! Preparing an item of the outbox: whom it is for, and with which code.

use super::error::AuthError;
use super::mail::counter_of_address;
use crate::app::App;
use crate::crypto::{CodeKey, PlainCode};
use crate::domain::{
    Account, AccountId, AskedUnder, CodePurpose, Email, Identifier, MailPurpose, MailedCode,
    OutboxItem, OutboxMessage, Recipient, Timestamp,
};
use crate::store::{AddedCode, StoreError};

/// A mail or a webhook that is ready to be rendered and sent.
#[derive(Debug)]
pub struct Letter {
    pub purpose: MailPurpose,
    pub account: AccountId,
    /// Where a mail or a code goes. In the webhook of a new account, its email as typed.
    pub to: String,
    /// Only the webhook of a new account has it. In a mail, a username such as `evil.example` would be a link of
    /// its owner's choice.
    pub username: Option<String>,
    /// A notice and the webhook of a new account have none.
    pub code: Option<(CodePurpose, PlainCode)>,
    pub asked_at: Timestamp,
}

impl Letter {
    /// Has neither a username nor a code.
    fn plain(item: &OutboxItem, account: AccountId, to: String) -> Self {
        Self {
            purpose: item.recipient.purpose(),
            account,
            to,
            username: None,
            code: None,
            asked_at: item.asked_at,
        }
    }
}

/// Why an item is not sent. Trying again would not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// There is no such item, or it has expired.
    Expired,
    /// No account has the address, or the account is deleted.
    NoAccount,
    AccountDisabled,
    /// The account has another email by now.
    OtherAddress,
    AlreadyVerified,
    /// Another account has the new email.
    EmailTaken,
    /// The account has changed, or a newer code was sent.
    Outdated,
    /// The limit of notices to an address that is not verified is reached.
    TooMany,
}

/// Why there is no letter. Only the first reason is for good; with another one the item stays in its queue.
#[derive(Debug, thiserror::Error)]
pub enum NoLetter {
    #[error("nothing is sent")]
    NotSent(NotSent),
    /// It goes on to the dead letters, whose alarm tells that it was never sent.
    #[error("it expired before it was delivered")]
    ExpiredInQueue,
    #[error(transparent)]
    Failed(#[from] AuthError),
}

impl From<NotSent> for NoLetter {
    fn from(reason: NotSent) -> Self {
        Self::NotSent(reason)
    }
}

impl From<StoreError> for NoLetter {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// Looks up the account of an item, derives the code, and stores its digest unless it is there. A second
/// delivery finds the same code.
pub async fn prepare(
    app: &App,
    key: &CodeKey,
    message: &OutboxMessage,
) -> Result<Letter, NoLetter> {
    let item = app.store.outbox_item(message.channel, &message.id).await?;
    let item = item.filter(|item| app.clock.now() < item.expires_at());
    let item = item.ok_or_else(|| match message.times {
        ..=1 => NotSent::Expired.into(),
        _ => NoLetter::ExpiredInQueue,
    })?;
    match &item.recipient {
        Recipient::Unverified { account, address } => {
            let account = addressee(app.store.account(account).await?, address)?;
            if account.is_active {
                return Err(NotSent::AlreadyVerified.into());
            }
            with_code(app, key, &item, CodePurpose::VerifyEmail, account, None).await
        }
        Recipient::PasswordReset { address } => {
            let email = Identifier::Email(address.clone());
            let account = addressee(app.store.account_with(&email).await?, address)?;
            with_code(app, key, &item, CodePurpose::ResetPassword, account, None).await
        }
        Recipient::EmailChange {
            account,
            new_email,
            asked_under,
        } => {
            let account = addressee(app.store.account(account).await?, &asked_under.email)?;
            let new = Email::parse(new_email).map_err(|_| NotSent::Outdated)?;
            check_email_change(app, &account, &new, asked_under).await?;
            let change = Some((new_email.clone(), account.session_generation));
            let purpose = CodePurpose::ChangeEmail;
            let letter = with_code(app, key, &item, purpose, account, change).await?;
            Ok(Letter {
                to: new.mail_address(),
                ..letter
            })
        }
        Recipient::Notified {
            account,
            address,
            is_verified,
            ..
        } => {
            if !is_verified && message.times == 1 {
                count_unverified(app, item.recipient.purpose(), address).await?;
            }
            Ok(Letter::plain(&item, account.clone(), address.clone()))
        }
        Recipient::Created { account } => {
            let account = enabled(app.store.account(account).await?)?;
            Ok(Letter {
                username: Some(account.username),
                ..Letter::plain(&item, account.id, account.email)
            })
        }
    }
}

/// Counts a notice to an address that nobody has proved to be theirs, with the limit of mails that are asked
/// for: whoever signs up with the address of another could have any number sent to it.
async fn count_unverified(app: &App, purpose: MailPurpose, address: &str) -> Result<(), NoLetter> {
    let email = Email::parse(address);
    // In ASCII, an address can be longer than any email that is accepted.
    let address = email.as_ref().map_or(address, Email::canonical);
    let counter = counter_of_address(purpose, address);
    if counter.admits(app).await? {
        Ok(())
    } else {
        Err(NotSent::TooMany.into())
    }
}

/// Fails if the account is not as it was when the change was asked for, or another one has the new email.
async fn check_email_change(
    app: &App,
    account: &Account,
    new: &Email,
    asked_under: &AskedUnder,
) -> Result<(), NoLetter> {
    if AskedUnder::of(account) != *asked_under {
        return Err(NotSent::Outdated.into());
    }
    let new = Identifier::Email(new.canonical().to_owned());
    match app.store.claim(&new).await? {
        Some(claim) if claim.account != account.id => Err(NotSent::EmailTaken.into()),
        Some(_) | None => Ok(()),
    }
}

/// A letter to the account with a code, which is stored. `change` is the new email, and the session
/// generation under which it was asked for.
async fn with_code(
    app: &App,
    key: &CodeKey,
    item: &OutboxItem,
    purpose: CodePurpose,
    account: Account,
    change: Option<(String, u64)>,
) -> Result<Letter, NoLetter> {
    let code = key.code(purpose, &item.id);
    let mailed = MailedCode {
        purpose,
        outbox: item.id.clone(),
        account: account.id.clone(),
        address: account.email_canonical.clone(),
        password_version: account.password_version,
        change,
        expires_at: item.expires_at(),
        used_at: None,
    };
    match app.store.add_code(&code.digest(), &mailed).await? {
        AddedCode::Stored => {
            let to = account.mail_address();
            Ok(Letter {
                code: Some((purpose, code)),
                ..Letter::plain(item, account.id, to)
            })
        }
        AddedCode::Outdated => Err(NotSent::Outdated.into()),
    }
}

/// The account, if it may get a code at this canonical address.
fn addressee(account: Option<Account>, address: &str) -> Result<Account, NotSent> {
    let account = enabled(account)?;
    if account.email_canonical == address {
        Ok(account)
    } else {
        Err(NotSent::OtherAddress)
    }
}

fn enabled(account: Option<Account>) -> Result<Account, NotSent> {
    match account {
        None => Err(NotSent::NoAccount),
        Some(account) if account.is_disabled() => Err(NotSent::AccountDisabled),
        Some(account) => Ok(account),
    }
}
