//! The `code` of the Management envelope.

use serde::{Serialize, Serializer};

/// The enum, and the list of its variants for whoever documents them.
macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $name:ident = $number:literal,)+) => {
        /// What an answer of the Management family is about. A caller may branch on it: a number
        /// never changes its meaning. docs/api.md lists when each occurs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $($(#[doc = $meaning])+ $name = $number,)+
        }

        impl Code {
            /// Every code and what it means.
            pub const ALL: &[(Self, &str)] = &[$((Self::$name, concat!($($meaning),+))),+];

            /// Its name in logs and metrics.
            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }
    };
}

codes! {
    /// It went well.
    Success = 0,

    /// The request cannot be read.
    Unreadable = 1000,
    /// No route has this path.
    NotFound = 1001,
    /// The path has routes by other methods.
    MethodNotAllowed = 1002,
    /// The body is too large.
    TooLarge = 1003,
    /// The body is not declared to be JSON.
    UnsupportedMediaType = 1004,
    /// The body is not a JSON object.
    MalformedJson = 1005,
    /// A field is missing or wrong.
    InvalidField = 1006,
    /// The email or username is taken.
    Taken = 1007,
    /// There is no token to log out.
    NoToken = 1008,
    /// The caller has no such API key.
    NoApiKey = 1009,

    /// No credentials.
    NoCredentials = 2000,
    /// Credentials of another scheme than Bearer.
    OtherScheme = 2001,
    /// Not a bearer token.
    TokenFormat = 2002,
    /// Not a token of ours.
    TokenSignature = 2003,
    /// The token has expired.
    TokenExpired = 2004,
    /// The token is not valid yet.
    TokenNotActive = 2005,
    /// The token was revoked, or its account is gone.
    TokenRevoked = 2006,
    /// Not a live API key of the caller's.
    ApiKey = 2007,
    /// Wrong password, or nobody has the username.
    InvalidCredentials = 2008,

    /// A scope or permission is missing.
    InsufficientScope = 3000,
    /// Only a bearer token, without an API key, is taken here.
    TokenAlone = 3001,

    /// Too many sign-ups from the address.
    SignUpIpLimit = 4000,
    /// Too many sign-ups for the email.
    SignUpEmailLimit = 4001,
    /// Too many failed sign-ins, or guessed API keys.
    SignInLimit = 4002,
    /// The caller has as many live API keys as they may.
    TooManyApiKeys = 4003,

    /// A fault of the service.
    Internal = 5000,
    /// The service is away for the moment.
    Unavailable = 5001,
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(*self as u16)
    }
}
