//! Whether the tables hold what was promised, and nothing half-made.
//!
//! Asked of a fresh instance over a wire that works, when nothing is under way any more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ledger::{Account, Deed, Ledger, Life, SignUp, Span};
use crate::app::{Item, TestApp, get};

struct Audit<'a> {
    app: TestApp,
    ledger: &'a Ledger,
    users: BTreeMap<String, Item>,
    violations: Vec<String>,
}

/// Every promise of the ledger's that is not kept.
pub(super) async fn audit(base: &TestApp, ledger: &Ledger) -> Vec<String> {
    let unlimited = [
        ("SIGNIN_RATE_LIMIT_IP", "1000000"),
        ("SIGNIN_RATE_LIMIT_ACCOUNT", "1000000"),
    ];
    let mut audit = Audit {
        app: base.another(&unlimited),
        ledger,
        users: base.users().await,
        violations: Vec::new(),
    };
    audit.check_items();
    audit.check_sign_ups().await;
    audit.check_tokens().await;
    audit.check_keys().await;
    audit.check_profiles().await;
    audit.violations
}

impl Audit<'_> {
    fn hold(&mut self, kept: bool, violation: impl FnOnce() -> String) {
        if !kept {
            self.violations.push(violation());
        }
    }

    /// Each account has all its claims and each claim, profile and key its account.
    fn check_items(&mut self) {
        let mut claims = BTreeSet::new();
        let mut accounts = BTreeSet::new();
        for (key, item) in self.users.clone() {
            let Some(id) = key.strip_prefix("user#") else {
                continue;
            };
            accounts.insert(id.to_owned());
            let email = format!("email#{}", text(&item, "email_canonical"));
            let username = item.contains_key("username_canonical");
            let username =
                username.then(|| format!("username#{}", text(&item, "username_canonical")));
            let hashes: Vec<_> = std::iter::once(email)
                .chain(username)
                .map(|claim| {
                    let item = self.users.get(&claim);
                    let item = item.filter(|item| text(item, "account_id") == id);
                    claims.insert(claim);
                    item.map(|item| text(item, "password_hash").to_owned())
                })
                .collect();
            let is_whole = hashes[0].is_some() && hashes.iter().all(|hash| *hash == hashes[0]);
            self.hold(is_whole, || {
                format!("{key} lacks a claim of its hash: {hashes:?}")
            });
        }
        for (key, item) in self.users.clone() {
            let (kind, name) = key.split_once('#').unwrap_or_default();
            let is_owned = match kind {
                "user" => true,
                "email" | "username" => claims.contains(&key),
                "profile" => accounts.contains(name),
                "apikey" => accounts.contains(text(&item, "account_id")),
                _ => false,
            };
            self.hold(is_owned, || format!("{key} belongs to no account"));
        }
    }

    /// An account for each success, one at most for what was left open, and nobody was refused for
    /// a name that was free, their own success included.
    async fn check_sign_ups(&mut self) {
        let mut by_email: BTreeMap<&str, Vec<&SignUp>> = BTreeMap::new();
        for sign_up in &self.ledger.sign_ups {
            by_email.entry(&sign_up.email).or_default().push(sign_up);
        }
        for (email, sign_ups) in by_email {
            let told: Vec<_> = sign_ups.iter().filter(|it| it.deed.status == 200).collect();
            self.hold(told.len() <= 1, || {
                format!("{email} was made twice: {told:?}")
            });
            let mut owners = Vec::new();
            for sign_up in &sign_ups {
                if self.signs_in(sign_up).await {
                    owners.push(sign_up);
                }
            }
            let may_be = |owner: &&&SignUp| owner.deed.may_be_done();
            let is_in_table = self.users.contains_key(&format!("email#{email}"));
            let is_right = owners.len() == usize::from(is_in_table)
                && owners.iter().all(may_be)
                && told
                    .iter()
                    .all(|told| owners.iter().any(|owner| owner.id == told.id));
            self.hold(is_right, || format!("{email}: {owners:?} of {sign_ups:?}"));
        }
        for refused in self
            .ledger
            .sign_ups
            .iter()
            .filter(|it| it.deed.status == 400)
        {
            let is_other = |other: &&SignUp| {
                let same_name = refused.username.is_some() && refused.username == other.username;
                (same_name || refused.email == other.email)
                    && other.deed.may_be_done()
                    && other.deed.span.start < refused.deed.span.end
            };
            let has_other = self.ledger.sign_ups.iter().any(|other| is_other(&other));
            self.hold(has_other, || {
                format!("refused for a free name: {refused:?}")
            });
        }
    }

    /// Whether an attempt's own password opens its account, by each of its names.
    async fn signs_in(&mut self, sign_up: &SignUp) -> bool {
        let by_email = self.app.sign_in(&sign_up.email, &sign_up.password).await;
        if let (200, Some(username)) = (by_email.status, &sign_up.username) {
            let by_name = self.app.sign_in(username, &sign_up.password).await;
            let is_same = by_name.body["user"]["id"] == by_email.body["user"]["id"];
            self.hold(by_name.status == 200 && is_same, || {
                format!("{sign_up:?} by username: {by_name:?}")
            });
        }
        by_email.status == 200
    }

    async fn check_tokens(&mut self) {
        for (n, token) in self.ledger.tokens.iter().enumerate() {
            let told = token
                .life
                .ends
                .iter()
                .filter(|end| end.status == 200)
                .count();
            self.hold(told <= 1, || {
                format!("token {n} ended twice: {:?}", token.life)
            });
            let answer = self.app.user(&token.bearer).await;
            let is_alive = answer.status == 200;
            if token.is_session {
                self.hold(!is_alive, || format!("session {n} outlives its half hour"));
            } else {
                self.check_life("token", n, &token.life, is_alive);
            }
            // A log-out that finds the token dead saw another's.
            for end in token.life.ends.iter().filter(|end| end.status == 401) {
                let others = token.life.ends.iter();
                let has_other = others
                    .filter(|other| other.may_be_done())
                    .any(|other| other.span.start < end.span.end);
                self.hold(has_other, || {
                    format!("token {n} died by itself: {:?}", token.life)
                });
            }
        }
    }

    /// Alive until it was ended, dead from then on, and nothing in between.
    fn check_life(&mut self, what: &str, n: usize, life: &Life, is_alive: bool) {
        let now = u64::MAX;
        let status = if is_alive { 200 } else { 401 };
        let span = Span {
            start: now,
            end: now,
        };
        for used in life.uses.iter().chain([&Deed { span, status }]) {
            let is_dead = life
                .ends
                .iter()
                .any(|end| matches!(end.status, 200 | 401) && end.span.end < used.span.start);
            let may_be_dead = life
                .ends
                .iter()
                .any(|end| end.may_be_done() && end.span.start < used.span.end);
            let is_right = match used.status {
                200 => !is_dead,
                401 => may_be_dead,
                _ => true,
            };
            self.hold(is_right, || format!("{what} {n}: {used:?} of {life:?}"));
        }
    }

    async fn check_keys(&mut self) {
        for (n, key) in self.ledger.keys.iter().enumerate() {
            let answer = self.app.call(get("/user").api_key(&key.secret)).await;
            self.check_life("key", n, &key.life, answer.status == 200);
            let account = &self.ledger.accounts[key.account];
            let start = &key.secret[..8];
            let profile = self.users.get(&format!("profile#{}", account.id));
            let listed = profile.and_then(|item| item.get(&format!("api_key_{}", key.id)));
            let is_it = listed
                .and_then(|listed| listed.as_m().ok())
                .is_some_and(|listed| text(listed, "start") == start);
            self.hold(is_it, || format!("key {n} is not listed under its number"));
        }
    }

    async fn check_profiles(&mut self) {
        for (n, account) in self.ledger.accounts.iter().enumerate() {
            self.check_listed(n, account);
            let again = self.app.sign_in(&account.email, &account.password).await;
            if again.status != 200 {
                self.hold(false, || format!("{account:?}: {again:?}"));
                continue;
            }
            let profile = self.app.profile(&again.token()).await.body;
            let settings = profile["user"]["settings"].as_array().cloned();
            let mut found: BTreeMap<String, usize> = BTreeMap::new();
            for setting in settings.unwrap_or_default() {
                let name = setting["name"].as_str().unwrap_or_default().to_owned();
                *found.entry(name).or_default() += 1;
            }
            for (mark, deed) in &account.marks {
                let times = found.remove(mark).unwrap_or(0);
                let is_right = match deed.status {
                    200 => times == 1,
                    503 => times <= 1,
                    _ => times == 0,
                };
                self.hold(is_right, || format!("{mark} {times} times: {deed:?}"));
            }
            self.hold(found.is_empty(), || {
                format!("settings of nobody's: {found:?}")
            });
            self.check_first_name(account, &profile["user"]["firstName"]);
        }
    }

    /// The first name is one of those set that no later one has certainly replaced.
    fn check_first_name(&mut self, account: &Account, first_name: &Value) {
        let done = || account.marks.iter().filter(|(_, deed)| deed.status == 200);
        let is_right = match first_name.as_str() {
            None => done().next().is_none(),
            Some(name) => account.marks.iter().any(|(mark, deed)| {
                let is_replaced = || done().any(|(_, later)| later.span.start > deed.span.end);
                // What was left open may have been written at any time until the answer.
                mark == name && deed.may_be_done() && !is_replaced()
            }),
        };
        self.hold(is_right, || format!("{first_name}: {account:?}"));
    }

    /// As many keys as were made, and those that may have been.
    fn check_listed(&mut self, n: usize, account: &Account) {
        let profile = self.users.get(&format!("profile#{}", account.id));
        let listed = profile.map_or(0, |item| {
            let is_key = |name: &&String| name.starts_with("api_key_");
            item.keys().filter(is_key).count()
        });
        let stored = self.users.iter().filter(|(key, item)| {
            key.starts_with("apikey#") && text(item, "account_id") == account.id
        });
        let stored = stored.count();
        let told = self
            .ledger
            .keys
            .iter()
            .filter(|key| key.account == n)
            .count();
        let is_right = stored == listed && (told..=told + account.maybe_keys).contains(&stored);
        self.hold(is_right, || {
            format!("{listed} listed and {stored} stored of {told} keys: {account:?}")
        });
    }
}

fn text<'i>(item: &'i Item, name: &str) -> &'i str {
    let text = item.get(name).and_then(|value| value.as_s().ok());
    text.map_or("", String::as_str)
}
