//! An endpoint's reply.

use lambda_http::http::header::{CACHE_CONTROL, CONTENT_TYPE, LINK, X_CONTENT_TYPE_OPTIONS};
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use super::HttpError;
use super::code::Code;
use super::rate_limit;
use crate::domain::{RateLimitPolicy, RateLimitStatus, Timestamp};

/// A status, headers and a JSON body.
pub struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    /// A 200 with this body.
    pub fn ok(body: &impl Serialize) -> Result<Self, HttpError> {
        let body = serde_json::to_string(body).map_err(HttpError::Unserializable)?;
        Ok(Self::new(StatusCode::OK, body))
    }

    /// A 200 of the Management family: its envelope and the fields of `payload`.
    pub fn success(payload: &impl Serialize) -> Result<Self, HttpError> {
        #[derive(Serialize)]
        struct Envelope<'p, P> {
            success: bool,
            code: Code,
            message: &'static str,
            #[serde(flatten)]
            payload: &'p P,
        }
        Self::ok(&Envelope {
            success: true,
            code: Code::Success,
            message: "",
            payload,
        })
    }

    pub(crate) fn new(status: StatusCode, body: String) -> Self {
        let headers = [
            (CONTENT_TYPE, "application/json; charset=utf-8"),
            (CACHE_CONTROL, "no-store"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        Self {
            status,
            headers: headers
                .into_iter()
                .map(|(name, value)| (name, HeaderValue::from_static(value)))
                .collect(),
            body,
        }
    }

    /// Adds the `RateLimit` headers of a counted attempt.
    #[must_use]
    pub fn with_rate_limit(
        mut self,
        rate_limits: &[(RateLimitPolicy, RateLimitStatus)],
        now: Timestamp,
    ) -> Self {
        for (name, value) in rate_limit::headers(rate_limits, now) {
            self.set(HeaderName::from_static(name), &value);
        }
        self
    }

    /// Adds a `Link` to the next page (RFC 8288).
    #[must_use]
    pub fn with_next_page(mut self, target: &str) -> Self {
        self.set(LINK, &format!("<{target}>; rel=\"next\""));
        self
    }

    /// Lets any cache keep the reply, for this many seconds.
    #[must_use]
    pub fn cached_for(mut self, seconds: u32) -> Self {
        self.set(CACHE_CONTROL, &format!("public, max-age={seconds}"));
        self
    }

    /// Sets a header, or does nothing if the value is not a valid header value.
    pub(crate) fn set(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reply({}, redacted)", self.status)
    }
}
