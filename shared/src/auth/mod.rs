//! The use cases. They take and return domain types; [`crate::http`] maps them to HTTP.

mod api_keys;
mod attempt;
mod authenticate;
mod credentials;
mod error;
mod grant;
mod limits;
mod profile;
mod sessions;
mod sign_in;
mod sign_up;
mod tokens;

pub use api_keys::{CreatedApiKey, NewApiKey, create_api_key, revoke_api_key};
pub use authenticate::{
    Caller, Need, authenticate, authenticate_key_if_sent, authenticate_update,
    authenticate_with_profile,
};
pub use credentials::{ApiKeyHeader, Authorization, Credentials, Scheme};
pub use error::{AuthError, Denial, InternalError, LimitExceeded, Name};
pub use grant::grant_scopes;
pub use profile::{ProfileRequest, update_profile};
pub use sessions::{WithApiKeys, end_sessions, sign_out};
pub use sign_in::{SignIn, SignedIn, sign_in};
pub use sign_up::{Creator, SignUp, SignedUp, creator, sign_up};
pub use tokens::verify_token;
