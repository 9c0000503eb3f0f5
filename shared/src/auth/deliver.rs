//! Preparing a mail of the outbox: who gets it, and with which code.

use crate::app::App;
use crate::crypto::{CodeKey, PlainCode};
use crate::domain::{
    Account, AccountId, AskedUnder, CodePurpose, Email, Identifier, MailPurpose, MailedCode,
    OutboxId, OutboxMail, Recipient, Timestamp,
};
use crate::store::{AddedCode, StoreError};

/// What became of a mail of the outbox.
#[derive(Debug)]
pub enum Prepared {
    Letter(Letter),
    Nothing(NotSent),
}

/// A mail that is ready to be rendered and sent.
#[derive(Debug)]
pub struct Letter {
    pub purpose: MailPurpose,
    pub account: AccountId,
    pub to: String,
    pub username: String,
    /// A notice has none.
    pub code: Option<(CodePurpose, PlainCode)>,
    pub asked_at: Timestamp,
}

/// Why a mail is not sent. Trying again would not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// There is no such mail, or it has expired.
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
}

/// Why there is no letter.
enum NoLetter {
    NotSent(NotSent),
    Failed(StoreError),
}

impl From<NotSent> for NoLetter {
    fn from(reason: NotSent) -> Self {
        Self::NotSent(reason)
    }
}

impl From<StoreError> for NoLetter {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// Looks up the recipient of a mail, derives the code, and stores its digest unless it is there. A
/// second delivery finds the same code.
pub async fn prepare_mail(app: &App, key: &CodeKey, id: &OutboxId) -> Result<Prepared, StoreError> {
    match letter(app, key, id).await {
        Ok(letter) => Ok(Prepared::Letter(letter)),
        Err(NoLetter::NotSent(reason)) => Ok(Prepared::Nothing(reason)),
        Err(NoLetter::Failed(error)) => Err(error),
    }
}

async fn letter(app: &App, key: &CodeKey, id: &OutboxId) -> Result<Letter, NoLetter> {
    let mail = app.store.mail(id).await?;
    let mail = mail.filter(|mail| app.clock.now() < mail.expires_at());
    let mail = mail.ok_or(NotSent::Expired)?;
    match &mail.recipient {
        Recipient::Unverified { account, address } => {
            let account = addressee(app.store.account(account).await?, address)?;
            if account.is_active {
                return Err(NotSent::AlreadyVerified.into());
            }
            with_code(app, key, &mail, CodePurpose::VerifyEmail, account, None).await
        }
        Recipient::Forgetful { address } => {
            let email = Identifier::Email(address.clone());
            let account = addressee(app.store.account_with(&email).await?, address)?;
            with_code(app, key, &mail, CodePurpose::ResetPassword, account, None).await
        }
        Recipient::Renamed {
            account,
            new_email,
            asked_under,
        } => {
            let account = addressee(app.store.account(account).await?, &asked_under.email)?;
            let new = Email::parse(new_email).map_err(|_| NotSent::Outdated)?;
            check_rename(app, &account, &new, asked_under).await?;
            let change = Some((new_email.clone(), account.session_generation));
            let purpose = CodePurpose::ChangeEmail;
            let letter = with_code(app, key, &mail, purpose, account, change).await?;
            Ok(Letter {
                to: new.mail_address(),
                ..letter
            })
        }
        Recipient::Notified {
            account,
            username,
            address,
            ..
        } => Ok(Letter {
            purpose: mail.recipient.purpose(),
            to: address.clone(),
            account: account.clone(),
            username: username.clone(),
            code: None,
            asked_at: mail.asked_at,
        }),
    }
}

/// Fails if the account is not as it was when the change was asked for, or another one has the new email.
async fn check_rename(
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
    mail: &OutboxMail,
    purpose: CodePurpose,
    account: Account,
    change: Option<(String, u64)>,
) -> Result<Letter, NoLetter> {
    let code = key.code(purpose, &mail.id);
    let mailed = MailedCode {
        purpose,
        outbox: mail.id.clone(),
        account: account.id.clone(),
        address: account.email_canonical.clone(),
        password_version: account.password_version,
        change,
        expires_at: mail.expires_at(),
        used_at: None,
    };
    match app.store.add_code(&code.digest(), &mailed).await? {
        AddedCode::Stored => Ok(Letter {
            purpose: mail.recipient.purpose(),
            to: account.mail_address(),
            account: account.id,
            username: account.username,
            code: Some((purpose, code)),
            asked_at: mail.asked_at,
        }),
        AddedCode::Outdated => Err(NotSent::Outdated.into()),
    }
}

/// The account, if it may get a code at this canonical address.
fn addressee(account: Option<Account>, address: &str) -> Result<Account, NotSent> {
    match account {
        None => Err(NotSent::NoAccount),
        Some(account) if account.disabled_at.is_some() => Err(NotSent::AccountDisabled),
        Some(account) if account.email_canonical != address => Err(NotSent::OtherAddress),
        Some(account) => Ok(account),
    }
}
