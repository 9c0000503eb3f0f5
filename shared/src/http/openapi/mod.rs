//! The API's description (OpenAPI 3.1), generated from the code.
//!
//! Schemas come from the types that endpoints deserialize and serialize. Error responses come from
//! the replies that the error table produces.
//!
//! | module | contents |
//! | --- | --- |
//! | [`operation`] | the description of one endpoint |
//! | [`asks`] | the credentials that an endpoint requires, and the errors about them |
//! | [`refusals`] | the error responses of an endpoint, by status |
//! | [`json`] | a body: its schema and an example |
//! | `headers` | the headers of responses |
//! | [`mod@document`] | the whole document |

pub mod asks;
pub mod document;
mod headers;
pub mod json;
pub mod operation;
pub mod refusals;

pub use asks::Asks;
pub use document::document;
pub use json::Json;
pub use operation::{Operation, Parameter};
pub use refusals::{limited, taken};
pub use serde_json::json as example;

use crate::domain::Timestamp;

/// The current time in every example.
const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
