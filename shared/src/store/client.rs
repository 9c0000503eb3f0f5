//! The SDK client.

use std::fmt;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Builder, IdentityCache, Region, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};

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

/// How the SDK reaches DynamoDB.
///
/// Time-outs end before the function's own, so that a 503 is ours to give. Credentials and region
/// come from the variables Lambda sets, which spares a cold start the SDK's search for profiles
/// and metadata services. An `http:` endpoint (a local engine) is given no TLS to set up.
#[must_use]
pub fn client_config(aws: &Aws) -> Builder {
    let credentials = Credentials::new(
        aws.access_key_id.clone(),
        aws.secret_access_key.clone(),
        aws.session_token.clone(),
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
    let http = aws_smithy_http_client::Builder::new();
    let is_plain = aws
        .endpoint_url
        .as_deref()
        .is_some_and(|url| url.starts_with("http://"));
    let http = if is_plain {
        http.build_http()
    } else {
        http.tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
            .build_https()
    };
    let mut config = Builder::default()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(aws.region.clone()))
        .credentials_provider(credentials)
        .retry_config(retries)
        .timeout_config(timeouts)
        // Static credentials need no cache, and answers of a few kilobytes no watch on their flow:
        // the time-outs above bound them.
        .identity_cache(IdentityCache::no_cache())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(http);
    config.set_endpoint_url(aws.endpoint_url.clone());
    config
}
