//! The whole API on one machine: the same endpoints, behind an HTTP server in place of API Gateway
//! and over a DynamoDB embedded in the process.
//!
//! | module | what is there |
//! | --- | --- |
//! | [`template`] | what `template.yaml` says: routes, tables, settings |
//! | [`cors`] | which pages may call |
//! | [`engine`] | the embedded DynamoDB |
//! | [`functions`] | the endpoints, by the name of their function |
//! | [`gateway`] | HTTP in, API Gateway events out, and back |
//! | [`keys`] | the local key ring |
//! | [`openapi`] | the description of the API |
//! | [`docs`] | that description, served and rendered |
//! | [`secrets`] | a Secrets Manager with one secret |
//! | [`setup`] | the app over all of these |
//!
//! Nothing here is part of a Lambda function.

pub mod cors;
pub mod docs;
pub mod engine;
pub mod functions;
pub mod gateway;
pub mod keys;
pub mod openapi;
pub mod secrets;
pub mod setup;
pub mod template;
