//! What the integration tests and benchmarks share.
//!
//! | module | what is there |
//! | --- | --- |
//! | [`app`] | a whole Latchkey of a test's own, and a method per user action |
//! | [`call`] | requests as clients send them, and the answers |
//! | [`clock`] | a clock that moves when told |
//! | [`description`] | what the API's description says of an answer |
//! | [`costs`], [`money`] | what requests cost: measured, and at Amazon's prices |
//! | [`logs`] | what is logged, and that no secret is in it |
//! | [`wire`] | the wire between the SDK and the engine: counted, and cut on demand |

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a test whose setting fails has failed"
)]

pub mod app;
pub mod call;
pub mod clock;
pub mod costs;
pub mod description;
pub mod logs;
pub mod money;
pub mod wire;
