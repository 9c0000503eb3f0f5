//! The use cases. They take and return domain types; [`crate::http`] maps them to HTTP.

mod accounts;
mod api_keys;
mod attempt;
mod authenticate;
mod credentials;
mod error;
mod limits;
mod passwords;
mod profile;
mod sign_in;
mod sign_out;
mod sign_up;
mod tokens;

pub use accounts::{
    FoundAccount, WithApiKeys, account_by_id, account_with, delete_account, disable_account,
    enable_account, end_sessions, find_account, grant_scopes,
};
pub use api_keys::{CreatedApiKey, NewApiKey, create_api_key, revoke_api_key};
pub use authenticate::{
    Caller, Need, authenticate, authenticate_key_if_sent, authenticate_update,
    authenticate_with_profile,
};
pub use credentials::{ApiKeyHeader, Authorization, Credentials, Scheme};
pub use error::{AccountError, AuthError, Denial, InternalError, LimitExceeded, Name};
pub use passwords::set_random_password;
pub use profile::{ProfileRequest, update_profile};
pub use sign_in::{SignIn, SignedIn, sign_in};
pub use sign_out::sign_out;
pub use sign_up::{Creator, SignUp, SignedUp, creator, sign_up};
pub use tokens::verify_token;
