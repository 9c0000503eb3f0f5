//! Asking for mail and webhooks.
//!
//! A request only adds to the outbox. The functions `deliver` and `deliver-webhook` look the recipient up
//! and send, so a request costs the same whether or not anybody has the address.

use super::authenticate::Caller;
use super::error::AuthError;
use super::limits::Counter;
use super::own_account::{Proof, prove};
use crate::app::App;
use crate::crypto::{digest, ids};
use crate::domain::{
    Account, AskedUnder, Channel, Email, Identifier, MailPurpose, Notice, OutboxItem,
    RateLimitPolicy, Recipient, SourceIp, Timestamp,
};

/// Asks for a code that verifies the account's email. An account whose email is verified gets none.
pub async fn ask_to_verify_email(
    app: &App,
    source: SourceIp,
    account: &Account,
) -> Result<(), AuthError> {
    if account.is_active {
        return Ok(());
    }
    let recipient = unverified(account);
    ask(
        app,
        source,
        Channel::Mail,
        recipient,
        &account.email_canonical,
    )
    .await
}

/// Asks for a code that resets the password of the account with this email, if there is one. The code goes to
/// the receiver of the webhook, or else by mail. Text that no account can have as its email is not kept.
pub async fn ask_to_reset_password(
    app: &App,
    source: SourceIp,
    email: Identifier,
) -> Result<(), AuthError> {
    let address = match email {
        Identifier::Email(address) => address,
        Identifier::Username(_) | Identifier::Invalid(_) => String::new(),
    };
    let recipient = Recipient::PasswordReset {
        address: address.clone(),
    };
    let channel = match app.config.webhooks.forgot_password {
        Some(_) => Channel::Webhook,
        None => Channel::Mail,
    };
    ask(app, source, channel, recipient, &address).await
}

/// Asks for two mails: to the new address a code that makes it the email of the caller's account, and to the
/// old one a notice. The current password counts as a sign-in.
pub async fn ask_to_change_email(
    app: &App,
    caller: &Caller,
    proof: Proof,
    new: &Email,
) -> Result<(), AuthError> {
    let source = proof.source;
    let claim = prove(app, caller, proof).await?;
    let account = &caller.account;
    if claim.password_version != account.password_version {
        return Err(AuthError::InvalidCredentials);
    }
    let recipient = Recipient::EmailChange {
        account: account.id.clone(),
        new_email: new.typed().to_owned(),
        asked_under: AskedUnder::of(account),
    };
    if is_admitted(app, source, recipient.purpose(), new.canonical()).await? {
        let code = new_item(app, Channel::Mail, recipient, app.clock.now())?;
        let notice = notice(app, account, Notice::EmailChangeAsked)?;
        let mails: Vec<_> = notice.into_iter().chain([code]).collect();
        app.store.post_all(&mails).await?;
    }
    Ok(())
}

/// The mail that verifies a new account's email; `None` if no mail is sent.
pub(super) fn verification(
    app: &App,
    account: &Account,
    now: Timestamp,
) -> Result<Option<OutboxItem>, AuthError> {
    if app.config.mail.from.is_none() {
        return Ok(None);
    }
    new_item(app, Channel::Mail, unverified(account), now).map(Some)
}

/// The webhook that tells of a new account; `None` if nobody is told.
pub(super) fn user_created(
    app: &App,
    account: &Account,
    now: Timestamp,
) -> Result<Option<OutboxItem>, AuthError> {
    if app.config.webhooks.user_created.is_none() {
        return Ok(None);
    }
    let recipient = Recipient::Created {
        account: account.id.clone(),
    };
    new_item(app, Channel::Webhook, recipient, now).map(Some)
}

fn unverified(account: &Account) -> Recipient {
    Recipient::Unverified {
        account: account.id.clone(),
        address: account.email_canonical.clone(),
    }
}

/// Tells the account's owner what is done to it; `None` if no mail is sent.
pub(super) fn notice(
    app: &App,
    account: &Account,
    notice: Notice,
) -> Result<Option<OutboxItem>, AuthError> {
    if app.config.mail.from.is_none() {
        return Ok(None);
    }
    let recipient = Recipient::Notified {
        notice,
        account: account.id.clone(),
        address: account.mail_address(),
        is_verified: account.is_active,
    };
    new_item(app, Channel::Mail, recipient, app.clock.now()).map(Some)
}

/// Notices about a change, to the email that the account had before.
pub(super) fn notices(
    app: &App,
    seen: &Account,
    new: &Account,
) -> Result<Vec<OutboxItem>, AuthError> {
    let changes = [
        (
            new.password_version != seen.password_version,
            Notice::PasswordChanged,
        ),
        (
            new.email_canonical != seen.email_canonical,
            Notice::EmailChanged,
        ),
    ];
    let mut notices = Vec::new();
    for (_, what) in changes.into_iter().filter(|(is_changed, _)| *is_changed) {
        notices.extend(notice(app, seen, what)?);
    }
    Ok(notices)
}

/// Adds an item to the outbox. One beyond the limits is dropped, and the caller is not told.
async fn ask(
    app: &App,
    source: SourceIp,
    channel: Channel,
    recipient: Recipient,
    address: &str,
) -> Result<(), AuthError> {
    if is_admitted(app, source, recipient.purpose(), address).await? {
        let item = new_item(app, channel, recipient, app.clock.now())?;
        app.store.post(&item).await?;
    }
    Ok(())
}

/// Counts for the source, then for the email address, so that a source beyond its limit does not use up that
/// of an address. Returns whether both limits admit the mail.
async fn is_admitted(
    app: &App,
    source: SourceIp,
    purpose: MailPurpose,
    address: &str,
) -> Result<bool, AuthError> {
    let of_source = Counter::new(RateLimitPolicy::MailIp, source);
    Ok(of_source.admits(app).await? && counter_of_address(purpose, address).admits(app).await?)
}

/// Counts the mails of one purpose to a canonical address.
pub(super) fn counter_of_address(purpose: MailPurpose, address: &str) -> Counter {
    let subject = format!("{} {address}", purpose.name());
    Counter::new(RateLimitPolicy::MailAddress, digest(&subject))
}

fn new_item(
    app: &App,
    channel: Channel,
    recipient: Recipient,
    now: Timestamp,
) -> Result<OutboxItem, AuthError> {
    Ok(OutboxItem {
        id: ids::outbox_id(now, app.entropy.as_ref())?,
        channel,
        recipient,
        asked_at: now,
    })
}
