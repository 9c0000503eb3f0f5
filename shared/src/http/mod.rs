//! HTTP: requests in, responses out.
//!
//! | module | what is there |
//! | --- | --- |
//! | [`event`] | API Gateway's events, in and out |
//! | [`request`] | what a request says: body, credentials, address |
//! | [`object`] | a JSON body, read field by field |
//! | [`reply`] | what an endpoint answers |
//! | [`errors`] | the one table from error to status and text |
//! | [`problem`] | what can be wrong with a field, and its texts |
//! | [`family`], [`code`] | the envelopes, and the codes of one |
//! | [`rate_limit`] | the `RateLimit` headers |
//! | `openapi` | what the reference says of all these; behind the feature of this name |
//! | [`user`] | Appmixer's user object |
//! | [`profile`], [`api_key`] | the Management family's user and API key objects |

pub mod api_key;
pub mod code;
pub mod errors;
pub mod event;
pub mod family;
mod json;
pub mod object;
#[cfg(feature = "openapi")]
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
