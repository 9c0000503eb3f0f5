//! The `code` of the Management envelope.

use serde::{Serialize, Serializer};

/// Defines the enum, and [`Code::ALL`] with each code's doc comment for the API's description.
macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $name:ident = $number:literal,)+) => {
        /// The outcome of a request of the Management family. Callers may branch on it: a number
        /// never changes its meaning. docs/api.md says when each occurs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $($(#[doc = $meaning])+ $name = $number,)+
        }

        impl Code {
            /// Every code and its meaning.
            pub const ALL: &[(Self, &str)] = &[$((Self::$name, concat!($($meaning),+))),+];

            /// The name in logs, metrics and the API's description.
            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }
    };
}

codes! {
    /// The request succeeded.
    Success = 0,

    /// The request cannot be read.
    Unreadable = 1000,
    /// No route has this path.
    NotFound = 1001,
    /// The path exists, but not for this method.
    MethodNotAllowed = 1002,
    /// The body is too large.
    TooLarge = 1003,
    /// The content type is not that of the route's bodies.
    UnsupportedMediaType = 1004,
    /// The body is not a JSON object.
    MalformedJson = 1005,
    /// A field is missing or wrong.
    InvalidField = 1006,
    /// The email or username is taken.
    Taken = 1007,
    /// A logout needs a bearer token.
    NoToken = 1008,
    /// The caller has no such API key.
    NoApiKey = 1009,
    /// The request does not come through the edge.
    NotThroughEdge = 1010,
    /// The caller has no such session.
    NoSession = 1011,
    /// No administrator would be left.
    LastAdministrator = 1012,
    /// There is no such user.
    NoUser = 1013,
    /// The ticket is not of this account's deletion, or too old.
    NoTicket = 1014,
    /// A token of this kind cannot be revoked here.
    UnsupportedToken = 1015,
    /// The one-time code is not valid, or not any more.
    InvalidCode = 1020,

    /// No credentials.
    NoCredentials = 2000,
    /// The authorization scheme is not Bearer.
    OtherScheme = 2001,
    /// The bearer token is malformed.
    TokenFormat = 2002,
    /// The token's signature or claims are invalid.
    TokenSignature = 2003,
    /// The token has expired.
    TokenExpired = 2004,
    /// The token is not valid yet.
    TokenNotActive = 2005,
    /// The token was revoked, or its account no longer exists.
    TokenRevoked = 2006,
    /// The API key is not valid, or belongs to another account than the token.
    ApiKey = 2007,
    /// Wrong username or password.
    InvalidCredentials = 2008,
    /// The route needs a token of a recent sign-in.
    SignInNotRecent = 2009,
    /// The refresh token is not valid, or not any more.
    RefreshToken = 2010,

    /// A scope or permission is missing.
    InsufficientScope = 3000,
    /// This route accepts a bearer token only, without an API key.
    TokenAlone = 3001,
    /// The account's email is not verified, and `EMAIL_VERIFICATION` requires it.
    EmailNotVerified = 3002,

    /// Too many sign-ups from the source address.
    SignUpIpLimit = 4000,
    /// Too many sign-ups for the email.
    SignUpEmailLimit = 4001,
    /// Too many failed sign-ins, unknown API keys or invalid codes.
    SignInLimit = 4002,
    /// The account has reached the limit of live API keys.
    TooManyApiKeys = 4003,
    /// Too many updates of the profile.
    ProfileUpdateLimit = 4004,

    /// An internal error of the service.
    Internal = 5000,
    /// The service is temporarily unavailable.
    Unavailable = 5001,
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(*self as u16)
    }
}
