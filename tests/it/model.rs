//! A sequential in-memory model of the limits, unique names, logouts and API keys.

use std::collections::{BTreeMap, BTreeSet};

/// A request. Numbers identify addresses, emails, usernames, tokens and keys.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    SignUp { ip: u8, email: u8, name: u8 },
    SignIn { ip: u8, email: u8, right: bool },
    GuessKey { ip: u8 },
    UseToken(u8),
    LogOut(u8),
    MakeKey,
    UseKey(u8),
    RevokeKey(u8),
}

/// From this number on, an email belongs to no account, and a username is left out of a sign-up.
pub(crate) const NOBODY: u8 = 3;

/// An answer: status, message, and `Retry-After` or the id of a new key.
pub(crate) type Outcome = (u16, &'static str, u64);

/// At most `max` in a window of `window` milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) max: u64,
    pub(crate) window: i64,
}

/// The configured limits. `sign_in_ip` also limits guessed API keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the names of the settings")]
pub(crate) struct Rates {
    pub(crate) sign_up_ip: Rate,
    pub(crate) sign_up_email: Rate,
    pub(crate) sign_in_ip: Rate,
    pub(crate) sign_in_account: Rate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Counter {
    SignUpIp(u8),
    SignUpEmail(u8),
    SignInIp(u8),
    SignInAccount(u8, u8),
    ApiKeyIp(u8),
}

/// How long an instance may remember a refused sign-in, in milliseconds.
const SIGN_IN_MEMORY: i64 = 10_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) rates: Rates,
    /// When each window opened, and its count.
    windows: BTreeMap<Counter, (i64, u64)>,
    /// The refusals that each instance remembers: the end of the window, and of the memory.
    refusals: BTreeMap<(usize, Counter), (i64, i64)>,
    emails: BTreeSet<u8>,
    names: BTreeSet<u8>,
    revoked_tokens: BTreeSet<u8>,
    revoked_keys: BTreeSet<u8>,
    keys: u64,
}

impl Model {
    /// One account with this many keys.
    pub(crate) fn new(rates: Rates, keys: u64) -> Self {
        Self {
            rates,
            windows: BTreeMap::new(),
            refusals: BTreeMap::new(),
            emails: BTreeSet::new(),
            names: BTreeSet::new(),
            revoked_tokens: BTreeSet::new(),
            revoked_keys: BTreeSet::new(),
            keys,
        }
    }

    /// Clears the memory of the instance.
    pub(crate) fn restart(&mut self, instance: usize) {
        self.refusals.retain(|(of, _), _| *of != instance);
    }

    /// The answer of `instance` at `now`, in milliseconds.
    pub(crate) fn answer(&mut self, instance: usize, act: Act, now: i64) -> Outcome {
        match act {
            Act::SignUp { ip, email, name } => self.sign_up(instance, (ip, email, name), now),
            Act::SignIn { ip, email, right } => {
                let right = right && self.emails.contains(&email);
                self.sign_in(instance, (ip, email, right), now)
            }
            Act::GuessKey { ip } => match self.count(instance, Counter::ApiKeyIp(ip), now) {
                Ok(()) => (401, "Invalid API key", 0),
                Err(closes) => refused(SIGN_INS, closes, now),
            },
            Act::UseToken(token) if self.revoked_tokens.contains(&token) => (401, "Bad token", 0),
            Act::LogOut(token) if !self.revoked_tokens.insert(token) => (401, "Bad token", 0),
            Act::UseKey(key) if self.revoked_keys.contains(&key) => (401, "Invalid API key", 0),
            Act::RevokeKey(key) => {
                self.revoked_keys.insert(key);
                (200, "", 0)
            }
            Act::MakeKey => {
                self.keys += 1;
                (200, "", self.keys)
            }
            Act::UseToken(_) | Act::LogOut(_) | Act::UseKey(_) => (200, "", 0),
        }
    }

    /// The answer to a request in a race that began in the state `start`. It may reach the table
    /// before its instance remembers the refusals of the other requests.
    pub(crate) fn answer_unaware(
        &mut self,
        start: &Self,
        instance: usize,
        act: Act,
        now: i64,
    ) -> Outcome {
        let later = std::mem::replace(&mut self.refusals, start.refusals.clone());
        let outcome = self.answer(instance, act, now);
        self.refusals.extend(later);
        outcome
    }

    fn sign_up(&mut self, instance: usize, (ip, email, name): (u8, u8, u8), now: i64) -> Outcome {
        if let Err(closes) = self.count(instance, Counter::SignUpIp(ip), now) {
            return refused(SIGN_UPS_BY_IP, closes, now);
        }
        if let Err(closes) = self.count(instance, Counter::SignUpEmail(email), now) {
            return refused(SIGN_UPS_BY_EMAIL, closes, now);
        }
        if self.emails.contains(&email) || self.names.contains(&name) {
            return (400, "User already exists.", 0);
        }
        self.emails.insert(email);
        if name < NOBODY {
            self.names.insert(name);
        }
        (200, "", 0)
    }

    fn sign_in(
        &mut self,
        instance: usize,
        (ip, email, right): (u8, u8, bool),
        now: i64,
    ) -> Outcome {
        let (ip, account) = (Counter::SignInIp(ip), Counter::SignInAccount(ip, email));
        for counter in [ip, account] {
            if let Some(closes) = self.remembered(instance, counter, now) {
                return refused(SIGN_INS, closes, now);
            }
        }
        let attempts = (
            self.count(instance, ip, now),
            self.count(instance, account, now),
        );
        if let (Err(closes), _) | (_, Err(closes)) = attempts {
            for (attempt, counter) in [(attempts.0, ip), (attempts.1, account)] {
                if attempt.is_ok() {
                    self.uncount(counter);
                }
            }
            return refused(SIGN_INS, closes, now);
        }
        if !right {
            return (403, "Invalid username or password.", 0);
        }
        self.uncount(ip);
        self.windows.remove(&account);
        (200, "", 0)
    }

    fn remembered(&self, instance: usize, counter: Counter, now: i64) -> Option<i64> {
        let (closes, until) = self.refusals.get(&(instance, counter))?;
        (now < *until).then_some(*closes)
    }

    /// Counts an attempt, or returns when the full window closes.
    fn count(&mut self, instance: usize, counter: Counter, now: i64) -> Result<(), i64> {
        if let Some(closes) = self.remembered(instance, counter, now) {
            return Err(closes);
        }
        let (rate, is_uncounted) = match counter {
            Counter::SignUpIp(_) => (self.rates.sign_up_ip, false),
            Counter::SignUpEmail(_) => (self.rates.sign_up_email, false),
            Counter::ApiKeyIp(_) => (self.rates.sign_in_ip, false),
            Counter::SignInIp(_) => (self.rates.sign_in_ip, true),
            Counter::SignInAccount(..) => (self.rates.sign_in_account, true),
        };
        let (opened, count) = self.windows.entry(counter).or_insert((now, 0));
        if now >= *opened + rate.window {
            (*opened, *count) = (now, 0);
        }
        let closes = *opened + rate.window;
        if *count < rate.max {
            *count += 1;
            return Ok(());
        }
        if !is_uncounted {
            // Refused attempts count too, in case the limit is raised within the window.
            *count += 1;
        }
        let until = if is_uncounted {
            closes.min(now + SIGN_IN_MEMORY)
        } else {
            closes
        };
        self.refusals.insert((instance, counter), (closes, until));
        Err(closes)
    }

    fn uncount(&mut self, counter: Counter) {
        if let Some((_, count)) = self.windows.get_mut(&counter) {
            *count -= 1;
        }
    }
}

const SIGN_UPS_BY_IP: &str =
    "Too many signup attempts from your IP address. Please try again later.";
const SIGN_UPS_BY_EMAIL: &str =
    "Too many signup attempts for this email address. Please try again later.";
const SIGN_INS: &str = "Too many sign-in attempts. Please try again later.";

fn refused(message: &'static str, closes: i64, now: i64) -> Outcome {
    let millis = u64::try_from(closes - now).unwrap_or(0);
    (429, message, millis.div_ceil(1000).max(1))
}
