//! The requests of a storm, and what may be answered to each.

use serde_json::json;

use super::ledger::Ledger;
use crate::app::{Call, get, post};

/// A request of a storm.
#[derive(Debug, Clone)]
pub(super) enum Action {
    SignUp {
        ip: String,
        email: String,
        username: Option<String>,
        /// Each attempt's own, so that it can be told which one made the account.
        password: String,
    },
    SignIn {
        ip: String,
        account: usize,
        name: String,
        password: String,
        /// Whether for a session of the Management family.
        is_login: bool,
    },
    Guess {
        ip: String,
        name: String,
    },
    GuessKey {
        ip: String,
    },
    UseToken {
        token: usize,
        bearer: String,
        path: &'static str,
    },
    UseKey {
        key: usize,
        secret: String,
        path: &'static str,
    },
    ChangeProfile {
        token: usize,
        bearer: String,
        /// Each change's own: the first name it sets, and the name of a setting it creates.
        mark: String,
    },
    MakeKey {
        token: usize,
        bearer: String,
    },
    RevokeKey {
        key: usize,
        token: usize,
        bearer: String,
        id: u64,
    },
    LogOut {
        token: usize,
        bearer: String,
    },
}

/// How many of the newest accounts, tokens and keys most requests are about.
const RECENT: usize = 24;

impl Action {
    /// A request about what the ledger knows, or a sign-up where that is not enough.
    pub(super) fn draw(dice: &mut fastrand::Rng, number: u64, ledger: &Ledger) -> Self {
        let ip = format!("192.0.2.{}", dice.u8(1..4));
        let recent = |dice: &mut fastrand::Rng, len: usize| {
            let oldest = if dice.u8(..4) == 0 {
                0
            } else {
                len.saturating_sub(RECENT)
            };
            (len > 0).then(|| dice.usize(oldest..len))
        };
        let account = recent(dice, ledger.accounts.len());
        let token = ledger.live_token(dice);
        let key = recent(dice, ledger.keys.len());
        let bearer = |token: usize| ledger.tokens[token].bearer.clone();
        let path = if dice.bool() {
            "/user"
        } else {
            "/v1/auth/user"
        };
        match (dice.u8(..100), account, token, key) {
            (0..14, Some(account), ..) => {
                let known = &ledger.accounts[account];
                let by_name = known.username.as_ref().filter(|_| dice.bool());
                Self::SignIn {
                    ip,
                    account,
                    name: by_name.unwrap_or(&known.email).clone(),
                    password: known.password.clone(),
                    is_login: dice.u8(..3) == 0,
                }
            }
            (14..28, Some(account), ..) => {
                // The names of a round, again and again.
                let hot = format!("nobody{}", number / 250 % 3);
                let name = if dice.bool() {
                    hot
                } else {
                    ledger.accounts[account].email.clone()
                };
                Self::Guess { ip, name }
            }
            (28..34, ..) => Self::GuessKey { ip },
            (34..48, _, Some(token), _) => Self::UseToken {
                token,
                bearer: bearer(token),
                path,
            },
            (48..56, _, _, Some(key)) => {
                let secret = ledger.keys[key].secret.clone();
                Self::UseKey { key, secret, path }
            }
            (56..66, _, Some(token), _) => {
                let mark = format!("mark{number}");
                Self::ChangeProfile {
                    token,
                    bearer: bearer(token),
                    mark,
                }
            }
            (66..73, _, Some(token), _) => Self::MakeKey {
                token,
                bearer: bearer(token),
            },
            (73..77, .., Some(key)) => match ledger.token_of(ledger.keys[key].account) {
                Some(token) => Self::RevokeKey {
                    key,
                    token,
                    bearer: bearer(token),
                    id: ledger.keys[key].id,
                },
                None => Self::GuessKey { ip },
            },
            (77..82, _, Some(token), _) => Self::LogOut {
                token,
                bearer: bearer(token),
            },
            _ => Self::sign_up(dice, number, ip),
        }
    }

    /// Of a few emails and usernames at a time, so that some are raced for.
    fn sign_up(dice: &mut fastrand::Rng, number: u64, ip: String) -> Self {
        let n = number / 12 + dice.u64(..6);
        let is_hot = dice.u8(..6) == 0;
        let n = if is_hot { number / 250 * 250 / 12 } else { n };
        let name = |n: u64| format!("name{}", n / 2);
        Self::SignUp {
            ip,
            email: format!("person{n}@example.com"),
            username: dice.bool().then(|| name(n)),
            password: format!("password{number}"),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::SignUp { .. } => "sign-up",
            Self::SignIn {
                is_login: false, ..
            } => "sign-in",
            Self::SignIn { is_login: true, .. } => "log-in",
            Self::Guess { .. } => "wrong password",
            Self::GuessKey { .. } => "guessed key",
            Self::UseToken { .. } => "read by token",
            Self::UseKey { .. } => "read by key",
            Self::ChangeProfile { .. } => "change profile",
            Self::MakeKey { .. } => "make key",
            Self::RevokeKey { .. } => "revoke key",
            Self::LogOut { .. } => "log-out",
        }
    }

    /// Whether a status may be answered at all; the ledger knows whether it may be this time.
    pub(super) fn allows(&self, status: u16) -> bool {
        let allowed: &[u16] = match self {
            Self::SignUp { .. } => &[200, 400, 429],
            // A password that is right is never wrong.
            Self::SignIn { .. } => &[200, 429],
            Self::Guess { .. } => &[403, 429],
            Self::GuessKey { .. } => &[401, 429],
            Self::UseToken { .. }
            | Self::UseKey { .. }
            | Self::ChangeProfile { .. }
            | Self::MakeKey { .. }
            | Self::RevokeKey { .. }
            | Self::LogOut { .. } => &[200, 401],
        };
        status == 503 || allowed.contains(&status)
    }

    pub(super) fn call(&self) -> Call {
        match self {
            Self::SignUp {
                ip,
                email,
                username,
                password,
            } => {
                let body = json!({"email": email, "username": username, "password": password});
                post("/user", &body).from(ip)
            }
            Self::SignIn {
                ip,
                name,
                password,
                is_login,
                ..
            } => {
                let path = if *is_login {
                    "/v1/auth/login"
                } else {
                    "/user/auth"
                };
                post(path, &json!({"username": name, "password": password})).from(ip)
            }
            Self::Guess { ip, name } => {
                let body = json!({"username": name, "password": "a guess"});
                post("/user/auth", &body).from(ip)
            }
            Self::GuessKey { ip } => get("/user")
                .api_key("api_ABCDEFGHIJKLMNOPQRSTUVWX")
                .from(ip),
            Self::UseToken { bearer, path, .. } => get(path).bearer(bearer),
            Self::UseKey { secret, path, .. } => get(path).api_key(secret),
            Self::ChangeProfile { bearer, mark, .. } => {
                let setting = json!({"category": "storm", "name": mark, "value": "1"});
                let user = json!({"firstName": mark, "settings": [setting]});
                post("/v1/auth/user", &json!({ "user": user })).bearer(bearer)
            }
            Self::MakeKey { bearer, .. } => {
                let body = json!({"name": "storm", "permissions": 15});
                post("/v1/api-keys", &body).bearer(bearer)
            }
            Self::RevokeKey { bearer, id, .. } => {
                let path = format!("/v1/api-keys/{id}");
                Call::new("DELETE", &path, "".into()).bearer(bearer)
            }
            Self::LogOut { bearer, .. } => post("/v1/auth/logout", &json!({})).bearer(bearer),
        }
    }
}
