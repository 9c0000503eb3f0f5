//! How many attempts were admitted in a window, against how many may be.
//!
//! Each attempt that was answered is counted once. One that ended in 503 may have been admitted or
//! not, and a call that was executed unheard may have counted twice: both excuse a refusal that
//! seems early, and nothing excuses one admitted too many.

use std::collections::BTreeMap;

const SIGN_UPS_BY_IP: usize = 12;
const SIGN_UPS_BY_EMAIL: usize = 3;
const SIGN_INS_BY_IP: usize = 10;
const SIGN_INS_BY_ACCOUNT: usize = 3;

/// Limits low enough to be reached in each round.
pub(super) const SETTINGS: [(&str, &str); 4] = [
    ("USER_SIGNUP_RATE_LIMIT_IP", "12"),
    ("USER_SIGNUP_RATE_LIMIT_EMAIL", "3"),
    ("SIGNIN_RATE_LIMIT_IP", "10"),
    ("SIGNIN_RATE_LIMIT_ACCOUNT", "3"),
];

/// What is limited, and by what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Counter {
    SignUpIp(String),
    SignUpEmail(String),
    SignInIp(String),
    SignInAccount(String, String),
    ApiKeyIp(String),
}

/// What became of an attempt under a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Admitted,
    Refused,
    /// Admitted, and did not fail: the place was given back.
    Returned,
    Unknown,
}

/// An attempt under a limit.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) counter: Counter,
    pub(super) verdict: Verdict,
    /// How many calls of it were executed unheard.
    pub(super) unheard: usize,
    /// The other limit it was under, if a refusal may be either's.
    pub(super) or: Option<Counter>,
}

#[derive(Debug, Default)]
struct Tally {
    admitted: usize,
    returned: usize,
    unknown: usize,
    refused: usize,
    unheard: usize,
}

impl Tally {
    /// The most that may ever have been counted at one time.
    fn at_most(&self) -> usize {
        self.admitted + self.returned + self.unknown + self.unheard + self.refused
    }
}

/// What one window's attempts contradict.
pub(super) fn check(asked: &[Asked]) -> Vec<String> {
    let mut tallies: BTreeMap<&Counter, Tally> = BTreeMap::new();
    for asked in asked {
        let tally = tallies.entry(&asked.counter).or_default();
        tally.unheard += asked.unheard;
        match asked.verdict {
            Verdict::Admitted => tally.admitted += 1,
            Verdict::Refused => tally.refused += 1,
            Verdict::Returned => tally.returned += 1,
            Verdict::Unknown => tally.unknown += 1,
        }
    }
    let mut violations = Vec::new();
    for (counter, tally) in &tallies {
        let max = counter.limit();
        // Each success clears an account's count.
        let windows = match counter {
            Counter::SignInAccount(..) => 1 + tally.returned + tally.unknown,
            _ => 1,
        };
        if tally.admitted > max * windows {
            violations.push(format!("too many admitted: {counter:?}: {tally:?}"));
        }
        let counted = tally.admitted + tally.unknown + tally.unheard;
        if !counter.gives_back() && tally.refused > 0 && counted < max {
            violations.push(format!("refused early: {counter:?}: {tally:?}"));
        }
    }
    for asked in asked
        .iter()
        .filter(|asked| asked.verdict == Verdict::Refused)
    {
        let is_full = |counter: &Counter| tallies[counter].at_most() > counter.limit();
        let counters = std::iter::once(&asked.counter).chain(&asked.or);
        if asked.counter.gives_back() && !counters.clone().any(is_full) {
            violations.push(format!("refused with room left: {asked:?}"));
        }
    }
    violations
}

impl Counter {
    fn limit(&self) -> usize {
        match self {
            Self::SignUpIp(_) => SIGN_UPS_BY_IP,
            Self::SignUpEmail(_) => SIGN_UPS_BY_EMAIL,
            Self::SignInIp(_) | Self::ApiKeyIp(_) => SIGN_INS_BY_IP,
            Self::SignInAccount(..) => SIGN_INS_BY_ACCOUNT,
        }
    }

    fn gives_back(&self) -> bool {
        matches!(self, Self::SignInIp(_) | Self::SignInAccount(..))
    }
}
