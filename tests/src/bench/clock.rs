//! The bench's clock.

use std::time::Instant;

/// Now.
#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures the time that really passes"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}
