//! Counting attempts against rate limits.

use super::error::{AuthError, LimitExceeded};
use crate::app::App;
use crate::domain::{RateLimitPolicy, RateLimitStatus, SourceIp, Tally, Timestamp};

/// A counter of one policy.
#[derive(Debug)]
pub(super) struct Counter {
    policy: RateLimitPolicy,
    key: String,
}

impl Counter {
    pub(super) fn new(policy: RateLimitPolicy, subject: impl std::fmt::Display) -> Self {
        Self {
            policy,
            key: policy.counter(subject),
        }
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Refuses an attempt, without a call to DynamoDB, if this instance remembers that the limit is
    /// reached.
    pub(super) fn refuse_remembered(&self, app: &App) -> Result<(), AuthError> {
        let now = app.clock.now();
        match app.exceeded.get(&self.key, now) {
            Some(status) => Err(refused(self.policy, status, now)),
            None => Ok(()),
        }
    }

    /// Refuses an attempt that is not counted if the limit is reached. A limit of 0, which refuses what
    /// it counts, does not.
    pub(super) async fn refuse_reached(&self, app: &App) -> Result<(), AuthError> {
        if app.config.limits.of(self.policy).max == 0 {
            return Ok(());
        }
        self.refuse_remembered(app)?;
        let tally = app.store.tally(&self.key).await?;
        self.admit_uncounted(app, tally, app.clock.now())
    }

    /// Counts an attempt, unless this instance remembers that the limit is reached.
    pub(super) async fn count(&self, app: &App) -> Result<RateLimitStatus, AuthError> {
        self.refuse_remembered(app)?;
        let now = app.clock.now();
        let limit = app.config.limits.of(self.policy);
        let tally = app.store.count(&self.key, &limit, now).await?;
        self.admit_counted(app, tally, now)
    }

    /// Counts an attempt, like [`Self::count`]. Returns whether it is within the limit.
    pub(super) async fn admits(&self, app: &App) -> Result<bool, AuthError> {
        match self.count(app).await {
            Ok(_) => Ok(true),
            Err(AuthError::Limited(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Admits an attempt that is counted in `tally` if it is within the limit.
    pub(super) fn admit_counted(
        &self,
        app: &App,
        tally: Tally,
        now: Timestamp,
    ) -> Result<RateLimitStatus, AuthError> {
        let limit = app.config.limits.of(self.policy);
        let status = limit.status(tally);
        if limit.admits(tally) {
            Ok(status)
        } else {
            Err(self.refuse(app, status, now))
        }
    }

    /// Admits an attempt that is not counted if the limit is not reached.
    pub(super) fn admit_uncounted(
        &self,
        app: &App,
        tally: Option<Tally>,
        now: Timestamp,
    ) -> Result<(), AuthError> {
        match app.config.limits.of(self.policy).reached(tally, now) {
            Some(status) => Err(self.refuse(app, status, now)),
            None => Ok(()),
        }
    }

    fn refuse(&self, app: &App, status: RateLimitStatus, now: Timestamp) -> AuthError {
        if self.policy.is_remembered() {
            app.exceeded.insert(self.key.clone(), status);
        }
        refused(self.policy, status, now)
    }
}

fn refused(policy: RateLimitPolicy, status: RateLimitStatus, at: Timestamp) -> AuthError {
    AuthError::Limited(LimitExceeded { policy, status, at })
}

/// The counters of a source: of its address, and of its /48 network if it has one.
#[derive(Debug)]
pub(super) struct SourceCounters {
    address: Counter,
    network: Option<Counter>,
}

impl SourceCounters {
    pub(super) fn of_sign_ins(source: SourceIp) -> Self {
        let network = RateLimitPolicy::SignInNetwork;
        Self::new(RateLimitPolicy::SignInIp, network, source)
    }

    pub(super) fn of_api_keys(source: SourceIp) -> Self {
        let network = RateLimitPolicy::ApiKeyNetwork;
        Self::new(RateLimitPolicy::ApiKeyIp, network, source)
    }

    pub(super) fn of_codes(source: SourceIp) -> Self {
        let network = RateLimitPolicy::CodeNetwork;
        Self::new(RateLimitPolicy::CodeIp, network, source)
    }

    fn new(address: RateLimitPolicy, network: RateLimitPolicy, source: SourceIp) -> Self {
        let of_network = |subject| Counter::new(network, subject);
        Self {
            address: Counter::new(address, source),
            network: source.network().map(of_network),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Counter> {
        std::iter::once(&self.address).chain(&self.network)
    }

    /// Counts an attempt in both counters.
    pub(super) async fn count(&self, app: &App) -> Result<(), AuthError> {
        let of_network = async {
            match &self.network {
                Some(network) => network.count(app).await.map(|_| ()),
                None => Ok(()),
            }
        };
        let (address, network) = tokio::join!(self.address.count(app), of_network);
        address?;
        network
    }
}
