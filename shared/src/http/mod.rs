//! HTTP: requests in, responses out.
//!
//! | module | what is there |
//! | --- | --- |
//! | [`event`] | API Gateway's events, in and out |
//! | [`request`] | what a request says: body, credentials, address |
//! | [`object`] | a JSON body, read field by field |
//! | [`reply`] | what an endpoint answers |
//! | [`errors`] | the one table from error to status and body |
//! | [`rate_limit`] | the `RateLimit` headers |
//! | [`user`] | the user object of sign-up and sign-in |

pub mod errors;
pub mod event;
pub mod object;
pub mod rate_limit;
pub mod reply;
pub mod request;
pub mod user;

pub use errors::HttpError;
pub use lambda_http::Request;
pub use reply::Reply;
