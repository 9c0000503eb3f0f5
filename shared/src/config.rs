//! Every environment variable: looked up once, typed, and checked at start.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::auth::Limits;
use crate::crypto::{HashParams, KeyRing};
use crate::domain::{Lifetime, Limit, PasswordPolicy, Scope};
use crate::store::Tables;

/// What the operator decided.
#[derive(Debug)]
pub struct Config {
    /// How to reach DynamoDB.
    pub aws: Aws,
    /// `TABLE_USERS`, `TABLE_SESSIONS`, `TABLE_RATE_LIMITS`.
    pub tables: Tables,
    /// The keys of `JWT_KEYS`, or of the file `JWT_KEYS_FILE` names.
    pub keys: Arc<KeyRing>,
    /// `JWT_ISSUER`: the `iss` of every token.
    pub issuer: String,
    /// `JWT_AUDIENCE`: the `aud` of every token.
    pub audience: String,
    /// `JWT_EXPIRES_IN`: how long a token of the Appmixer family lives.
    pub token_lifetime: Lifetime,
    /// Who may sign up, and as what.
    pub sign_up: SignUpConfig,
    /// `PASSWORD_MIN_LENGTH`, `PASSWORD_REJECT_COMMON`.
    pub passwords: PasswordPolicy,
    /// `ARGON2_MEMORY_KIB`, `ARGON2_ITERATIONS`, `ARGON2_PARALLELISM`.
    pub hash_params: HashParams,
    /// `USER_SIGNUP_RATE_LIMIT_*`, `SIGNIN_RATE_LIMIT_*`.
    pub limits: Limits,
    /// The proxies in front of API Gateway.
    pub proxies: TrustedProxies,
}

/// How to reach DynamoDB: the variables Lambda sets.
#[derive(Clone)]
pub struct Aws {
    /// `AWS_REGION`.
    pub region: String,
    /// `AWS_ENDPOINT_URL_DYNAMODB`: another endpoint than the region's.
    pub endpoint_url: Option<String>,
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: String,
    /// `AWS_SESSION_TOKEN`.
    pub session_token: Option<String>,
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws")
            .field("region", &self.region)
            .field("endpoint_url", &self.endpoint_url)
            .finish_non_exhaustive()
    }
}

/// Who may sign up, and as what.
#[derive(Debug, Clone)]
pub struct SignUpConfig {
    /// `API_USER_CREATE_SCOPE`: the scopes one of which a creator needs; `None` lets anybody.
    pub scopes: Option<Vec<Scope>>,
    /// `DEFAULT_USER_VENDOR`: the vendor of a new account.
    pub vendor: Option<String>,
}

/// The proxies in front of API Gateway, whose word on the client's address is taken.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    /// `TRUSTED_PROXY_HOPS`: how many there are in a row; 0 for none.
    pub hops: usize,
    /// `TRUSTED_PROXY_CIDRS`: where the last of them connects from.
    pub networks: Vec<IpNet>,
}

impl TrustedProxies {
    /// Whether a connection from `peer` is one of theirs.
    #[must_use]
    pub fn include(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.hops > 0 && self.networks.iter().any(|network| network.contains(&peer))
    }
}

/// A variable that stops a function at start. Never shows the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {problem}")]
pub struct ConfigError {
    variable: String,
    problem: String,
}

impl Config {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads settings by name; an empty value counts as absent.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let settings = Settings {
            lookup: |name: &str| lookup(name).filter(|value| !value.is_empty()),
        };
        Ok(Self {
            aws: settings.aws()?,
            tables: Tables {
                users: settings.required("TABLE_USERS")?,
                sessions: settings.required("TABLE_SESSIONS")?,
                rate_limits: settings.required("TABLE_RATE_LIMITS")?,
            },
            keys: Arc::new(settings.keys()?),
            issuer: settings.text("JWT_ISSUER", "latchkey"),
            audience: settings.text("JWT_AUDIENCE", "latchkey"),
            token_lifetime: settings.lifetime("JWT_EXPIRES_IN", "30d")?,
            sign_up: settings.sign_up()?,
            passwords: PasswordPolicy {
                min_chars: settings.at_least("PASSWORD_MIN_LENGTH", 6, 1)?,
                reject_common: settings.number("PASSWORD_REJECT_COMMON", false, "true or false")?,
            },
            hash_params: settings.hash_params()?,
            limits: settings.limits()?,
            proxies: settings.proxies()?,
        })
    }
}

struct Settings<F> {
    lookup: F,
}

impl<F: Fn(&str) -> Option<String>> Settings<F> {
    fn get(&self, variable: &str) -> Option<String> {
        (self.lookup)(variable)
    }

    fn required(&self, variable: &str) -> Result<String, ConfigError> {
        self.get(variable)
            .ok_or_else(|| invalid(variable, "must be set"))
    }

    fn text(&self, variable: &str, default: &str) -> String {
        self.get(variable).unwrap_or_else(|| default.to_owned())
    }

    fn number<T: FromStr>(&self, variable: &str, default: T, kind: &str) -> Result<T, ConfigError> {
        match self.get(variable) {
            None => Ok(default),
            Some(value) => value
                .parse()
                .map_err(|_| invalid(variable, format!("must be {kind}"))),
        }
    }

    fn at_least<T>(&self, variable: &str, default: T, least: T) -> Result<T, ConfigError>
    where
        T: FromStr + PartialOrd + fmt::Display + Copy,
    {
        let kind = format!("a whole number of at least {least}");
        let number = self.number(variable, default, &kind)?;
        if number < least {
            return Err(invalid(variable, format!("must be {kind}")));
        }
        Ok(number)
    }

    fn lifetime(&self, variable: &str, default: &str) -> Result<Lifetime, ConfigError> {
        Lifetime::parse(&self.text(variable, default)).map_err(|error| invalid(variable, error))
    }

    fn aws(&self) -> Result<Aws, ConfigError> {
        Ok(Aws {
            region: self.required("AWS_REGION")?,
            endpoint_url: self.get("AWS_ENDPOINT_URL_DYNAMODB"),
            access_key_id: self.required("AWS_ACCESS_KEY_ID")?,
            secret_access_key: self.required("AWS_SECRET_ACCESS_KEY")?,
            session_token: self.get("AWS_SESSION_TOKEN"),
        })
    }

    fn keys(&self) -> Result<KeyRing, ConfigError> {
        let (variable, json) = match (self.get("JWT_KEYS"), self.get("JWT_KEYS_FILE")) {
            (Some(json), _) => ("JWT_KEYS", json),
            (None, Some(path)) => {
                let json = std::fs::read_to_string(path).map_err(|error| {
                    invalid("JWT_KEYS_FILE", format!("cannot be read: {}", error.kind()))
                })?;
                ("JWT_KEYS_FILE", json)
            }
            (None, None) => {
                let problem = "or JWT_KEYS_FILE must be set: the key ring that signs tokens";
                return Err(invalid("JWT_KEYS", problem));
            }
        };
        KeyRing::from_json(&json).map_err(|error| invalid(variable, error))
    }

    fn sign_up(&self) -> Result<SignUpConfig, ConfigError> {
        let variable = "API_USER_CREATE_SCOPE";
        let scopes = match self.get(variable) {
            None => None,
            Some(list) => {
                let scopes: Option<Vec<_>> = list
                    .split(',')
                    .map(|scope| Scope::parse(scope.trim()))
                    .collect();
                let problem = "must be a comma-separated list of scopes";
                Some(scopes.ok_or_else(|| invalid(variable, problem))?)
            }
        };
        let vendor = self.get("DEFAULT_USER_VENDOR");
        if vendor.as_ref().is_some_and(|vendor| vendor.len() > 64) {
            let problem = "must be of at most 64 bytes";
            return Err(invalid("DEFAULT_USER_VENDOR", problem));
        }
        Ok(SignUpConfig { scopes, vendor })
    }

    fn hash_params(&self) -> Result<HashParams, ConfigError> {
        HashParams::new(
            self.at_least("ARGON2_MEMORY_KIB", 19 * 1024, 8)?,
            self.at_least("ARGON2_ITERATIONS", 2, 1)?,
            self.at_least("ARGON2_PARALLELISM", 1, 1)?,
        )
        .map_err(|error| invalid("ARGON2_MEMORY_KIB, _ITERATIONS or _PARALLELISM", error))
    }

    fn limits(&self) -> Result<Limits, ConfigError> {
        let limit = |max, default_max, window, default_window| {
            Ok(Limit {
                max: self.at_least(max, default_max, 0)?,
                window: Duration::from_millis(self.at_least(window, default_window, 1)?),
            })
        };
        let sign_up_window = 60 * 60 * 1000;
        let sign_in_window = 15 * 60 * 1000;
        Ok(Limits {
            sign_up_email: limit(
                "USER_SIGNUP_RATE_LIMIT_EMAIL",
                10,
                "USER_SIGNUP_RATE_LIMIT_EMAIL_WINDOW_MS",
                sign_up_window,
            )?,
            sign_up_ip: limit(
                "USER_SIGNUP_RATE_LIMIT_IP",
                50,
                "USER_SIGNUP_RATE_LIMIT_IP_WINDOW_MS",
                sign_up_window,
            )?,
            sign_in_account: limit(
                "SIGNIN_RATE_LIMIT_ACCOUNT",
                10,
                "SIGNIN_RATE_LIMIT_WINDOW_MS",
                sign_in_window,
            )?,
            sign_in_ip: limit(
                "SIGNIN_RATE_LIMIT_IP",
                100,
                "SIGNIN_RATE_LIMIT_WINDOW_MS",
                sign_in_window,
            )?,
        })
    }

    fn proxies(&self) -> Result<TrustedProxies, ConfigError> {
        let hops = self.at_least("TRUSTED_PROXY_HOPS", 0, 0)?;
        let variable = "TRUSTED_PROXY_CIDRS";
        let networks = match self.get(variable) {
            None => Vec::new(),
            Some(list) => list
                .split(',')
                .map(|network| network.trim().parse())
                .collect::<Result<_, _>>()
                .map_err(|_| {
                    let problem = "must be a comma-separated list of networks such as 10.0.0.0/8";
                    invalid(variable, problem)
                })?,
        };
        if (hops == 0) != networks.is_empty() {
            let problem = "and TRUSTED_PROXY_HOPS must be set together, or neither";
            return Err(invalid(variable, problem));
        }
        Ok(TrustedProxies { hops, networks })
    }
}

fn invalid(variable: &str, problem: impl fmt::Display) -> ConfigError {
    ConfigError {
        variable: variable.to_owned(),
        problem: format!("{problem}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &str = r#"{"keys":[{"kid":"k","state":"active",
        "key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#;

    fn config(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let base = [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("TABLE_USERS", "users"),
            ("TABLE_SESSIONS", "sessions"),
            ("TABLE_RATE_LIMITS", "rate-limits"),
            ("JWT_KEYS", KEYS),
        ];
        Config::from_lookup(|name| {
            let all = changes.iter().chain(&base);
            all.clone()
                .find(|(variable, _)| *variable == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn defaults_are_the_documented_ones() {
        let config = config(&[]).unwrap();

        let hour = Duration::from_hours(1);
        let quarter = Duration::from_mins(15);
        let limit = |max, window| Limit { max, window };
        assert_eq!(config.limits.sign_up_email, limit(10, hour));
        assert_eq!(config.limits.sign_up_ip, limit(50, hour));
        assert_eq!(config.limits.sign_in_account, limit(10, quarter));
        assert_eq!(config.limits.sign_in_ip, limit(100, quarter));
        assert_eq!(config.token_lifetime, Lifetime::parse("30d").unwrap());
        assert_eq!(config.passwords.min_chars, 6);
        assert_eq!(config.hash_params, HashParams::new(19456, 2, 1).unwrap());
        assert!(!config.passwords.reject_common);
        assert!(config.sign_up.scopes.is_none());
    }

    #[test]
    fn a_malformed_variable_is_named_and_never_shown() {
        for (variable, value) in [
            ("USER_SIGNUP_RATE_LIMIT_EMAIL", "-1"),
            ("USER_SIGNUP_RATE_LIMIT_EMAIL", "ten"),
            ("USER_SIGNUP_RATE_LIMIT_EMAIL_WINDOW_MS", "0"),
            ("USER_SIGNUP_RATE_LIMIT_IP", "1e3"),
            ("USER_SIGNUP_RATE_LIMIT_IP_WINDOW_MS", "1.5"),
            ("SIGNIN_RATE_LIMIT_ACCOUNT", "x"),
            ("SIGNIN_RATE_LIMIT_WINDOW_MS", "0"),
            ("JWT_EXPIRES_IN", "30"),
            ("JWT_KEYS", "s3cr3t"),
            ("PASSWORD_MIN_LENGTH", "0"),
            ("PASSWORD_REJECT_COMMON", "maybe"),
            ("ARGON2_MEMORY_KIB", "7"),
            ("ARGON2_ITERATIONS", "0"),
            ("ARGON2_PARALLELISM", "17"),
            ("API_USER_CREATE_SCOPE", "admin,,x"),
            ("TRUSTED_PROXY_HOPS", "1"),
            ("TRUSTED_PROXY_CIDRS", "10.0.0.0/33"),
        ] {
            let message = config(&[(variable, value)]).unwrap_err().to_string();

            let named = variable.trim_start_matches("ARGON2_PARALLELISM");
            assert!(message.contains(named), "{variable}: {message}");
            assert!(!message.contains("s3cr3t"), "{message}");
        }
    }

    #[test]
    fn without_a_key_nothing_starts() {
        for changes in [
            &[("JWT_KEYS", "")] as &[_],
            &[("JWT_KEYS", ""), ("JWT_KEYS_FILE", "/nonexistent/keys")],
        ] {
            let message = config(changes).unwrap_err().to_string();

            assert!(message.contains("JWT_KEYS"), "{message}");
        }
    }

    #[test]
    fn only_a_peer_in_a_trusted_network_is_a_proxy() {
        let proxies = config(&[
            ("TRUSTED_PROXY_HOPS", "1"),
            ("TRUSTED_PROXY_CIDRS", "10.0.0.0/8, 2001:db8::/32"),
        ])
        .unwrap()
        .proxies;

        for (peer, trusted) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("2001:db8::1", true),
            ("11.0.0.1", false),
        ] {
            assert_eq!(proxies.include(peer.parse().unwrap()), trusted, "{peer}");
        }
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let config = format!("{:?}", config(&[]).unwrap());

        assert!(!config.contains("AAAAAAAA") && !config.contains("\"secret\""));
    }
}
