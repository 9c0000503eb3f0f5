//! The API's description (OpenAPI 3.1), made from the code.
//!
//! Schemas are those of the very types that are read and serialized, and what an endpoint refuses
//! is described by the replies themselves, as the one table from error to status makes them.
//!
//! | module | what is there |
//! | --- | --- |
//! | [`operation`] | what an endpoint says of itself |
//! | [`asks`] | the credentials it asks for, and what it refuses for them |
//! | [`refusals`] | the answers to what it refuses, by status |
//! | [`json`] | a body: its schema and an example |
//! | `headers` | the headers of answers |
//! | [`mod@document`] | all of it, as one document |

pub mod asks;
pub mod document;
mod headers;
pub mod json;
pub mod operation;
pub mod refusals;

pub use asks::Asks;
pub use document::document;
pub use json::Json;
pub use operation::Operation;
pub use serde_json::json as example;

use crate::domain::Timestamp;

/// The time of every example.
const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
