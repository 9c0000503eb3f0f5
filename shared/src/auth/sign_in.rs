//! Signing in.

use std::sync::Arc;

use super::error::AuthError;
use super::limits::{self, Place};
use super::tokens::issue_token;
use crate::app::App;
use crate::crypto::{PasswordHash, Token};
use crate::domain::{
    Account, Identifier, Lifetime, MAX_PASSWORD_BYTES, Password, Policy, SourceIp, Timestamp,
};
use crate::observe;
use crate::store::Claim;

/// What it takes to sign in.
#[derive(Debug)]
pub struct SignIn {
    /// Whom the caller claims to be.
    pub identifier: Identifier,
    /// The proof.
    pub password: Password,
    /// How long the token is to live.
    pub lifetime: Lifetime,
}

/// A successful sign-in.
#[derive(Debug)]
pub struct SignedIn {
    /// The account, its last login included.
    pub account: Account,
    /// A new token of it.
    pub token: Token,
}

/// Signs in: two round trips around one hash.
///
/// An attempt asks for its place under both limits before the password is looked at, and gives it
/// back unless the password is wrong. What the password proved counts only for an attempt that has
/// both places, so that parallel guesses cannot slip through; the hash does not wait for them.
/// Whether anybody has the identifier changes neither the answer nor the work.
pub async fn sign_in(app: &App, source: SourceIp, sign_in: SignIn) -> Result<SignedIn, AuthError> {
    let ip = limits::sign_in_ip(source);
    let account = limits::sign_in_account(&sign_in.identifier, source);
    limits::refuse_known(app, Policy::SignInIp, &ip)?;
    limits::refuse_known(app, Policy::SignInAccount, &account)?;
    // Before a place is taken, which a failure would have to give back.
    let keys = app.keys.current(app.clock.now()).await?;
    let password = Arc::new(sign_in.password);
    let (verified, ip, account) = tokio::join!(
        verify(app, &sign_in.identifier, Arc::clone(&password)),
        limits::take(app, Policy::SignInIp, ip),
        limits::take(app, Policy::SignInAccount, account),
    );
    let places = Places::both_or_neither(app, ip, account).await?;
    match verified {
        Ok(claim) => {
            let (account, now) = finish(app, claim, places, password).await?;
            let token = issue_token(app, &keys, &account, sign_in.lifetime, now)?;
            observe::signed_in(&account.id);
            Ok(SignedIn { account, token })
        }
        Err(error) => {
            if !matches!(error, AuthError::InvalidCredentials) {
                places.give_back(app).await;
            }
            Err(error)
        }
    }
}

/// The claim on the identifier, if `password` is its holder's; the same work if nobody holds it.
async fn verify(
    app: &App,
    identifier: &Identifier,
    password: Arc<Password>,
) -> Result<Claim, AuthError> {
    let claim = app.store.claim(identifier).await?;
    let could_be_one = password.as_bytes().len() <= MAX_PASSWORD_BYTES;
    let hash = claim.as_ref().map(|claim| &claim.password_hash);
    let matches = app.hasher.verify(password, hash).await?;
    match claim {
        Some(claim) if matches && could_be_one => Ok(claim),
        _ => Err(AuthError::InvalidCredentials),
    }
}

/// Records the login, gives the address's place back and clears the identifier's count, at the same
/// time.
async fn finish(
    app: &App,
    claim: Claim,
    places: Places,
    password: Arc<Password>,
) -> Result<(Account, Timestamp), AuthError> {
    let now = app.clock.now();
    let (account, (), ()) = tokio::join!(
        app.store.record_login(&claim, now),
        limits::give_back(app, &places.ip),
        limits::clear(app, &places.account),
    );
    let account = account?.ok_or(AuthError::InvalidCredentials)?;
    if app.hasher.is_outdated(&claim.password_hash)? {
        rehash(app, &account, &claim.password_hash, password).await;
    }
    Ok((account, now))
}

/// Replaces a hash of yesterday's cost. A sign-in does not fail because this did: the next one
/// tries again.
async fn rehash(app: &App, account: &Account, old: &PasswordHash, password: Arc<Password>) {
    let replaced = async {
        let new = app.hasher.hash(password, app.entropy.as_ref()).await?;
        app.store.replace_hash(account, old, &new).await?;
        Ok::<_, AuthError>(())
    };
    if let Err(error) = replaced.await {
        observe::trouble("password hash not replaced", &error);
    }
}

struct Places {
    ip: Place,
    account: Place,
}

impl Places {
    /// Both places, or the reason there is none; one taken in vain is given back.
    async fn both_or_neither(
        app: &App,
        ip: Result<Place, AuthError>,
        account: Result<Place, AuthError>,
    ) -> Result<Self, AuthError> {
        match (ip, account) {
            (Ok(ip), Ok(account)) => Ok(Self { ip, account }),
            (Ok(place), Err(error)) | (Err(error), Ok(place)) => {
                limits::give_back(app, &place).await;
                Err(error)
            }
            (Err(error), Err(_)) => Err(error),
        }
    }

    /// After an attempt that ended without a verdict on the password.
    async fn give_back(&self, app: &App) {
        tokio::join!(
            limits::give_back(app, &self.ip),
            limits::give_back(app, &self.account),
        );
    }
}
