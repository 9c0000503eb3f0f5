//! The credentials of a request, as it presents them.

use crate::crypto::PlainApiKey;

/// Credentials as a request credentials them, well-formed or not.
pub struct Credentials<'r> {
    /// The `Authorization` header.
    pub authorization: Authorization<'r>,
    /// The `x-api-key` header.
    pub api_key: ApiKeyHeader,
}

/// An `Authorization` header.
pub enum Authorization<'r> {
    /// There is none.
    Nothing,
    /// What follows `Bearer`.
    Bearer(&'r str),
    /// Another scheme.
    OtherScheme(Scheme),
    /// None of these.
    Malformed,
}

/// An `x-api-key` header.
pub enum ApiKeyHeader {
    /// There is none.
    Nothing,
    /// A key.
    Key(PlainApiKey),
    /// Nothing that could be a key.
    Malformed,
}

/// The authentication schemes that are named to a caller who confused them with Bearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 7617.
    Basic,
    /// RFC 7616.
    Digest,
    /// RFC 4559.
    Negotiate,
    /// No standard, but seen.
    ApiKey,
    /// No standard, but seen.
    Token,
}
