//! What is promised of limits, unique names, logouts and keys, in the fewest lines: one request
//! after another, in memory.

use std::collections::{BTreeMap, BTreeSet};

/// A request of a schedule. Numbers stand for addresses, emails, usernames, tokens and keys.
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

/// Emails and usernames of this number and above are nobody's: one cannot sign up with them, or
/// does so without a username.
pub(crate) const NOBODY: u8 = 3;

/// An answer: status, message, and `Retry-After` or the number of a new key.
pub(crate) type Outcome = (u16, &'static str, u64);

/// So many, in so many milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) max: u64,
    pub(crate) window: i64,
}

/// The limits as configured. Guessed keys have that of failed sign-ins from an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the settings are called so")]
pub(crate) struct Rates {
    pub(crate) sign_up_ip: Rate,
    pub(crate) sign_up_email: Rate,
    pub(crate) sign_in_ip: Rate,
    pub(crate) sign_in_account: Rate,
}

/// Which counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Counter {
    SignUpIp(u8),
    SignUpEmail(u8),
    SignInIp(u8),
    SignInAccount(u8, u8),
    ApiKeyIp(u8),
}

/// How long a refused sign-in may be remembered.
const SIGN_IN_NOTE: i64 = 10_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) rates: Rates,
    /// When a window opened, and how many it holds.
    windows: BTreeMap<Counter, (i64, u64)>,
    /// What an instance remembers: when the window closes, and until when it is remembered.
    notes: BTreeMap<(usize, Counter), (i64, i64)>,
    emails: BTreeSet<u8>,
    names: BTreeSet<u8>,
    dead_tokens: BTreeSet<u8>,
    dead_keys: BTreeSet<u8>,
    keys: u64,
}

impl Model {
    /// An owner with so many keys, and nothing else.
    pub(crate) fn new(rates: Rates, keys: u64) -> Self {
        Self {
            rates,
            windows: BTreeMap::new(),
            notes: BTreeMap::new(),
            emails: BTreeSet::new(),
            names: BTreeSet::new(),
            dead_tokens: BTreeSet::new(),
            dead_keys: BTreeSet::new(),
            keys,
        }
    }

    /// The instance forgets.
    pub(crate) fn restart(&mut self, instance: usize) {
        self.notes.retain(|(of, _), _| *of != instance);
    }

    /// What `instance` answers at `now`.
    pub(crate) fn answer(&mut self, instance: usize, act: Act, now: i64) -> Outcome {
        match act {
            Act::SignUp { ip, email, name } => self.sign_up(instance, (ip, email, name), now),
            Act::SignIn { ip, email, right } => {
                let right = right && self.emails.contains(&email);
                self.sign_in(instance, (ip, email, right), now)
            }
            Act::GuessKey { ip } => match self.take(instance, Counter::ApiKeyIp(ip), now) {
                Ok(()) => (401, "Invalid API key", 0),
                Err(closes) => refused(SIGN_INS, closes, now),
            },
            Act::UseToken(token) if self.dead_tokens.contains(&token) => (401, "Bad token", 0),
            Act::LogOut(token) if !self.dead_tokens.insert(token) => (401, "Bad token", 0),
            Act::UseKey(key) if self.dead_keys.contains(&key) => (401, "Invalid API key", 0),
            Act::RevokeKey(key) => {
                self.dead_keys.insert(key);
                (200, "", 0)
            }
            Act::MakeKey => {
                self.keys += 1;
                (200, "", self.keys)
            }
            Act::UseToken(_) | Act::LogOut(_) | Act::UseKey(_) => (200, "", 0),
        }
    }

    /// The same of a request that raced: it may have been on its way to the table before its
    /// instance knew what others of the race, which began at `start`, were refused for.
    pub(crate) fn answer_unaware(
        &mut self,
        start: &Self,
        instance: usize,
        act: Act,
        now: i64,
    ) -> Outcome {
        let aware = std::mem::replace(&mut self.notes, start.notes.clone());
        let outcome = self.answer(instance, act, now);
        self.notes.extend(aware);
        outcome
    }

    fn sign_up(&mut self, instance: usize, (ip, email, name): (u8, u8, u8), now: i64) -> Outcome {
        if let Err(closes) = self.take(instance, Counter::SignUpIp(ip), now) {
            return refused(SIGN_UPS_BY_IP, closes, now);
        }
        if let Err(closes) = self.take(instance, Counter::SignUpEmail(email), now) {
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
            if let Some(closes) = self.known(instance, counter, now) {
                return refused(SIGN_INS, closes, now);
            }
        }
        let places = (
            self.take(instance, ip, now),
            self.take(instance, account, now),
        );
        if let (Err(closes), _) | (_, Err(closes)) = places {
            for (place, counter) in [(places.0, ip), (places.1, account)] {
                if place.is_ok() {
                    self.give_back(counter);
                }
            }
            return refused(SIGN_INS, closes, now);
        }
        if !right {
            return (403, "Invalid username or password.", 0);
        }
        self.give_back(ip);
        self.windows.remove(&account);
        (200, "", 0)
    }

    fn known(&self, instance: usize, counter: Counter, now: i64) -> Option<i64> {
        let (closes, until) = self.notes.get(&(instance, counter))?;
        (now < *until).then_some(*closes)
    }

    /// Takes a place, or says when the window closes that has none left.
    fn take(&mut self, instance: usize, counter: Counter, now: i64) -> Result<(), i64> {
        if let Some(closes) = self.known(instance, counter, now) {
            return Err(closes);
        }
        let (rate, gives_back) = match counter {
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
        if !gives_back {
            // One that a later, more generous configuration counts as well.
            *count += 1;
        }
        let until = if gives_back {
            closes.min(now + SIGN_IN_NOTE)
        } else {
            closes
        };
        self.notes.insert((instance, counter), (closes, until));
        Err(closes)
    }

    fn give_back(&mut self, counter: Counter) {
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
