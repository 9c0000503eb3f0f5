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

/// Looks up the recipient of a mail, derives the code, and stores its digest unless it is there. A
/// second delivery finds the same code.
pub async fn prepare_mail(app: &App, key: &CodeKey, id: &OutboxId) -> Result<Prepared, StoreError> {
    let mail = app.store.mail(id).await?;
    let Some(mail) = mail.filter(|mail| app.clock.now() < mail.expires_at()) else {
        return Ok(Prepared::Nothing(NotSent::Expired));
    };
    let account = match &mail.recipient {
        Recipient::Unverified { account, address } => {
            let account = app.store.account(account).await?;
            match addressee(account, address) {
                Ok(account) if account.is_active => Err(NotSent::AlreadyVerified),
                Ok(account) => Ok((account, CodePurpose::VerifyEmail)),
                Err(reason) => Err(reason),
            }
        }
        Recipient::Forgetful { address } => {
            let account = account_with(app, address).await?;
            addressee(account, address).map(|account| (account, CodePurpose::ResetPassword))
        }
        Recipient::Renamed {
            account,
            new_email,
            asked_under,
        } => {
            let account = app.store.account(account).await?;
            let account = addressee(account, &asked_under.email);
            return match renamed(app, account, new_email, asked_under).await? {
                Ok(account) => change_of_email(app, key, &mail, account, new_email).await,
                Err(reason) => Ok(Prepared::Nothing(reason)),
            };
        }
        Recipient::Notified {
            account,
            username,
            address,
            ..
        } => {
            return Ok(Prepared::Letter(Letter {
                purpose: mail.recipient.purpose(),
                to: address.clone(),
                account: account.clone(),
                username: username.clone(),
                code: None,
                asked_at: mail.asked_at,
            }));
        }
    };
    match account {
        Ok((account, purpose)) => with_code(app, key, &mail, account, purpose, None).await,
        Err(reason) => Ok(Prepared::Nothing(reason)),
    }
}

/// The account, if it is as it was when the change was asked for, and no other account has the new email.
async fn renamed(
    app: &App,
    account: Result<Account, NotSent>,
    new_email: &str,
    asked_under: &AskedUnder,
) -> Result<Result<Account, NotSent>, StoreError> {
    let account = match account {
        Ok(account) if AskedUnder::of(&account) == *asked_under => account,
        Ok(_) => return Ok(Err(NotSent::Outdated)),
        Err(reason) => return Ok(Err(reason)),
    };
    let new = Identifier::parse_email(new_email);
    let claim = app.store.claim(&new).await?;
    Ok(match claim {
        Some(claim) if claim.account != account.id => Err(NotSent::EmailTaken),
        Some(_) | None => Ok(account),
    })
}

async fn change_of_email(
    app: &App,
    key: &CodeKey,
    mail: &OutboxMail,
    account: Account,
    new_email: &str,
) -> Result<Prepared, StoreError> {
    let change = Some((new_email.to_owned(), account.session_generation));
    let purpose = CodePurpose::ChangeEmail;
    let prepared = with_code(app, key, mail, account, purpose, change).await?;
    let Ok(new) = Email::parse(new_email) else {
        return Ok(Prepared::Nothing(NotSent::Outdated));
    };
    Ok(match prepared {
        Prepared::Letter(letter) => Prepared::Letter(Letter {
            to: new.mail_address(),
            ..letter
        }),
        Prepared::Nothing(reason) => Prepared::Nothing(reason),
    })
}

async fn with_code(
    app: &App,
    key: &CodeKey,
    mail: &OutboxMail,
    account: Account,
    purpose: CodePurpose,
    change: Option<(String, u64)>,
) -> Result<Prepared, StoreError> {
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
        AddedCode::Stored => Ok(Prepared::Letter(Letter {
            purpose: mail.recipient.purpose(),
            to: account.mail_address(),
            account: account.id,
            username: account.username,
            code: Some((purpose, code)),
            asked_at: mail.asked_at,
        })),
        AddedCode::Outdated => Ok(Prepared::Nothing(NotSent::Outdated)),
    }
}

async fn account_with(app: &App, email: &str) -> Result<Option<Account>, StoreError> {
    let email = Identifier::Email(email.to_owned());
    match app.store.claim(&email).await? {
        Some(claim) => app.store.account(&claim.account).await,
        None => Ok(None),
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
