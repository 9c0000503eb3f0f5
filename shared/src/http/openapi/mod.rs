//! What the API's reference (OpenAPI 3.1) says of a route.
//!
//! Of an answer little is written twice: schemas are those of the types that are serialized, and
//! what a route refuses is described by the replies themselves, as the one table from error to
//! status makes them.
//!
//! | module | what is there |
//! | --- | --- |
//! | [`route`] | a route, described where its endpoint is |
//! | [`asks`] | the credentials a route asks for, and what it refuses for them |
//! | [`refusals`] | the answers to what a route refuses, by status |
//! | [`json`] | a body: its schema and an example |
//! | `headers` | the headers of answers |
//! | [`mod@document`] | all of it, as one document |

pub mod asks;
pub mod document;
mod headers;
pub mod json;
pub mod refusals;
pub mod route;

pub use asks::Asks;
pub use document::document;
pub use json::Json;
pub use route::Route;
pub use serde_json::json as example;
pub use utoipa::openapi::HttpMethod;

use crate::domain::Timestamp;

/// The time of every example.
const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
