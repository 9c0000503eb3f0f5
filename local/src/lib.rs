//! The whole API on one machine: the same endpoints, behind a local HTTP server instead of API
//! Gateway, over a DynamoDB embedded in the process.
//!
//! | module | contents |
//! | --- | --- |
//! | [`template`] | reads routes, tables and settings from `template.yaml` |
//! | [`cors`] | the origins that may call the API |
//! | [`engine`] | the embedded DynamoDB |
//! | [`example`] | a sample API of another team, to try tokens with |
//! | [`functions`] | the registry of functions |
//! | [`mailbox`] | an SES that catches mail |
//! | [`stream`] | passes new outbox items on to `deliver` and `deliver-webhook`, and accounts that are gone to `erase-account` |
//! | [`gateway`] | a local API Gateway |
//! | [`keys`] | the local key ring |
//! | [`openapi`] | the description of the API |
//! | [`docs`] | serves and renders that description |
//! | [`secrets`] | a Secrets Manager with the key ring and the key of codes |
//! | [`setup`] | builds the app from these |
//!
//! Lambda functions do not contain this crate.

pub mod cors;
pub mod docs;
pub mod engine;
pub mod example;
pub mod functions;
pub mod gateway;
pub mod keys;
pub mod mailbox;
pub mod openapi;
pub mod secrets;
pub mod setup;
pub mod stream;
pub mod template;
