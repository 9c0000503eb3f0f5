//! The progress of a deletion.

use std::time::Duration;

use super::Timestamp;

/// How far the deletion of an account has come. The account itself is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// A UUID. Whoever asked for the deletion has it.
    pub ticket: String,
    pub deleted_at: Timestamp,
    pub steps_done: u64,
}

/// What became of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletionStatus {
    InProgress,
    Completed,
    /// Not all could be deleted, and it is not tried again. An alarm tells the operator.
    Failed,
}

impl Deletion {
    /// The profile and API keys; the sessions.
    pub const STEPS: u64 = 2;
    /// How long the ticket is valid.
    pub const TICKET_KEPT: Duration = Duration::from_hours(24);
    /// An incomplete deletion has failed after this time, which is longer than the ten hours for which the queue
    /// retries.
    const TRIED_FOR: Duration = Duration::from_hours(12);

    #[must_use]
    pub fn status(&self, now: Timestamp) -> DeletionStatus {
        if self.steps_done >= Self::STEPS {
            DeletionStatus::Completed
        } else if now < self.deleted_at.plus(Self::TRIED_FOR) {
            DeletionStatus::InProgress
        } else {
            DeletionStatus::Failed
        }
    }

    /// Whether this is the deletion's ticket, and still valid.
    #[must_use]
    pub fn has_ticket(&self, ticket: &str, now: Timestamp) -> bool {
        self.ticket == ticket && now < self.deleted_at.plus(Self::TICKET_KEPT)
    }
}
