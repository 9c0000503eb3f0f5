//! The code that all Latchkey functions share.
//!
//! A module uses only modules to its right (`tests/it/layers.rs` checks this):
//!
//! ```text
//! functions → runtime → http → auth → app → store, keys → crypto → domain
//! ```
//!
//! `config`, `observe`, `memory`, `ports` and `aws` serve several layers. They use only `domain`, except
//! `aws`, which uses `config`.
//!
//! | module | contents |
//! | --- | --- |
//! | [`domain`] | accounts, profiles, passwords, API keys, limits: rules without I/O, AWS or HTTP |
//! | [`crypto`] | Argon2id, JWT, the key ring, ids |
//! | [`store`] | DynamoDB: keys, items, every condition expression |
//! | [`auth`] | the use cases: sign up, sign in, authenticate, revoke |
//! | [`http`] | requests, responses, and one table that maps errors to statuses |
//! | [`keys`] | reading and rotating the key ring, in Secrets Manager or a file |
//! | [`config`] | environment variables, checked at start |
//! | [`aws`] | settings that the AWS clients share |
//! | [`observe`] | one log line for each request, and metrics |
//! | [`memory`] | what an instance remembers of earlier requests |
//! | [`ports`] | the clock and the source of random bytes |
//! | [`app`] | `App`: what a request needs, built once per cold start |
//! | [`runtime`] | `serve`: a function's `main` |

pub mod app;
pub mod auth;
pub mod aws;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod http;
pub mod keys;
pub mod memory;
pub mod observe;
pub mod ports;
pub mod runtime;
pub mod store;
