//! Logs and metrics: one log line for each request, which also contains its metrics.
//!
//! While a request runs, code adds to its [`Notes`]; at its end [`log_request`] writes the line. A line
//! contains ids, statuses and durations, but no email, password, token or key.

mod line;
mod retries;
mod subscriber;

use std::cell::RefCell;
use std::error::Error;
use std::panic::Location;

use crate::domain::AccountId;

pub use self::line::{RequestOutcome, log_request};
pub use self::retries::CountRetries;
pub use self::subscriber::{REQUESTS, subscriber};

/// Facts for a request's log line, collected while it runs.
#[derive(Debug, Default)]
pub struct Notes {
    request_id: String,
    account: Option<AccountId>,
    pseudonym: Option<String>,
    signed_up: bool,
    signed_in: bool,
    refresh_token_reused: bool,
    retries: u32,
    rings_unread: u32,
    panicked_at: Option<String>,
}

tokio::task_local! {
    static NOTES: RefCell<Notes>;
}

/// Runs a request's future, and returns its output and its notes.
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

/// Changes the notes of the current request. Outside of a request it does nothing.
fn note(take: impl FnOnce(&mut Notes)) {
    let _ = NOTES.try_with(|notes| take(&mut notes.borrow_mut()));
}

/// The account that a request is about.
pub(crate) fn account(account: &AccountId) {
    note(|notes| notes.account = Some(account.clone()));
}

/// Stands for an identifier that no account has.
pub(crate) fn pseudonym(pseudonym: Option<String>) {
    note(|notes| notes.pseudonym = pseudonym);
}

pub(crate) fn signed_up(account: &AccountId) {
    note(|notes| {
        notes.account = Some(account.clone());
        notes.signed_up = true;
    });
}

pub(crate) fn signed_in(account: &AccountId) {
    note(|notes| {
        notes.account = Some(account.clone());
        notes.signed_in = true;
    });
}

/// A refresh token was used twice, and its session has ended.
pub(crate) fn refresh_token_reused() {
    note(|notes| notes.refresh_token_reused = true);
}

/// Counts a retry of a call to DynamoDB.
pub(crate) fn retried() {
    note(|notes| notes.retries += 1);
}

/// Counts a failure to read the key ring.
pub(crate) fn ring_unread() {
    note(|notes| notes.rings_unread += 1);
}

/// Logs an error that does not fail the request.
pub fn warn(what: &'static str, error: &dyn Error) {
    let request_id = NOTES.try_with(|notes| notes.borrow().request_id.clone());
    tracing::warn!(
        request_id = request_id.ok(),
        error = causes(error),
        "{what}"
    );
}

/// Adds a panic to the request's line, or logs it separately outside of a request.
pub(crate) fn panicked(location: Option<&Location<'_>>) {
    let location = location.map(ToString::to_string);
    let is_noted = NOTES.try_with(|notes| {
        // The notes are borrowed if `note` itself panicked.
        if let Ok(mut notes) = notes.try_borrow_mut() {
            notes.panicked_at.clone_from(&location);
        }
    });
    if is_noted.is_err() {
        tracing::error!(location, "panicked");
    }
}

/// An error and its causes, outermost first. Uses `Display`, because the `Debug` output of a
/// cancelled transaction contains items.
#[must_use]
pub fn causes(error: &dyn Error) -> String {
    std::iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
