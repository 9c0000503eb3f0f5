//! What is fuzzed: a module for each target, with what must hold whatever the input is.
//!
//! | target | an input is |
//! | --- | --- |
//! | [`request`] | a request as API Gateway lets it through, and what DynamoDB does meanwhile |
//! | [`event`] | any JSON in place of an event |
//! | [`token`] | a bearer token, or what one is made of |
//! | [`email`], [`username`] | what somebody typed |
//! | [`profile`] | updates of a profile, one after the other |
//! | [`item`] | an item as DynamoDB may hold it |
//!
//! `make fuzz` runs them under libFuzzer. The suite runs them over the checked-in `seeds/` and
//! `crashes/`, by these very functions.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "what does not hold has to end the execution"
)]

mod description;
pub mod email;
mod engine;
pub mod event;
pub mod exchange;
mod expression;
pub mod item;
mod plan;
pub mod profile;
pub mod request;
pub mod token;
pub mod username;
mod world;

/// The key ring of every test.
const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/keys.json");

/// A target's name, and what runs one input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 7] = [
    ("email", email::run),
    ("event", event::run),
    ("item", item::run),
    ("profile", profile::run),
    ("request", request::run),
    ("token", token::run),
    ("username", username::run),
];
