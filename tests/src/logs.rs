//! Captures the log lines of a test, and checks that they contain no secret.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use serde_json::Value;
use shared::observe;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::wire::lock;

/// All lines that this process has logged.
static ALL: LazyLock<Lines> = LazyLock::new(|| {
    let lines = Lines::default();
    // The global default subscriber is set once, here.
    observe::subscriber(lines.clone()).init();
    lines
});

/// A buffer of log lines.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    lines: Arc<Mutex<Vec<String>>>,
    /// Whether each line is also added to [`ALL`].
    is_capture: bool,
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        lock(&self.lines)
    }

    /// Removes and returns the lines, parsed as JSON.
    #[must_use]
    pub fn take(&self) -> Vec<Value> {
        let lines = std::mem::take(&mut *self.lock());
        let parsed = lines.iter().map(|line| serde_json::from_str(line));
        parsed.collect::<Result<_, _>>().expect("lines of JSON")
    }
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line).into_owned();
        if self.is_capture {
            ALL.lock().push(text.clone());
        }
        self.lock().push(text);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Captures the log lines of this thread until the guard is dropped.
#[must_use]
pub fn capture() -> (Lines, tracing::subscriber::DefaultGuard) {
    let lines = Lines {
        is_capture: true,
        ..Lines::default()
    };
    let guard = observe::subscriber(lines.clone()).set_default();
    (lines, guard)
}

/// The secrets of a test, which must not be logged.
#[derive(Debug)]
pub(crate) struct Secrets {
    /// Those that every test has.
    given: Vec<String>,
    collected: Mutex<BTreeSet<String>>,
    /// The index in [`ALL`] of the first line to check.
    from: AtomicUsize,
}

impl Secrets {
    pub(crate) fn with(given: Vec<String>) -> Self {
        Self {
            given,
            collected: Mutex::default(),
            from: ALL.lock().len().into(),
        }
    }

    /// Adds a token, key, password or email.
    pub(crate) fn add(&self, secret: &str) {
        // A shorter text may appear in a line by chance.
        if secret.len() > 5 {
            lock(&self.collected).insert(secret.to_owned());
        }
    }

    /// Adds the secrets in the body of a request or an answer.
    pub(crate) fn add_body(&self, body: &Value) {
        match body {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match (name.as_str(), value.as_str()) {
                        (
                            "password" | "token" | "refreshToken" | "key" | "email" | "code",
                            Some(secret),
                        ) => {
                            self.add(secret);
                        }
                        (_, Some(text)) if text.contains('@') => self.add(text),
                        _ => self.add_body(value),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.add_body(item)),
            _ => {}
        }
    }

    /// The first line that contains a secret as a whole word.
    pub(crate) fn leaked(&self) -> Option<String> {
        let collected = lock(&self.collected);
        let secrets = || self.given.iter().chain(&*collected);
        let lines = ALL.lock();
        let mut since = lines.iter().skip(self.from.load(Ordering::Relaxed));
        let leaks = |line: &&String| secrets().any(|secret| contains_word(line, secret));
        since.find(leaks).cloned()
    }

    /// Forgets the collected secrets. Returns the lines of this process, and forgets them.
    pub(crate) fn forget(&self) -> Vec<String> {
        lock(&self.collected).clear();
        self.from.store(0, Ordering::Relaxed);
        std::mem::take(&mut *ALL.lock())
    }
}

fn contains_word(line: &str, secret: &str) -> bool {
    let is_of_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    line.match_indices(secret).any(|(start, _)| {
        let (before, rest) = line.split_at(start);
        !is_of_word(before.chars().next_back())
            && !is_of_word(rest.split_at(secret.len()).1.chars().next())
    })
}
