//! The HTTP client of webhooks. It connects to public addresses only, follows no redirect, and gives a
//! receiver a bounded time.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use tokio::net::lookup_host;

use crate::address::is_public;

#[derive(Debug)]
pub struct HttpClient {
    connector: Connector,
    timeout: Duration,
}

/// What is sent: a body, which may have a code, and the headers of Standard Webhooks.
pub struct Post {
    pub id: String,
    pub timestamp: i64,
    pub signature: String,
    pub body: String,
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Post({})", self.id)
    }
}

/// Why a receiver did not acknowledge a webhook.
#[derive(Debug, thiserror::Error)]
pub enum NotAcknowledged {
    #[error("the receiver's status was {0}")]
    Status(u16),
    #[error("the receiver did not respond within {0:?}")]
    TooSlow(Duration),
    #[error("the receiver cannot be reached")]
    Unreachable(#[from] ConnectorError),
    #[error("the request cannot be made")]
    Request(#[from] aws_smithy_runtime_api::http::HttpError),
}

impl HttpClient {
    /// Trusts the system's certificate authorities. `any_address` allows private addresses. `timeout` is how
    /// long a receiver may take until its status is known. No connection is used again: Lambda freezes the
    /// process between invocations, and the receiver may close it meanwhile.
    #[must_use]
    pub fn new(any_address: bool, timeout: Duration) -> Self {
        let connector = Connector::builder()
            .pool_max_idle_per_host(0)
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        let connector = if any_address {
            connector.build()
        } else {
            connector.build_with_resolver(PublicAddresses)
        };
        Self { connector, timeout }
    }

    /// Returns the status, if it is 2xx. Any other is a failure, a redirect too.
    pub async fn post(&self, url: &str, post: Post) -> Result<u16, NotAcknowledged> {
        let mut request = HttpRequest::new(SdkBody::from(post.body));
        request.set_method("POST")?;
        request.set_uri(url)?;
        let headers = request.headers_mut();
        headers.insert("content-type", "application/json");
        headers.insert(
            "user-agent",
            concat!("latchkey/", env!("CARGO_PKG_VERSION")),
        );
        headers.insert("webhook-id", post.id);
        headers.insert("webhook-timestamp", post.timestamp.to_string());
        headers.insert("webhook-signature", post.signature);
        let response = tokio::time::timeout(self.timeout, self.connector.call(request)).await;
        let response = response.map_err(|_| NotAcknowledged::TooSlow(self.timeout))??;
        match response.status() {
            status if status.is_success() => Ok(status.as_u16()),
            status => Err(NotAcknowledged::Status(status.as_u16())),
        }
    }
}

/// Finds only the public addresses of a host. The connector connects to what it finds, without asking again.
#[derive(Debug, Clone)]
struct PublicAddresses;

impl ResolveDns for PublicAddresses {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            let found = lookup_host((name, 0)).await.map_err(ResolveDnsError::new)?;
            let addresses = found.map(|found| found.ip());
            let public: Vec<IpAddr> = addresses.filter(|address| is_public(*address)).collect();
            if public.is_empty() {
                let problem = "the host has no public address";
                return Err(ResolveDnsError::new(problem));
            }
            Ok(public)
        })
    }
}
