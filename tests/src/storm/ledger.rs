//! What was attempted and promised, and which answers contradict a promise.
//!
//! Requests overlap, so what is certain of two of them is only what holds whenever one had ended
//! before the other began.

use std::collections::BTreeSet;

use serde_json::Value;

use super::actions::Action;
use super::limits::{Asked, Counter, Verdict};
use super::luck::Suffered;
use crate::app::Answer;

/// From when to when a request was under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) end: u64,
}

/// A request that may have changed something, and how it was answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deed {
    pub(super) span: Span,
    pub(super) status: u16,
}

impl Deed {
    /// Whether it was done, or may have been.
    pub(super) fn may_be_done(&self) -> bool {
        matches!(self.status, 200 | 503)
    }
}

/// An attempt to sign up.
#[derive(Debug, Clone)]
pub(super) struct SignUp {
    pub(super) deed: Deed,
    pub(super) email: String,
    pub(super) username: Option<String>,
    pub(super) password: String,
    /// The account, if it was made.
    pub(super) id: Option<String>,
}

/// An account that somebody was told they have.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) username: Option<String>,
    pub(super) password: String,
    /// First names set, each also the name of a setting created.
    pub(super) marks: Vec<(String, Deed)>,
    /// How many keys may have been made without anybody being told.
    pub(super) maybe_keys: usize,
}

/// What can be used until it is ended: a token or an API key.
#[derive(Debug, Clone, Default)]
pub(super) struct Life {
    pub(super) ends: Vec<Deed>,
    pub(super) uses: Vec<Deed>,
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) bearer: String,
    pub(super) account: usize,
    pub(super) is_session: bool,
    pub(super) life: Life,
}

#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) secret: String,
    pub(super) account: usize,
    pub(super) id: u64,
    pub(super) life: Life,
}

/// Everything attempted and promised so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    pub(super) sign_ups: Vec<SignUp>,
    pub(super) accounts: Vec<Account>,
    pub(super) tokens: Vec<Token>,
    pub(super) keys: Vec<Key>,
    /// The tokens of sessions that have expired.
    pub(super) expired: Vec<String>,
    usable: Vec<usize>,
    asked: Vec<Asked>,
}

impl Ledger {
    /// A token that has not expired.
    pub(super) fn live_token(&self, dice: &mut fastrand::Rng) -> Option<usize> {
        let recent = self
            .usable
            .len()
            .saturating_sub(if dice.u8(..4) == 0 { 1000 } else { 24 });
        (!self.usable.is_empty()).then(|| self.usable[dice.usize(recent..self.usable.len())])
    }

    /// One of an account's that was never to be ended.
    pub(super) fn token_of(&self, account: usize) -> Option<usize> {
        let mut usable = self.usable.iter().copied();
        usable.find(|token| {
            let token = &self.tokens[*token];
            token.account == account && token.life.ends.is_empty()
        })
    }

    pub(super) fn end_sessions(&mut self) {
        let tokens = &self.tokens;
        let is_session = |token: &usize| tokens[*token].is_session;
        let ended = self.usable.extract_if(.., |token| is_session(token));
        self.expired
            .extend(ended.map(|token| tokens[token].bearer.clone()));
    }

    pub(super) fn take_asked(&mut self) -> Vec<Asked> {
        std::mem::take(&mut self.asked)
    }

    /// Enters a request and its answer; returns what in the answer itself is wrong.
    pub(super) fn enter(
        &mut self,
        action: &Action,
        answer: &Answer,
        span: Span,
        suffered: &Suffered,
    ) -> Vec<String> {
        let deed = Deed {
            span,
            status: answer.status,
        };
        self.ask(action, answer, suffered);
        let mut wrong = Vec::new();
        let mut must_be = |what: &str, seen: &Value, expected: &str| {
            if answer.status == 200 && seen != expected {
                wrong.push(format!("{action:?}: {what}: {answer:?}"));
            }
        };
        match action {
            Action::SignUp {
                email,
                username,
                password,
                ..
            } => {
                must_be("email", &answer.body["user"]["email"], email);
                let id = answer.body["user"]["id"].as_str().map(str::to_owned);
                if let (200, Some(id)) = (answer.status, &id) {
                    self.accounts.push(Account {
                        id: id.clone(),
                        email: email.clone(),
                        username: username.clone(),
                        password: password.clone(),
                        marks: Vec::new(),
                        maybe_keys: 0,
                    });
                    self.add_token(answer, self.accounts.len() - 1, false);
                }
                self.sign_ups.push(SignUp {
                    deed,
                    email: email.clone(),
                    username: username.clone(),
                    password: password.clone(),
                    id,
                });
            }
            Action::SignIn {
                account, is_login, ..
            } => {
                if !is_login {
                    must_be(
                        "id",
                        &answer.body["user"]["id"],
                        &self.accounts[*account].id,
                    );
                }
                if answer.status == 200 {
                    self.add_token(answer, *account, *is_login);
                }
            }
            Action::Guess { .. } | Action::GuessKey { .. } => {}
            Action::UseToken { token, path, .. } => {
                self.tokens[*token].life.uses.push(deed);
                let account = &self.accounts[self.tokens[*token].account];
                must_be("id", read_id(answer, path), &account.id);
                wrong.extend(missing_marks(account, answer, span, path));
            }
            Action::UseKey { key, path, .. } => {
                self.keys[*key].life.uses.push(deed);
                let account = &self.accounts[self.keys[*key].account];
                must_be("id", read_id(answer, path), &account.id);
                wrong.extend(missing_marks(account, answer, span, path));
            }
            Action::ChangeProfile { token, mark, .. } => {
                self.tokens[*token].life.uses.push(deed);
                let account = self.tokens[*token].account;
                self.accounts[account].marks.push((mark.clone(), deed));
            }
            Action::MakeKey { token, .. } => {
                self.tokens[*token].life.uses.push(deed);
                let account = self.tokens[*token].account;
                let made = &answer.body["apiKey"];
                if let (Some(secret), Some(id)) = (made["key"].as_str(), made["id"].as_u64()) {
                    let life = Life::default();
                    self.keys.push(Key {
                        secret: secret.to_owned(),
                        account,
                        id,
                        life,
                    });
                } else if answer.status == 503 {
                    self.accounts[account].maybe_keys += 1;
                }
            }
            Action::RevokeKey { key, token, .. } => {
                self.tokens[*token].life.uses.push(deed);
                // A 401 says that the token was dead already; the key was not revoked.
                if deed.status != 401 {
                    self.keys[*key].life.ends.push(deed);
                }
            }
            Action::LogOut { token, .. } => self.tokens[*token].life.ends.push(deed),
        }
        wrong
    }

    fn add_token(&mut self, answer: &Answer, account: usize, is_session: bool) {
        self.usable.push(self.tokens.len());
        let (bearer, life) = (answer.token(), Life::default());
        self.tokens.push(Token {
            bearer,
            account,
            is_session,
            life,
        });
    }

    /// Which limits an attempt was under, and what became of it there.
    fn ask(&mut self, action: &Action, answer: &Answer, suffered: &Suffered) {
        let unheard = suffered.unheard();
        let verdict = match answer.status {
            429 => Verdict::Refused,
            503 => Verdict::Unknown,
            _ => Verdict::Admitted,
        };
        let mut ask = |counter, verdict, or| {
            self.asked.push(Asked {
                counter,
                verdict,
                unheard,
                or,
            });
        };
        match action {
            Action::SignUp { ip, email, .. } => {
                let by_ip = Counter::SignUpIp(ip.clone());
                let by_email = Counter::SignUpEmail(email.clone());
                let policy = answer.header("ratelimit-policy").unwrap_or_default();
                if verdict == Verdict::Refused && policy.starts_with("\"ip\"") {
                    return ask(by_ip, verdict, None);
                }
                let of_ip = if verdict == Verdict::Refused {
                    Verdict::Admitted
                } else {
                    verdict
                };
                ask(by_ip, of_ip, None);
                ask(by_email, verdict, None);
            }
            Action::SignIn { ip, name, .. } | Action::Guess { ip, name } => {
                let verdict = if answer.status == 200 {
                    Verdict::Returned
                } else {
                    verdict
                };
                let by_ip = Counter::SignInIp(ip.clone());
                let by_account = Counter::SignInAccount(ip.clone(), name.clone());
                ask(by_ip.clone(), verdict, Some(by_account.clone()));
                ask(by_account, verdict, Some(by_ip));
            }
            Action::GuessKey { ip } => ask(Counter::ApiKeyIp(ip.clone()), verdict, None),
            _ => {}
        }
    }
}

fn read_id<'a>(answer: &'a Answer, path: &str) -> &'a Value {
    if path == "/user" {
        &answer.body["id"]
    } else {
        &answer.body["user"]["id"]
    }
}

/// Settings that were there before a profile was read, and are not in it.
fn missing_marks(account: &Account, answer: &Answer, span: Span, path: &str) -> Vec<String> {
    if path == "/user" || answer.status != 200 {
        return Vec::new();
    }
    let settings = answer.body["user"]["settings"]
        .as_array()
        .into_iter()
        .flatten();
    let names: BTreeSet<_> = settings
        .filter_map(|setting| setting["name"].as_str())
        .collect();
    let is_missing = |(mark, deed): &&(String, Deed)| {
        deed.status == 200 && deed.span.end < span.start && !names.contains(mark.as_str())
    };
    let missing = account.marks.iter().filter(is_missing);
    missing
        .map(|(mark, _)| format!("{mark} of {} is lost", account.email))
        .collect()
}
