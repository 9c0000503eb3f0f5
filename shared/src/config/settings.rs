//! Parses settings, with one method for each type. Errors name the variable.

use std::ffi::OsString;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use url::{Host, Url};

use super::{Aws, ConfigError, KeySource, SignUpConfig};
use crate::domain::{
    HashParams, Lifetime, Limit, Limits, PreviousHashParams, Scope, SigningAlgorithm,
};

pub(super) struct Settings<F> {
    lookup: F,
}

impl<F: Fn(&str) -> Option<OsString>> Settings<F> {
    pub(super) fn new(lookup: F) -> Self {
        Self { lookup }
    }

    /// Reads a variable. An empty value counts as absent.
    pub(super) fn get(&self, variable: &str) -> Result<Option<String>, ConfigError> {
        (self.lookup)(variable)
            .filter(|value| !value.is_empty())
            .map(OsString::into_string)
            .transpose()
            .map_err(|_| invalid(variable, "must be UTF-8"))
    }

    pub(super) fn required(&self, variable: &str) -> Result<String, ConfigError> {
        self.get(variable)?
            .ok_or_else(|| invalid(variable, "must be set"))
    }

    pub(super) fn text(&self, variable: &str, default: &str) -> Result<String, ConfigError> {
        Ok(self.get(variable)?.unwrap_or_else(|| default.to_owned()))
    }

    pub(super) fn number<T: FromStr>(
        &self,
        variable: &str,
        default: T,
        kind: &str,
    ) -> Result<T, ConfigError> {
        match self.get(variable)? {
            None => Ok(default),
            Some(value) => value
                .parse()
                .map_err(|_| invalid(variable, format!("must be {kind}"))),
        }
    }

    pub(super) fn at_least<T>(&self, variable: &str, default: T, least: T) -> Result<T, ConfigError>
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

    pub(super) fn lifetime(&self, variable: &str, default: &str) -> Result<Lifetime, ConfigError> {
        Lifetime::parse(&self.text(variable, default)?).map_err(|error| invalid(variable, error))
    }

    /// `REFRESH_GRACE`: up to ten minutes, because a thief can use a used refresh token for as long.
    pub(super) fn refresh_grace(&self) -> Result<Lifetime, ConfigError> {
        let variable = "REFRESH_GRACE";
        let grace = self.lifetime(variable, "10s")?;
        if grace.duration() > Duration::from_mins(10) {
            return Err(invalid(variable, "must be at most 10m"));
        }
        Ok(grace)
    }

    /// `None` if the variable is empty.
    pub(super) fn optional_lifetime(
        &self,
        variable: &str,
    ) -> Result<Option<Lifetime>, ConfigError> {
        self.get(variable)?
            .map(|text| Lifetime::parse(&text).map_err(|error| invalid(variable, error)))
            .transpose()
    }

    pub(super) fn aws(&self) -> Result<Aws, ConfigError> {
        let any_service = self.get("AWS_ENDPOINT_URL")?;
        let url = |variable| Ok(self.get(variable)?.or_else(|| any_service.clone()));
        Ok(Aws {
            region: self.required("AWS_REGION")?,
            dynamodb_url: url("AWS_ENDPOINT_URL_DYNAMODB")?,
            secrets_manager_url: url("AWS_ENDPOINT_URL_SECRETS_MANAGER")?,
            ses_url: url("AWS_ENDPOINT_URL_SESV2")?,
            sqs_url: url("AWS_ENDPOINT_URL_SQS")?,
            access_key_id: self.required("AWS_ACCESS_KEY_ID")?,
            secret_access_key: self.required("AWS_SECRET_ACCESS_KEY")?.into(),
            session_token: self.get("AWS_SESSION_TOKEN")?.map(Into::into),
        })
    }

    pub(super) fn keys(&self) -> Result<KeySource, ConfigError> {
        let keys = self.key_source("JWT_KEYS_SECRET", "JWT_KEYS_FILE")?;
        keys.ok_or_else(|| {
            let problem = "or JWT_KEYS_FILE must be set: the key ring that signs tokens";
            invalid("JWT_KEYS_SECRET", problem)
        })
    }

    pub(super) fn algorithm(&self) -> Result<SigningAlgorithm, ConfigError> {
        let variable = "JWT_ALGORITHM";
        let name = self.text(variable, "HS256")?;
        let algorithm = SigningAlgorithm::parse(&name);
        algorithm.ok_or_else(|| invalid(variable, "must be HS256, RS256, ES256 or EdDSA"))
    }

    pub(super) fn issuer(&self) -> Result<String, ConfigError> {
        let variable = "JWT_ISSUER";
        let issuer = self.text(variable, "latchkey")?;
        if self.algorithm()?.is_asymmetric() && !is_origin(&issuer) {
            let problem = "must be an https origin such as https://id.example.com, \
                because JWT_ALGORITHM is asymmetric";
            return Err(invalid(variable, problem));
        }
        Ok(issuer)
    }

    /// `None` if neither of the variables is set.
    pub(super) fn key_source(
        &self,
        secret: &str,
        file: &str,
    ) -> Result<Option<KeySource>, ConfigError> {
        match (self.get(secret)?, self.get(file)?) {
            (None, None) => Ok(None),
            (Some(secret), None) => Ok(Some(KeySource::Secret(secret))),
            (None, Some(path)) => Ok(Some(KeySource::File(path.into()))),
            (Some(_), Some(_)) => Err(invalid(secret, format!("and {file} cannot both be set"))),
        }
    }

    pub(super) fn sign_up(&self) -> Result<SignUpConfig, ConfigError> {
        let variable = "API_USER_CREATE_SCOPE";
        let scopes = match self.get(variable)? {
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
        let vendor = self.vendor()?;
        Ok(SignUpConfig { scopes, vendor })
    }

    fn vendor(&self) -> Result<Vec<String>, ConfigError> {
        let variable = "DEFAULT_USER_VENDOR";
        let Some(list) = self.get(variable)? else {
            return Ok(Vec::new());
        };
        if list.len() > 64 {
            return Err(invalid(variable, "must be of at most 64 bytes"));
        }
        let vendors: Vec<_> = list.split(',').map(|one| one.trim().to_owned()).collect();
        if vendors.iter().any(String::is_empty) {
            return Err(invalid(variable, "must be a comma-separated list"));
        }
        Ok(vendors)
    }

    pub(super) fn hash_params(&self) -> Result<HashParams, ConfigError> {
        HashParams::new(
            self.within("ARGON2_MEMORY_KIB", 19 * 1024, MEMORY_KIB)?,
            self.within("ARGON2_ITERATIONS", 2, ITERATIONS)?,
            self.within("ARGON2_PARALLELISM", 1, PARALLELISM)?,
        )
        .map_err(|error| invalid("ARGON2_MEMORY_KIB", error))
    }

    pub(super) fn previous_hash_params(&self) -> Result<Option<PreviousHashParams>, ConfigError> {
        let variable = "ARGON2_PREVIOUS";
        let percent = self.within("ARGON2_PREVIOUS_SHARE", 0, 0..=100)?;
        let Some(text) = self.get(variable)? else {
            return match percent {
                0 => Ok(None),
                _ => Err(invalid("ARGON2_PREVIOUS_SHARE", "needs ARGON2_PREVIOUS")),
            };
        };
        let problem = "must be memory, iterations and parallelism, such as 19456,2,1";
        let params = parse_hash_params(&text).ok_or_else(|| invalid(variable, problem))?;
        Ok(Some(PreviousHashParams { params, percent }))
    }

    pub(super) fn within<T>(
        &self,
        variable: &str,
        default: T,
        range: RangeInclusive<T>,
    ) -> Result<T, ConfigError>
    where
        T: FromStr + PartialOrd + fmt::Display,
    {
        let kind = format!("a whole number from {} to {}", range.start(), range.end());
        let number = self.number(variable, default, &kind)?;
        if range.contains(&number) {
            Ok(number)
        } else {
            Err(invalid(variable, format!("must be {kind}")))
        }
    }

    pub(super) fn limits(&self) -> Result<Limits, ConfigError> {
        let limit = |max, default_max, window, default_window| {
            Ok(Limit {
                max: self.at_least(max, default_max, 0)?,
                window: Duration::from_millis(self.at_least(window, default_window, 1)?),
            })
        };
        let sign_up_window = 60 * 60 * 1000;
        let sign_in_window = 15 * 60 * 1000;
        let day = 24 * 60 * 60 * 1000;
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
            sign_in_total: limit(
                "SIGNIN_RATE_LIMIT_TOTAL",
                50,
                "SIGNIN_RATE_LIMIT_TOTAL_WINDOW_MS",
                day,
            )?,
            profile_update: Limit {
                max: self.at_least("PROFILE_RATE_LIMIT", 60, 0)?,
                window: Duration::from_mins(1),
            },
            mail_address: Limit {
                max: self.at_least("MAIL_RATE_LIMIT_ADDRESS", 5, 0)?,
                window: Duration::from_hours(1),
            },
            mail_ip: Limit {
                max: self.at_least("MAIL_RATE_LIMIT_IP", 20, 0)?,
                window: Duration::from_hours(1),
            },
        })
    }
}

const MEMORY_KIB: RangeInclusive<u32> = 8..=1024 * 1024;
const ITERATIONS: RangeInclusive<u32> = 1..=100;
const PARALLELISM: RangeInclusive<u32> = 1..=16;

/// Whether others can fetch documents from there: https, or http on this machine. Verifiers compare issuers
/// byte by byte, so the origin is in its canonical form, without a slash.
fn is_origin(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let is_local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let is_reachable = url.scheme() == "https" || url.scheme() == "http" && is_local;
    is_reachable && url.origin().ascii_serialization() == text
}

/// Parses `<memory in KiB>,<iterations>,<parallelism>`.
fn parse_hash_params(text: &str) -> Option<HashParams> {
    let mut numbers = text.split(',').map(|number| number.parse().ok());
    let mut next = |range: RangeInclusive<u32>| {
        let number = numbers.next()??;
        range.contains(&number).then_some(number)
    };
    let params = HashParams::new(next(MEMORY_KIB)?, next(ITERATIONS)?, next(PARALLELISM)?);
    params.ok().filter(|_| numbers.next().is_none())
}

pub(super) fn invalid(variable: &str, problem: impl fmt::Display) -> ConfigError {
    ConfigError {
        variable: variable.to_owned(),
        problem: format!("{problem}"),
    }
}
