//! All environment variables, which are read, parsed and checked once at start.

mod mail;
mod proxies;
mod settings;
mod webhooks;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

pub use self::mail::MailConfig;
pub use self::proxies::TrustedProxies;
use self::settings::Settings;
pub use self::webhooks::{WebhookConfig, WebhookRetries, WebhookUrl};
use crate::domain::{
    HashParams, Lifetime, Limits, MAX_PASSWORD_BYTES, PasswordPolicy, PreviousHashParams, Scope,
    SigningAlgorithm,
};

#[derive(Debug)]
pub struct Config {
    pub aws: Aws,
    /// `STACK_NAME`: a dimension of every metric.
    pub stack: String,
    pub tables: Tables,
    /// `JWT_KEYS_SECRET` or `JWT_KEYS_FILE`: where the key ring is kept.
    pub keys: KeySource,
    /// `JWT_ALGORITHM`: what new keys are for. Each key of the ring says what it signs with.
    pub algorithm: SigningAlgorithm,
    /// `JWT_ISSUER`: the `iss` of tokens of new keys. If the algorithm is asymmetric, the origin under which the
    /// key set is served.
    pub issuer: String,
    /// `JWT_AUDIENCE`: the `aud` of every token.
    pub audience: String,
    /// `JWT_EXPIRES_IN`: the lifetime of tokens of the Appmixer family.
    pub token_lifetime: Lifetime,
    /// `SESSION_EXPIRES_IN`: the lifetime of tokens of the Management family.
    pub session_lifetime: Lifetime,
    /// `ACCESS_EXPIRES_IN`: the lifetime of the tokens of sessions that can be refreshed.
    pub access_lifetime: Lifetime,
    /// `REFRESH_GRACE`: how long a refresh token can be used again after its first use.
    pub refresh_grace: Lifetime,
    /// `REAUTH_MAX_AGE`: how long a sign-in counts as recent.
    pub reauth_max_age: Lifetime,
    /// `UNVERIFIED_ACCOUNT_EXPIRES_IN`: the time after sign-up at which an account expires if its email is
    /// still unverified. `None` for never.
    pub unverified_account_lifetime: Option<Lifetime>,
    /// `API_KEY_MAX_EXPIRES_IN`: the longest lifetime of a new API key. `None` for no maximum.
    pub api_key_max_lifetime: Option<Lifetime>,
    pub sign_up: SignUpConfig,
    /// `PASSWORD_MIN_LENGTH`, `PASSWORD_REJECT_COMMON`.
    pub passwords: PasswordPolicy,
    /// `ARGON2_MEMORY_KIB`, `ARGON2_ITERATIONS`, `ARGON2_PARALLELISM`.
    pub hash_params: HashParams,
    /// `ARGON2_PREVIOUS`, `ARGON2_PREVIOUS_SHARE`.
    pub previous_hash_params: Option<PreviousHashParams>,
    /// `USER_SIGNUP_RATE_LIMIT_*`, `SIGNIN_RATE_LIMIT_*`, `PROFILE_RATE_LIMIT`, `MAIL_RATE_LIMIT_*`.
    pub limits: Limits,
    pub proxies: TrustedProxies,
    pub mail: MailConfig,
    pub webhooks: WebhookConfig,
}

/// The SDK's settings, from the variables that Lambda sets.
#[derive(Debug, Clone)]
pub struct Aws {
    /// `AWS_REGION`.
    pub region: String,
    /// `AWS_ENDPOINT_URL_DYNAMODB`, else `AWS_ENDPOINT_URL`; `None` for the region's endpoint.
    pub dynamodb_url: Option<String>,
    /// `AWS_ENDPOINT_URL_SECRETS_MANAGER`, else `AWS_ENDPOINT_URL`.
    pub secrets_manager_url: Option<String>,
    /// `AWS_ENDPOINT_URL_SESV2`, else `AWS_ENDPOINT_URL`.
    pub ses_url: Option<String>,
    /// `AWS_ENDPOINT_URL_SQS`, else `AWS_ENDPOINT_URL`.
    pub sqs_url: Option<String>,
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: SecretString,
    /// `AWS_SESSION_TOKEN`.
    pub session_token: Option<SecretString>,
}

/// The names of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// `TABLE_USERS`.
    pub users: String,
    /// `TABLE_SESSIONS`.
    pub sessions: String,
    /// `TABLE_RATE_LIMITS`.
    pub rate_limits: String,
}

/// Where a key or the key ring is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// Such as `JWT_KEYS_SECRET`: the name or ARN of a secret in Secrets Manager.
    Secret(String),
    /// Such as `JWT_KEYS_FILE`: the path of a file.
    File(PathBuf),
}

/// Who may sign up, and the vendor of new accounts.
#[derive(Debug, Clone)]
pub struct SignUpConfig {
    /// `API_USER_CREATE_SCOPE`: a creator needs one of these scopes. `None` if sign-up is public.
    pub scopes: Option<Vec<Scope>>,
    /// `DEFAULT_USER_VENDOR`.
    pub vendor: Vec<String>,
}

/// An invalid variable, which stops a function at start. It does not contain the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {problem}")]
pub struct ConfigError {
    variable: String,
    problem: String,
}

impl Config {
    #[must_use]
    pub fn longest_token_life(&self) -> Duration {
        let all = [
            self.token_lifetime,
            self.session_lifetime,
            self.access_lifetime,
        ];
        let longest = all.iter().map(|lifetime| lifetime.duration()).max();
        longest.unwrap_or_default()
    }

    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        Self::from_lookup(|name| std::env::var_os(name))
    }

    /// Reads variables through `lookup`. An empty value counts as absent.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let settings = Settings::new(lookup);
        Ok(Self {
            aws: settings.aws()?,
            stack: settings.text("STACK_NAME", "latchkey")?,
            tables: Tables {
                users: settings.required("TABLE_USERS")?,
                sessions: settings.required("TABLE_SESSIONS")?,
                rate_limits: settings.required("TABLE_RATE_LIMITS")?,
            },
            keys: settings.keys()?,
            algorithm: settings.algorithm()?,
            issuer: settings.issuer()?,
            audience: settings.text("JWT_AUDIENCE", "latchkey")?,
            token_lifetime: settings.lifetime("JWT_EXPIRES_IN", "30d")?,
            session_lifetime: settings.lifetime("SESSION_EXPIRES_IN", "30m")?,
            access_lifetime: settings.lifetime("ACCESS_EXPIRES_IN", "15m")?,
            refresh_grace: settings.refresh_grace()?,
            reauth_max_age: settings.lifetime("REAUTH_MAX_AGE", "15m")?,
            unverified_account_lifetime: settings
                .optional_lifetime("UNVERIFIED_ACCOUNT_EXPIRES_IN")?,
            api_key_max_lifetime: settings.optional_lifetime("API_KEY_MAX_EXPIRES_IN")?,
            sign_up: settings.sign_up()?,
            passwords: PasswordPolicy {
                min_chars: settings.within("PASSWORD_MIN_LENGTH", 6, 1..=MAX_PASSWORD_BYTES)?,
                reject_common: settings.number("PASSWORD_REJECT_COMMON", false, "true or false")?,
            },
            hash_params: settings.hash_params()?,
            previous_hash_params: settings.previous_hash_params()?,
            limits: settings.limits()?,
            proxies: settings.proxies()?,
            mail: settings.mail()?,
            webhooks: settings.webhooks()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let base = [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("TABLE_USERS", "users"),
            ("TABLE_SESSIONS", "sessions"),
            ("TABLE_RATE_LIMITS", "rate-limits"),
            ("JWT_KEYS_FILE", "keys.json"),
        ];
        Config::from_lookup(|name| {
            let all = changes.iter().chain(&base);
            all.clone()
                .find(|(variable, _)| *variable == name)
                .map(|(_, value)| (*value).into())
        })
    }

    #[test]
    fn passwords_are_hashed_by_default_with_19_mib_2_passes_and_1_lane() {
        let params = HashParams::new(19 * 1024, 2, 1).unwrap();

        assert_eq!(config(&[]).unwrap().hash_params, params);
    }

    #[test]
    fn the_error_names_the_malformed_variable() {
        for (variable, value) in [
            ("USER_SIGNUP_RATE_LIMIT_EMAIL", "-1"),
            ("USER_SIGNUP_RATE_LIMIT_EMAIL", "ten"),
            ("USER_SIGNUP_RATE_LIMIT_EMAIL_WINDOW_MS", "0"),
            ("USER_SIGNUP_RATE_LIMIT_IP", "1e3"),
            ("USER_SIGNUP_RATE_LIMIT_IP_WINDOW_MS", "1.5"),
            ("SIGNIN_RATE_LIMIT_ACCOUNT", "x"),
            ("SIGNIN_RATE_LIMIT_WINDOW_MS", "0"),
            ("SIGNIN_RATE_LIMIT_TOTAL", "fifty"),
            ("SIGNIN_RATE_LIMIT_TOTAL_WINDOW_MS", "0"),
            ("JWT_ALGORITHM", "none"),
            ("JWT_ALGORITHM", "RS512"),
            ("JWT_ALGORITHM", "rs256"),
            ("JWT_EXPIRES_IN", "30"),
            ("UNVERIFIED_ACCOUNT_EXPIRES_IN", "30"),
            ("SESSION_EXPIRES_IN", "0m"),
            ("ACCESS_EXPIRES_IN", "15"),
            ("REFRESH_GRACE", "0s"),
            ("REFRESH_GRACE", "11m"),
            ("REAUTH_MAX_AGE", "15"),
            ("API_KEY_MAX_EXPIRES_IN", "1y"),
            ("PASSWORD_MIN_LENGTH", "0"),
            ("PASSWORD_MIN_LENGTH", "1025"),
            ("PASSWORD_REJECT_COMMON", "maybe"),
            ("ARGON2_MEMORY_KIB", "7"),
            ("ARGON2_MEMORY_KIB", "1048577"),
            ("ARGON2_ITERATIONS", "0"),
            ("ARGON2_ITERATIONS", "101"),
            ("ARGON2_PARALLELISM", "0"),
            ("ARGON2_PARALLELISM", "17"),
            ("ARGON2_PREVIOUS", "19456,2"),
            ("ARGON2_PREVIOUS", "19456,2,1,1"),
            ("ARGON2_PREVIOUS", "7,1,1"),
            ("ARGON2_PREVIOUS", "19456,0,1"),
            ("ARGON2_PREVIOUS", "19456,2,17"),
            ("ARGON2_PREVIOUS", "31,2,4"),
            ("ARGON2_PREVIOUS_SHARE", "101"),
            ("ARGON2_PREVIOUS_SHARE", "1"),
            ("API_USER_CREATE_SCOPE", "admin,,x"),
            ("TRUSTED_PROXY_HOPS", "1"),
            ("TRUSTED_PROXY_CIDRS", "10.0.0.0/33"),
            ("TRUSTED_PROXY_CIDRS", "10.0.0.0/8"),
            ("ORIGIN_SECRET", "0123456789abcdef0123456789abcde"),
            ("ORIGIN_SECRET", "0123456789abcdef 123456789abcdef"),
            ("ORIGIN_SECRET", "0123456789abcdef0123456789abcdef,"),
            ("MAIL_FROM", "Latchkey <noreply@example.com>"),
            ("MAIL_FROM", "noreply"),
            ("MAIL_FROM", "a@example.com,b@example.com"),
            ("MAIL_FROM", "nö@example.com"),
            ("EMAIL_VERIFICATION", "yes"),
            ("EMAIL_VERIFICATION", "required"),
            ("APP_URL", "app.example.com"),
            ("APP_URL", "ftp://app.example.com"),
            ("APP_URL", "https://app.example.com/?a=b"),
            ("APP_URL", "https://app.example.com/#a"),
            ("PRODUCT_NAME", "a\nb"),
            ("PRODUCT_NAME", "a name of more than forty bytes, all of it"),
            ("VERIFY_EMAIL_SUFFIX", "/verify?code"),
            ("VERIFY_EMAIL_SUFFIX", "verify?code="),
            ("RESET_PASSWORD_SUFFIX", "/a b?code="),
            ("CHANGE_EMAIL_SUFFIX", "/change"),
            ("MAIL_RATE_LIMIT_ADDRESS", "-1"),
            ("MAIL_RATE_LIMIT_IP", "many"),
            ("WEBHOOK_USER_CREATED", "http://hooks.example.com/"),
            ("WEBHOOK_USER_CREATED", "https://127.0.0.1/"),
            ("WEBHOOK_USER_CREATED", "https://0x7f.1/"),
            ("WEBHOOK_USER_CREATED", "https://[::1]/"),
            ("WEBHOOK_USER_CREATED", "https://me@hooks.example.com/"),
            ("WEBHOOK_USER_CREATED", "https://hooks.example.com/#a"),
            ("WEBHOOK_USER_FORGOT_PASSWORD", "https://hooks.example.com/"),
            ("WEBHOOK_ANY_ADDRESS", "yes"),
            ("WEBHOOK_RETRY_INTERVAL", "999"),
            ("WEBHOOK_RETRY_FACTOR", "0.9"),
            ("WEBHOOK_RETRY_FACTOR", "NaN"),
            ("WEBHOOK_RETRY_MAX_INTERVAL", "39600001"),
        ] {
            let message = config(&[(variable, value)]).unwrap_err().to_string();

            assert!(message.starts_with(variable), "{variable}: {message}");
        }
    }

    #[test]
    fn an_asymmetric_algorithm_needs_an_issuer_where_others_find_the_keys() {
        for issuer in [
            "https://id.example.com",
            "https://id.example.com:8443",
            "https://192.0.2.1",
            "http://localhost:3000",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
        ] {
            let settings = [("JWT_ALGORITHM", "RS256"), ("JWT_ISSUER", issuer)];
            assert_eq!(config(&settings).unwrap().issuer, issuer);
        }
        for issuer in [
            "latchkey",
            "http://id.example.com",
            "http://192.0.2.1",
            "https://id.example.com/",
            "https://id.example.com/auth",
            "https://id.example.com?a=b",
            "https://ID.example.com",
            "https://id.example.com:443",
            "https://me@id.example.com",
            "ftp://localhost",
        ] {
            for algorithm in ["RS256", "ES256", "EdDSA"] {
                let settings = [("JWT_ALGORITHM", algorithm), ("JWT_ISSUER", issuer)];
                let message = config(&settings).unwrap_err().to_string();
                assert!(message.starts_with("JWT_ISSUER must be"), "{message}");
            }
            let settings = [("JWT_ALGORITHM", "HS256"), ("JWT_ISSUER", issuer)];
            assert_eq!(config(&settings).unwrap().issuer, issuer);
        }
    }

    #[test]
    fn the_error_never_shows_the_malformed_value() {
        for variable in [
            "USER_SIGNUP_RATE_LIMIT_EMAIL",
            "USER_SIGNUP_RATE_LIMIT_EMAIL_WINDOW_MS",
            "USER_SIGNUP_RATE_LIMIT_IP",
            "USER_SIGNUP_RATE_LIMIT_IP_WINDOW_MS",
            "SIGNIN_RATE_LIMIT_ACCOUNT",
            "SIGNIN_RATE_LIMIT_IP",
            "SIGNIN_RATE_LIMIT_WINDOW_MS",
            "JWT_ALGORITHM",
            "JWT_EXPIRES_IN",
            "SESSION_EXPIRES_IN",
            "ACCESS_EXPIRES_IN",
            "REFRESH_GRACE",
            "REAUTH_MAX_AGE",
            "API_KEY_MAX_EXPIRES_IN",
            "PASSWORD_MIN_LENGTH",
            "PASSWORD_REJECT_COMMON",
            "ARGON2_MEMORY_KIB",
            "ARGON2_ITERATIONS",
            "ARGON2_PARALLELISM",
            "ARGON2_PREVIOUS",
            "ARGON2_PREVIOUS_SHARE",
            "API_USER_CREATE_SCOPE",
            "TRUSTED_PROXY_HOPS",
            "TRUSTED_PROXY_CIDRS",
            "ORIGIN_SECRET",
            "MAIL_FROM",
            "EMAIL_VERIFICATION",
            "APP_URL",
            "VERIFY_EMAIL_SUFFIX",
            "RESET_PASSWORD_SUFFIX",
            "CHANGE_EMAIL_SUFFIX",
            "MAIL_RATE_LIMIT_ADDRESS",
            "MAIL_RATE_LIMIT_IP",
            "WEBHOOK_USER_CREATED",
            "WEBHOOK_USER_FORGOT_PASSWORD",
            "WEBHOOK_RETRY_INTERVAL",
            "WEBHOOK_RETRY_FACTOR",
            "WEBHOOK_RETRY_MAX_INTERVAL",
        ] {
            let message = config(&[(variable, "s3cr3t!")]).unwrap_err().to_string();

            assert!(message.starts_with(variable), "{variable}: {message}");
            assert!(!message.contains("s3cr3t"), "{message}");
        }
    }

    #[test]
    fn a_hash_needs_eight_kib_per_lane() {
        let message = config(&[("ARGON2_MEMORY_KIB", "31"), ("ARGON2_PARALLELISM", "4")]);

        let message = message.unwrap_err().to_string();
        assert!(message.starts_with("ARGON2_MEMORY_KIB"), "{message}");
    }

    #[test]
    fn the_previous_cost_of_a_hash_is_memory_iterations_and_parallelism() {
        let previous = ("ARGON2_PREVIOUS", "19456,2,1");
        let with_share = config(&[previous, ("ARGON2_PREVIOUS_SHARE", "40")]).unwrap();

        let params = HashParams::new(19456, 2, 1).unwrap();
        let expected = |percent| Some(PreviousHashParams { params, percent });
        assert_eq!(with_share.previous_hash_params, expected(40));
        assert_eq!(
            config(&[previous]).unwrap().previous_hash_params,
            expected(0)
        );
    }

    #[test]
    fn a_variable_that_is_not_utf_8_is_refused() {
        use std::os::unix::ffi::OsStringExt;

        let message = Config::from_lookup(|name| match name {
            "API_USER_CREATE_SCOPE" => Some(OsString::from_vec(b"admin\xff".to_vec())),
            "JWT_KEYS_FILE" => Some("keys.json".into()),
            name if name.starts_with("AWS_") || name.starts_with("TABLE_") => Some("x".into()),
            _ => None,
        });

        let message = message.unwrap_err().to_string();
        assert_eq!(message, "API_USER_CREATE_SCOPE must be UTF-8");
    }

    #[test]
    fn the_key_ring_has_exactly_one_source() {
        let secret = "arn:aws:secretsmanager:eu-central-1:1:secret:a";
        for changes in [
            &[("JWT_KEYS_FILE", "")] as &[_],
            &[("JWT_KEYS_SECRET", secret)],
        ] {
            let message = config(changes).unwrap_err().to_string();

            assert!(message.starts_with("JWT_KEYS_SECRET"), "{message}");
        }
        let in_secret = config(&[("JWT_KEYS_FILE", ""), ("JWT_KEYS_SECRET", secret)]);
        assert_eq!(
            in_secret.unwrap().keys,
            KeySource::Secret(secret.to_owned())
        );
    }

    #[test]
    fn an_endpoint_url_of_one_service_overrides_that_of_all_services() {
        let all = ("AWS_ENDPOINT_URL", "http://localhost:4566");
        let dynamodb = ("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:8000");

        let aws = config(&[all, dynamodb]).unwrap().aws;

        assert_eq!(aws.dynamodb_url.as_deref(), Some("http://localhost:8000"));
        let secrets_manager = aws.secrets_manager_url.as_deref();
        assert_eq!(secrets_manager, Some("http://localhost:4566"));
        assert_eq!(config(&[]).unwrap().aws.dynamodb_url, None);
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let origin_secret = ("ORIGIN_SECRET", "0123456789abcdef0123456789abcdef");
        let config = format!(
            "{:?}",
            config(&[origin_secret, ("TRUSTED_PROXY_HOPS", "1")]).unwrap()
        );

        assert!(!config.contains("\"secret\""));
        assert!(!config.contains("0123456789abcdef"));
    }
}
