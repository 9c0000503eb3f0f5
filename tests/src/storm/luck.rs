//! Which faults a request suffers.
//!
//! Drawn from the seed and the request's number alone, call by call, so that a seed injures the
//! same requests each time. Most requests are lucky, some meet fault after fault.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::wire::{Fault, lock};

tokio::task_local! {
    static LUCK: Arc<Mutex<Luck>>;
}

/// The luck of one request.
#[derive(Debug)]
pub(super) struct Luck {
    dice: fastrand::Rng,
    /// Of a hundred calls so many fail.
    rate: u8,
    may_be_silent: bool,
    suffered: Suffered,
}

/// What a request suffered.
#[derive(Debug, Clone, Default)]
pub(super) struct Suffered {
    /// The faults, in order.
    pub(super) faults: Vec<&'static str>,
}

impl Suffered {
    /// How many calls were executed although the caller cannot know.
    pub(super) fn unheard(&self) -> usize {
        let is_unheard =
            |fault: &&&str| ["answer lost", "truncated", "silent after"].contains(fault);
        self.faults.iter().filter(is_unheard).count()
    }

    /// Whether the caller should not notice: one fault at most that is more than a delay. Half an
    /// answer the SDK does not ask for again.
    pub(super) fn is_ridden_out(&self) -> bool {
        let is_grave = |fault: &&&str| !fault.starts_with("delayed");
        self.faults.iter().filter(is_grave).count() <= 1 && !self.faults.contains(&"truncated")
    }
}

impl Luck {
    pub(super) fn draw(dice: &mut fastrand::Rng, may_be_silent: bool) -> Self {
        let rate = match dice.u8(..100) {
            0..60 => 3,
            60..85 => 20,
            85..95 => 50,
            _ => 85,
        };
        Self {
            dice: dice.fork(),
            rate,
            may_be_silent,
            suffered: Suffered::default(),
        }
    }

    fn strike(&mut self, operation: &str, body: &Value) -> Option<Fault> {
        if self.may_be_silent && self.dice.u16(..2000) == 0 {
            let (name, fault) = if self.dice.bool() {
                ("silent before", Fault::SilenceBefore)
            } else {
                ("silent after", Fault::SilenceAfter)
            };
            self.suffered.faults.push(name);
            return Some(fault);
        }
        if self.dice.u8(..100) >= self.rate {
            return None;
        }
        let (name, fault) = self.fault(operation, body);
        self.suffered.faults.push(name);
        Some(fault)
    }

    fn fault(&mut self, operation: &str, body: &Value) -> (&'static str, Fault) {
        let delay = Duration::from_millis(self.dice.u64(1..15));
        match (self.dice.u8(..10), operation) {
            (0, _) => ("delayed before", Fault::Delay(delay)),
            (1, _) => ("delayed after", Fault::DelayAnswer(delay)),
            (2, _) => ("500", Fault::broken()),
            (3, _) => ("throttled", Fault::throttled()),
            (4, _) => ("cut before", Fault::Break),
            (5, _) => ("truncated", Fault::Truncate),
            (6 | 7, "TransactWriteItems") => ("conflict", self.conflict(body)),
            (6 | 7, "PutItem" | "UpdateItem" | "DeleteItem") => {
                let conflict = Fault::service_error("TransactionConflictException");
                ("conflict", conflict)
            }
            (6..=8, "BatchGetItem") => ("unread", Fault::LeaveUnread(self.dice.u8(1..8))),
            _ => ("answer lost", Fault::LoseAnswer),
        }
    }

    /// One item of the transaction is in another's way.
    fn conflict(&mut self, body: &Value) -> Fault {
        let items = body["TransactItems"].as_array().map_or(1, Vec::len);
        let mut reasons = vec!["None"; items];
        reasons[self.dice.usize(..items)] = "TransactionConflict";
        Fault::cancelled(&reasons)
    }
}

/// Lets a request have this luck, and tells what it suffered.
pub(super) async fn with<F: Future>(luck: Luck, request: F) -> (F::Output, Suffered) {
    let luck = Arc::new(Mutex::new(luck));
    let output = LUCK.scope(Arc::clone(&luck), request).await;
    let suffered = lock(&luck).suffered.clone();
    (output, suffered)
}

/// What happens to a call of the request under way.
pub(super) fn strike(operation: &str, body: &Value) -> Option<Fault> {
    LUCK.try_with(|luck| lock(luck).strike(operation, body))
        .ok()
        .flatten()
}
