//! The use cases. They take and return domain types; [`crate::http`] maps them to HTTP.

mod admin;
mod api_keys;
mod attempt;
mod authenticate;
mod change;
mod codes;
mod credentials;
mod deletion;
mod deliver;
mod error;
mod introspect;
mod limits;
mod listing;
mod mail;
mod need;
mod operators;
mod own_account;
mod passwords;
mod profile;
mod refresh;
mod sessions;
mod sign_in;
mod sign_up;
mod tokens;

pub use admin::{AccountUpdate, DescribedAccount, read_account, reset_password, update_account};
pub use api_keys::{CreatedApiKey, NewApiKey, create_api_key, revoke_api_key};
pub use authenticate::{
    Caller, authenticate, authenticate_key_if_sent, authenticate_update,
    authenticate_with_metadata, authenticate_with_profile,
};
pub use codes::{confirm_email, confirm_new_email, reset_forgotten_password};
pub use credentials::{ApiKeyHeader, Authorization, Credentials, Scheme};
pub use deletion::{delete_account, read_deletion, remove_user};
pub use deliver::{Letter, NoLetter, NotSent, prepare};
pub use error::{AccountError, AuthError, Denial, InternalError, LimitExceeded, Name};
pub use introspect::{LiveToken, introspect, revoke};
pub use listing::{AccountFilter, AccountPage, PageRequest, count_accounts, list_accounts};
pub use mail::{ask_to_change_email, ask_to_reset_password, ask_to_verify_email};
pub use need::{KeyUse, Need};
pub use operators::{
    FoundAccount, WithApiKeys, account_by_id, account_with, disable_account, enable_account,
    end_sessions, find_account, grant_scopes,
};
pub use own_account::{Proof, change_username, delete_own_account};
pub use passwords::{change_password, set_random_password};
pub use profile::{ProfileRequest, update_profile};
pub use refresh::{Refreshed, refresh};
pub use sessions::{end_own_sessions, end_session, list_sessions, sign_out, stored_sessions};
pub use sign_in::{SignIn, SignedIn, sign_in};
pub use sign_up::{Creator, SignUp, SignedUp, creator, sign_up};
pub use tokens::{current_keys, verify_token};
