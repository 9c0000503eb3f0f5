//! An attempt to sign in, and the limits on failed ones.
//!
//! Only failures count. The counters decide after the password hash, so that they hold exactly,
//! however many attempts race:
//!
//! - A wrong password is counted. The response says that it is wrong only if its number is within each limit.
//! - The response says that a password is right only if a read made after the hash finds each counter
//!   below its limit.
//!
//! So once a limit is reached nobody learns whether a guess was right, and the right password of an enabled
//! account is never counted, even if its attempt ends early, by an error or a crash.

use std::sync::Arc;

use super::error::AuthError;
use super::limits::{Counter, SourceCounters};
use crate::app::App;
use crate::crypto::{KeyRing, digest};
use crate::domain::{
    Account, AccountId, Familiarity, Identifier, MAX_PASSWORD_BYTES, Password, RateLimitPolicy,
    SignInRecord, SourceIp, Timestamp,
};
use crate::observe;
use crate::store::{Claim, Cleared, RecordLimits};

pub(super) struct Attempt<'a> {
    app: &'a App,
    identifier: &'a Identifier,
    source_ip: SourceIp,
    /// The failures for the identifier from the source. Both windows are in one record.
    recent: Counter,
    of_day: Counter,
    source: SourceCounters,
    /// The failures for the identifier over all sources that are not familiar.
    total: Counter,
    purpose: Purpose,
    /// The source is familiar to another identifier of the account.
    is_known: bool,
}

/// What a right password is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To start a session.
    SignIn,
    /// To confirm who uses a session.
    Proof,
}

/// A right password.
pub(super) struct Proved {
    pub(super) claim: Claim,
    /// Whether the source was familiar when the claim was read, for a sign-in.
    pub(super) is_familiar: bool,
}

/// A right password that no limit refuses.
pub(super) struct Admitted {
    record: SignInRecord,
    is_familiar: bool,
}

impl<'a> Attempt<'a> {
    /// Begins an attempt, unless this instance remembers that a limit is reached.
    pub(super) fn begin(
        app: &'a App,
        source: SourceIp,
        identifier: &'a Identifier,
        purpose: Purpose,
    ) -> Result<Self, AuthError> {
        let name = name(identifier);
        let attempt = Self {
            app,
            identifier,
            source_ip: source,
            recent: record_of(source, &name),
            of_day: Counter::new(RateLimitPolicy::SignInDay, pair(source, &name)),
            source: SourceCounters::of_sign_ins(source),
            total: total_of(&name),
            purpose,
            is_known: false,
        };
        let counters = [&attempt.recent, &attempt.of_day];
        for counter in counters.into_iter().chain(attempt.source.iter()) {
            counter.refuse_remembered(app)?;
        }
        Ok(attempt)
    }

    /// Lets the source count as familiar if it is familiar to the account's username.
    pub(super) async fn recognize(&mut self, account: &Account) -> Result<(), AuthError> {
        let Some(username) = account.username_canonical.clone() else {
            return Ok(());
        };
        let record = record_of(self.source_ip, &name(&Identifier::Username(username)));
        let familiarity = self.app.store.familiarity(record.key()).await?;
        let (id, version) = (&account.id, account.password_version);
        let now = self.app.clock.now();
        self.is_known = familiarity.is_some_and(|known| known.holds(id, version, now));
        Ok(())
    }

    /// Returns the claim on the identifier if the password is right. Otherwise counts the failure. For a
    /// disabled account, every password counts as wrong.
    ///
    /// Whether an account has the identifier changes neither the response nor the work.
    pub(super) async fn verify(
        &self,
        keys: &KeyRing,
        password: Arc<Password>,
    ) -> Result<Proved, AuthError> {
        let store = &self.app.store;
        let familiarity = async {
            match self.purpose {
                Purpose::SignIn => store.familiarity(self.recent.key()).await,
                Purpose::Proof => Ok(None),
            }
        };
        let (claim, familiarity) = tokio::try_join!(store.claim(self.identifier), familiarity)?;
        let name = name(self.identifier);
        match &claim {
            Some(claim) => observe::account(&claim.account),
            None => observe::pseudonym(keys.pseudonym(&name)),
        }
        let has_valid_length = password.as_bytes().len() <= MAX_PASSWORD_BYTES;
        let hash = claim.as_ref().map(|claim| &claim.password_hash);
        let draw = keys.draw(&name);
        let is_right = self.app.hasher.verify(password, hash, draw).await?;
        match claim {
            Some(claim) if is_right && has_valid_length && !claim.is_disabled => {
                let now = self.app.clock.now();
                let is_familiar = self.is_familiar(familiarity.as_ref(), &claim, now);
                Ok(Proved { claim, is_familiar })
            }
            claim => Err(self.fail(claim.as_ref()).await),
        }
    }

    /// Counts a wrong password, and returns what to tell: that it is wrong, or which limit refuses
    /// to tell.
    async fn fail(&self, claim: Option<&Claim>) -> AuthError {
        match self.count_failure(claim).await {
            Ok(()) => AuthError::InvalidCredentials,
            Err(error) => {
                self.match_refusal_of_right(claim, &error).await;
                error
            }
        }
    }

    /// Deletes a session that does not exist. The refusal of a right password ends with the deletion of its
    /// session, so without this the time would tell them apart. A refusal by the total already takes as long,
    /// because it is counted last.
    async fn match_refusal_of_right(&self, claim: Option<&Claim>, error: &AuthError) {
        if self.purpose == Purpose::SignIn
            && let AuthError::Limited(limit) = error
            && limit.policy != RateLimitPolicy::SignInTotal
        {
            let nobody = AccountId::new(Timestamp::from_secs(0), [0; 5], 0);
            let account = claim.map_or(&nobody, |claim| &claim.account);
            self.app.store.abandon_session(account, "none").await;
        }
    }

    /// Counts the total last, and only for a failure that the other limits admit.
    async fn count_failure(&self, claim: Option<&Claim>) -> Result<(), AuthError> {
        let now = self.app.clock.now();
        let (record, source) = tokio::join!(self.count_in_record(now), self.source.count(self.app));
        let record = record?;
        source?;
        if !claim.is_some_and(|claim| self.is_familiar(record.familiarity.as_ref(), claim, now)) {
            self.total.count(self.app).await?;
        }
        Ok(())
    }

    async fn count_in_record(&self, now: Timestamp) -> Result<SignInRecord, AuthError> {
        let (store, limits) = (&self.app.store, record_limits(self.app));
        let record = store.count_failure(self.recent.key(), &limits, now).await?;
        for (counter, tally) in [(&self.recent, record.recent), (&self.of_day, record.of_day)] {
            if let Some(tally) = tally {
                counter.admit_counted(self.app, tally, now)?;
            }
        }
        Ok(record)
    }

    /// Admits a right password if no limit is reached. A source that is not familiar needs the
    /// total to be below its limit too.
    pub(super) async fn admit(&self, claim: &Claim) -> Result<Admitted, AuthError> {
        let sources: Vec<_> = self.source.iter().map(Counter::key).collect();
        let store = &self.app.store;
        let read = store.sign_in_counters(self.recent.key(), self.total.key(), &sources);
        let read = read.await?;
        let now = self.app.clock.now();
        self.admit_by_record(&read.record, now)?;
        for (counter, tally) in self.source.iter().zip(read.sources) {
            counter.admit_uncounted(self.app, tally, now)?;
        }
        let is_familiar = self.is_familiar(read.record.familiarity.as_ref(), claim, now);
        if !is_familiar {
            self.total.admit_uncounted(self.app, read.total, now)?;
        }
        Ok(Admitted {
            record: read.record,
            is_familiar,
        })
    }

    fn admit_by_record(&self, record: &SignInRecord, now: Timestamp) -> Result<(), AuthError> {
        self.recent.admit_uncounted(self.app, record.recent, now)?;
        self.of_day.admit_uncounted(self.app, record.of_day, now)
    }

    /// Clears the identifier's failures from this source and makes the source familiar, if there is
    /// anything to write. Refuses the attempt if a limit was reached since it was admitted.
    pub(super) async fn succeed(&self, admitted: Admitted, claim: &Claim) -> Result<(), AuthError> {
        let now = self.app.clock.now();
        let Admitted {
            record,
            is_familiar,
        } = admitted;
        let is_ending = |familiarity: &Familiarity| familiarity.is_ending(now);
        let is_familiar = is_familiar && !record.familiarity.as_ref().is_some_and(is_ending);
        if is_familiar && record.recent.is_none() && record.of_day.is_none() {
            return Ok(());
        }
        let familiarity = Familiarity::new(claim.account.clone(), claim.password_version, now);
        let (store, limits) = (&self.app.store, record_limits(self.app));
        let cleared = store.clear_failures(self.recent.key(), &limits, &familiarity, now);
        match cleared.await? {
            Cleared::Cleared => Ok(()),
            Cleared::LimitReached(record) => self.admit_by_record(&record, now),
        }
    }

    fn is_familiar(
        &self,
        familiarity: Option<&Familiarity>,
        claim: &Claim,
        now: Timestamp,
    ) -> bool {
        let (account, version) = (&claim.account, claim.password_version);
        self.is_known || familiarity.is_some_and(|known| known.holds(account, version, now))
    }
}

/// What stands for a source and an identifier in the keys of counters.
fn pair(source: SourceIp, name: &str) -> String {
    digest(&format!("{source} {name}"))
}

/// The record of an identifier's failures from a source.
fn record_of(source: SourceIp, name: &str) -> Counter {
    Counter::new(RateLimitPolicy::SignInAccount, pair(source, name))
}

fn record_limits(app: &App) -> RecordLimits {
    let limits = app.config.limits;
    RecordLimits {
        recent: limits.of(RateLimitPolicy::SignInAccount),
        of_day: limits.of(RateLimitPolicy::SignInDay),
    }
}

/// Makes a source familiar to the account's identifiers, because it has set their password. Clears its failures unless
/// they have reached a limit. A failed write is only logged: the next sign-in makes it familiar.
pub(super) async fn make_familiar(app: &App, source: SourceIp, account: &Account) {
    let now = app.clock.now();
    let familiarity = Familiarity::new(account.id.clone(), account.password_version, now);
    for identifier in account.identifiers() {
        let record = record_of(source, &name(&identifier));
        let (store, limits) = (&app.store, record_limits(app));
        let cleared = store.clear_failures(record.key(), &limits, &familiarity, now);
        let made = match cleared.await {
            Ok(Cleared::LimitReached(_)) => {
                let set = store.set_familiarity(record.key(), &limits, &familiarity, now);
                set.await
            }
            cleared => cleared.map(|_| ()),
        };
        if let Err(error) = made {
            observe::warn("source not made familiar", &error);
        }
    }
}

/// Clears the total of each of the account's identifiers. If this fails, strangers are refused for up
/// to a day longer.
pub(super) async fn clear_totals(app: &App, account: &Account) {
    for identifier in account.identifiers() {
        let total = total_of(&name(&identifier));
        if let Err(error) = app.store.clear_counter(total.key()).await {
            observe::warn("total of failed sign-ins not cleared", &error);
        }
    }
}

/// The counter of failures for an identifier over all sources that are not familiar.
fn total_of(name: &str) -> Counter {
    Counter::new(RateLimitPolicy::SignInTotal, digest(name))
}

/// Includes the identifier's kind, so that no two identifiers share a counter.
fn name(identifier: &Identifier) -> String {
    match identifier {
        Identifier::Email(email) => format!("email {email}"),
        Identifier::Username(username) => format!("username {username}"),
        Identifier::Invalid(presented) => format!("nobody {presented}"),
    }
}
