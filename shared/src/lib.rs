//! What every Latchkey function is made of.
//!
//! A module uses only modules to its right (`tests/it/layers.rs` holds this):
//!
//! ```text
//! functions → runtime → http → auth → app → store, keys → crypto → domain
//! ```
//!
//! `config`, `observe`, `aws` and `ports` are used by all and use `domain` alone; `aws` reads its
//! settings from `config`.
//!
//! | module | what is there |
//! | --- | --- |
//! | [`domain`] | accounts, profiles, passwords, API keys, limits: rules without I/O, AWS or HTTP |
//! | [`crypto`] | Argon2id, JWT, the key ring, ids |
//! | [`store`] | DynamoDB: keys, items, every condition expression |
//! | [`auth`] | the use cases: sign up, sign in, authenticate, revoke |
//! | [`http`] | requests in, responses out, and the one table from error to status |
//! | [`keys`] | the key ring of this instance, from Secrets Manager or a file |
//! | [`config`] | every environment variable, checked at start |
//! | [`aws`] | what the clients of the SDK share |
//! | [`observe`] | what an operator sees: a line of log for each request, and its metrics |
//! | [`ports`] | what the world hands in: time and randomness |
//! | [`app`] | all of the above, built once per cold start |
//! | [`runtime`] | `serve`: a function's `main` |

pub mod app;
pub mod auth;
pub mod aws;
pub mod config;
pub mod crypto;
pub mod domain;
pub mod http;
pub mod keys;
pub mod observe;
pub mod ports;
pub mod runtime;
pub mod store;
