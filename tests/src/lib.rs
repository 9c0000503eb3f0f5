//! The test harness of the integration tests and benchmarks.
//!
//! | module | contents |
//! | --- | --- |
//! | [`app`] | a complete Latchkey for one test, with a method per user action |
//! | [`call`] | HTTP requests and answers, as a client sees them |
//! | [`clock`] | a clock that a test controls |
//! | [`description`] | checks of answers against the OpenAPI description |
//! | [`costs`], [`money`] | the cost of requests, in capacity units and in dollars |
//! | [`receiver`] | a receiver of webhooks |
//! | [`logs`] | captured log lines, and the check that no secret is logged |
//! | [`wire`] | the connection from the SDK to the engine: counts calls and injects faults |

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a failed setup fails the test"
)]

pub mod app;
pub mod call;
pub mod clock;
pub mod costs;
pub mod description;
pub mod logs;
pub mod money;
pub mod receiver;
pub mod wire;
