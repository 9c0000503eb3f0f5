//! HTTP: requests and replies.
//!
//! | module | contents |
//! | --- | --- |
//! | [`event`] | API Gateway's events and responses |
//! | [`request`] | a request's body, credentials and source address |
//! | [`route`] | matches a path against a route |
//! | [`body`] | reads a body, JSON or a form, into the struct that declares it |
//! | [`reply`] | an endpoint's reply |
//! | [`errors`] | the table from error to status, code and text |
//! | [`problem`] | what can be wrong with a field, and the error texts |
//! | [`family`], [`code`] | the envelopes, and the codes of the Management family |
//! | [`rate_limit`] | the `RateLimit` headers |
//! | [`openapi`] | the API's description; no Lambda function calls it, so no binary contains it |
//! | [`account_filter`] | the parameters that select accounts |
//! | [`user`] | Appmixer's user object |
//! | [`profile`], [`api_key`] | the Management family's user and API key objects |

pub mod account_filter;
pub mod api_key;
pub mod body;
pub mod code;
mod error_reply;
pub mod errors;
pub mod event;
pub mod family;
mod json;
pub mod openapi;
pub mod problem;
pub mod profile;
pub mod rate_limit;
pub mod reply;
pub mod request;
pub mod route;
pub mod user;

pub use errors::{HttpError, InField};
pub use family::Family;
pub use lambda_http::Request;
pub use reply::Reply;
