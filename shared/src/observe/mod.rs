//! What an operator sees of a request: one line of log, which is its metrics as well.
//!
//! While a request is under way whoever learns something about it notes it here; at its end the
//! line is written, by [`answered`]. In it are ids, statuses and durations: no email, password,
//! token or key.

mod line;
mod retries;
mod subscriber;

use std::cell::RefCell;
use std::error::Error;
use std::panic::Location;

use crate::domain::AccountId;

pub use self::line::{Answered, answered};
pub use self::retries::CountRetries;
pub use self::subscriber::{REQUESTS, subscriber};

/// What was noted about a request.
#[derive(Debug, Default)]
pub struct Notes {
    request_id: String,
    account: Option<AccountId>,
    signed_up: bool,
    signed_in: bool,
    retries: u32,
    rings_unread: u32,
    panicked_at: Option<String>,
}

tokio::task_local! {
    static NOTES: RefCell<Notes>;
}

/// Runs a request's future to its end, and returns with its output what was noted meanwhile.
pub async fn noting<F: Future>(request_id: String, future: F) -> (F::Output, Notes) {
    let notes = Notes {
        request_id,
        ..Notes::default()
    };
    let with_notes = async {
        let output = future.await;
        (output, NOTES.with(RefCell::take))
    };
    NOTES.scope(RefCell::new(notes), with_notes).await
}

/// Notes something about the request under way, if one is.
fn note(take: impl FnOnce(&mut Notes)) {
    // Outside of a request there is nothing to note it in.
    let _ = NOTES.try_with(|notes| take(&mut notes.borrow_mut()));
}

/// The caller is known.
pub(crate) fn authenticated(account: &AccountId) {
    note(|notes| notes.account = Some(account.clone()));
}

/// An account was made.
pub(crate) fn signed_up(account: &AccountId) {
    note(|notes| {
        notes.account = Some(account.clone());
        notes.signed_up = true;
    });
}

/// Somebody signed in.
pub(crate) fn signed_in(account: &AccountId) {
    note(|notes| {
        notes.account = Some(account.clone());
        notes.signed_in = true;
    });
}

/// A call to DynamoDB is made once more.
pub(crate) fn retried() {
    note(|notes| notes.retries += 1);
}

/// The key ring could not be read.
pub(crate) fn ring_unread() {
    note(|notes| notes.rings_unread += 1);
}

/// Something went wrong that the request does not fail for.
pub(crate) fn trouble(what: &'static str, error: &dyn Error) {
    let request_id = NOTES.try_with(|notes| notes.borrow().request_id.clone());
    tracing::warn!(
        request_id = request_id.ok(),
        error = causes(error),
        "{what}"
    );
}

/// The code panicked here: the request's line says so, or a line of its own.
pub(crate) fn panicked(location: Option<&Location<'_>>) {
    let location = location.map(ToString::to_string);
    let is_noted = NOTES.try_with(|notes| {
        // A panic while notes are taken would find them borrowed.
        if let Ok(mut notes) = notes.try_borrow_mut() {
            notes.panicked_at.clone_from(&location);
        }
    });
    if is_noted.is_err() {
        tracing::error!(location, "panicked");
    }
}

/// An error and its causes, outermost first: their `Display`, because the `Debug` of a cancelled
/// transaction holds items.
pub(crate) fn causes(error: &dyn Error) -> String {
    std::iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
