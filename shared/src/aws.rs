//! Configuration of the AWS SDK's clients.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, IdentityCache, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
pub use aws_types::SdkConfig;
use secrecy::ExposeSecret;

use crate::config::{Aws, KeySource};

impl Aws {
    /// The configuration that the clients of DynamoDB and Secrets Manager share. `keys` tells whether
    /// the latter is used.
    #[must_use]
    pub fn sdk_config(&self, keys: &KeySource) -> SdkConfig {
        let urls = match keys {
            KeySource::Secret(_) => &[&self.dynamodb_url, &self.secrets_manager_url][..],
            KeySource::File(_) => &[&self.dynamodb_url],
        };
        self.config(http_client(urls))
    }

    /// The configuration that the clients of SES and SQS share.
    #[must_use]
    pub fn mail_sdk_config(&self) -> SdkConfig {
        self.config(http_client(&[&self.ses_url, &self.sqs_url]))
    }

    /// Its timeouts are shorter than the function's, so that the function can answer 503.
    /// Credentials and region come from the variables that Lambda sets, so that a cold start does
    /// not search for profiles and metadata services.
    fn config(&self, http_client: SharedHttpClient) -> SdkConfig {
        let credentials = Credentials::new(
            self.access_key_id.clone(),
            self.secret_access_key.expose_secret(),
            self.session_token
                .as_ref()
                .map(|token| token.expose_secret().to_owned()),
            None,
            "environment",
        );
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(4))
            .build();
        let retries = RetryConfig::standard()
            .with_max_attempts(3)
            .with_initial_backoff(Duration::from_millis(50))
            .with_max_backoff(Duration::from_millis(500));
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(retries)
            .timeout_config(timeouts)
            // Static credentials need no cache. The timeouts above make stalled-stream protection
            // unnecessary for responses of a few kilobytes.
            .identity_cache(IdentityCache::no_cache())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(http_client)
            .build()
    }

    #[must_use]
    pub fn dynamodb(&self, sdk: &SdkConfig) -> aws_sdk_dynamodb::config::Builder {
        let mut config = aws_sdk_dynamodb::config::Builder::from(sdk);
        config.set_endpoint_url(self.dynamodb_url.clone());
        config
    }

    #[must_use]
    pub fn secrets_manager(&self, sdk: &SdkConfig) -> aws_sdk_secretsmanager::config::Builder {
        let mut config = aws_sdk_secretsmanager::config::Builder::from(sdk);
        config.set_endpoint_url(self.secrets_manager_url.clone());
        config
    }
}

/// One HTTP client for services with these endpoints, without TLS if all are plain HTTP.
fn http_client(urls: &[&Option<String>]) -> SharedHttpClient {
    let is_plain = |url: &&Option<String>| {
        let url = url.as_deref();
        url.is_some_and(|url| url.starts_with("http://"))
    };
    let http = aws_smithy_http_client::Builder::new();
    if urls.iter().all(is_plain) {
        http.build_http()
    } else {
        http.tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc))
            .build_https()
    }
}
