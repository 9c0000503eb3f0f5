//! The credentials of a request.

use crate::crypto::PlainApiKey;
use crate::domain::SourceIp;

/// The credentials in a request's headers, which may be missing or malformed, and where they came from.
pub struct Credentials<'r> {
    pub source: SourceIp,
    pub authorization: Authorization<'r>,
    pub api_key: ApiKeyHeader,
}

/// The `Authorization` header.
pub enum Authorization<'r> {
    Nothing,
    /// The text after `Bearer`.
    Bearer(&'r str),
    OtherScheme(Scheme),
    Malformed,
}

/// The `x-api-key` header.
pub enum ApiKeyHeader {
    Nothing,
    Key(PlainApiKey),
    Malformed,
}

/// The authentication schemes that an error names if a caller uses them instead of Bearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 7617.
    Basic,
    /// RFC 7616.
    Digest,
    /// RFC 4559.
    Negotiate,
    /// Not a standard, but in use.
    ApiKey,
    /// Not a standard, but in use.
    Token,
}
