//! HTTP: requests in, responses out.
//!
//! | module | what is there |
//! | --- | --- |
//! | [`event`] | API Gateway's events, in and out |
//! | [`request`] | what a request says: body, credentials, address |
//! | [`body`] | a JSON body, read into the struct that declares it |
//! | [`reply`] | what an endpoint answers |
//! | [`errors`] | the one table from error to status and text |
//! | [`problem`] | what can be wrong with a field, and its texts |
//! | [`family`], [`code`] | the envelopes, and the codes of one |
//! | [`rate_limit`] | the `RateLimit` headers |
//! | [`openapi`] | the API's description; no Lambda function calls it, so none contains it |
//! | [`user`] | Appmixer's user object |
//! | [`profile`], [`api_key`] | the Management family's user and API key objects |

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
pub mod user;

pub use errors::HttpError;
pub use family::Family;
pub use lambda_http::Request;
pub use reply::Reply;
