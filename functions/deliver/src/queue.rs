//! When a message of the mail queue that failed is tried again.

use shared::domain::OutboxId;
use shared::runtime::queue::QueueMessage;

/// The outbox item that a message names.
#[must_use]
pub fn outbox_id(message: &QueueMessage) -> Option<OutboxId> {
    OutboxId::parse(message.key().strip_prefix("outbox#")?)
}

const FIRST_PAUSE_SECS: i32 = 30;
const LONGEST_PAUSE_SECS: i32 = 60 * 60;

/// The pause after a message was received this many times, in seconds: 30 s at first, then twice as long
/// each time, up to an hour. The queue's `maxReceiveCount` makes this a day in all.
#[must_use]
pub fn pause_secs(receive_count: u32) -> i32 {
    let doublings = receive_count.saturating_sub(1).min(7);
    (FIRST_PAUSE_SECS << doublings).min(LONGEST_PAUSE_SECS)
}
