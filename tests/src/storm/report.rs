//! What happened in a storm, counted.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::luck::Suffered;

/// What happened in a storm, counted.
#[derive(Debug, Clone)]
pub struct Report {
    /// What it can be repeated by.
    pub seed: u64,
    /// Faults, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Answers, by action and status.
    pub answers: BTreeMap<&'static str, BTreeMap<u16, u64>>,
    /// The action that took longest, and how long, where it was measured.
    pub longest: Option<(&'static str, Duration)>,
    /// Every promise that was not kept.
    pub violations: Vec<String>,
}

impl Report {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            faults: BTreeMap::new(),
            answers: BTreeMap::new(),
            longest: None,
            violations: Vec::new(),
        }
    }

    pub(super) fn count(&mut self, action: &'static str, status: u16, suffered: &Suffered) {
        let of_action = self.answers.entry(action).or_default();
        *of_action.entry(status).or_default() += 1;
        for fault in &suffered.faults {
            *self.faults.entry(fault).or_default() += 1;
        }
    }

    pub(super) fn time(&mut self, action: &'static str, took: Duration) {
        if self.longest.is_none_or(|(_, longest)| took > longest) {
            self.longest = Some((action, took));
        }
    }

    /// How many answers of a status there were.
    #[must_use]
    pub fn answered(&self, status: u16) -> u64 {
        let of_actions = self.answers.values();
        of_actions.filter_map(|answers| answers.get(&status)).sum()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}\n\nfaults injected", self.seed)?;
        for (fault, count) in &self.faults {
            writeln!(f, "  {fault:<16}{count:>7}")?;
        }
        let statuses = [200, 400, 401, 403, 409, 429, 503];
        write!(f, "\n{:<18}", "answers")?;
        for status in statuses {
            write!(f, "{status:>7}")?;
        }
        for (action, answers) in &self.answers {
            write!(f, "\n  {action:<16}")?;
            for status in statuses {
                write!(f, "{:>7}", answers.get(&status).unwrap_or(&0))?;
            }
        }
        write!(f, "\n  {:<16}", "all")?;
        for status in statuses {
            write!(f, "{:>7}", self.answered(status))?;
        }
        if let Some((action, took)) = self.longest {
            let millis = took.as_millis();
            write!(
                f,
                "\n\nlongest: {millis} ms ({action}), of 10000 a function may take"
            )?;
        }
        write!(f, "\n\npromises broken: {}", self.violations.len())?;
        for violation in &self.violations {
            write!(f, "\n  {violation}")?;
        }
        writeln!(f)
    }
}
