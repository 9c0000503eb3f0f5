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
    pub(crate) sign_in_total: Rate,
}

/// The failures of one source for one identifier in the window of the total.
const MAX_PER_DAY: u64 = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Counter {
    SignUpIp(u8),
    SignUpEmail(u8),
    SignInIp(u8),
    SignInAccount(u8, u8),
    SignInDay(u8, u8),
    SignInTotal(u8),
    ApiKeyIp(u8),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) rates: Rates,
    /// When each window opened, and its count.
    windows: BTreeMap<Counter, (i64, u64)>,
    /// The refusals that each instance remembers, and the end of the window.
    refusals: BTreeMap<(usize, Counter), i64>,
    /// The addresses and emails that signed in. Schedules are shorter than familiarity.
    familiar: BTreeSet<(u8, u8)>,
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
            familiar: BTreeSet::new(),
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
        let is_familiar = self.familiar.contains(&(ip, email));
        let by_address = Counter::SignInIp(ip);
        let account = Counter::SignInAccount(ip, email);
        let day = Counter::SignInDay(ip, email);
        let total = Counter::SignInTotal(email);
        for counter in [account, day, by_address] {
            if let Some(closes) = self.remembered(instance, counter, now) {
                return refused(SIGN_INS, closes, now);
            }
        }
        if right {
            for counter in [account, day, by_address, total] {
                if let Some(closes) = self.reached(counter, now)
                    && !(counter == total && is_familiar)
                {
                    self.remember(instance, counter, closes);
                    return refused(SIGN_INS, closes, now);
                }
            }
            self.windows.remove(&account);
            self.windows.remove(&day);
            self.familiar.insert((ip, email));
            return (200, "", 0);
        }
        let counts = [account, day, by_address].map(|counter| (counter, self.add(counter, now)));
        // The two windows of the record are decided one after the other.
        let [account, day, by_address] =
            counts.map(|(counter, closes)| closes.map(|closes| (counter, closes)));
        let of_record = account.or(day);
        for (counter, closes) in of_record.into_iter().chain(by_address) {
            self.remember(instance, counter, closes);
        }
        if let Some((_, closes)) = of_record.or(by_address) {
            return refused(SIGN_INS, closes, now);
        }
        if !is_familiar && let Some(closes) = self.add(total, now) {
            return refused(SIGN_INS, closes, now);
        }
        (403, "Invalid username or password.", 0)
    }

    fn remembered(&self, instance: usize, counter: Counter, now: i64) -> Option<i64> {
        let closes = self.refusals.get(&(instance, counter)).copied();
        closes.filter(|closes| now < *closes)
    }

    /// The total is never remembered.
    fn remember(&mut self, instance: usize, counter: Counter, closes: i64) {
        if !matches!(counter, Counter::SignInTotal(_)) {
            self.refusals.insert((instance, counter), closes);
        }
    }

    fn rate(&self, counter: Counter) -> Rate {
        match counter {
            Counter::SignUpIp(_) => self.rates.sign_up_ip,
            Counter::SignUpEmail(_) => self.rates.sign_up_email,
            Counter::ApiKeyIp(_) | Counter::SignInIp(_) => self.rates.sign_in_ip,
            Counter::SignInAccount(..) => self.rates.sign_in_account,
            Counter::SignInDay(..) => Rate {
                max: MAX_PER_DAY,
                ..self.rates.sign_in_total
            },
            Counter::SignInTotal(_) => self.rates.sign_in_total,
        }
    }

    /// Counts an attempt, or returns when the full window closes.
    fn count(&mut self, instance: usize, counter: Counter, now: i64) -> Result<(), i64> {
        if let Some(closes) = self.remembered(instance, counter, now) {
            return Err(closes);
        }
        match self.add(counter, now) {
            None => Ok(()),
            Some(closes) => {
                self.remember(instance, counter, closes);
                Err(closes)
            }
        }
    }

    /// Adds one. Returns when the window closes if that is more than the limit.
    fn add(&mut self, counter: Counter, now: i64) -> Option<i64> {
        let rate = self.rate(counter);
        let (opened, count) = self.windows.entry(counter).or_insert((now, 0));
        if now >= *opened + rate.window {
            (*opened, *count) = (now, 0);
        }
        *count += 1;
        (*count > rate.max).then(|| *opened + rate.window)
    }

    /// When the window closes, if its limit is reached.
    fn reached(&self, counter: Counter, now: i64) -> Option<i64> {
        let rate = self.rate(counter);
        let (opened, count) = self.windows.get(&counter).copied().unwrap_or((now, 0));
        let is_open = now < opened + rate.window;
        let (opened, count) = if is_open { (opened, count) } else { (now, 0) };
        (count >= rate.max).then(|| opened + rate.window)
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
