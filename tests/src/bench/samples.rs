//! Measurements: two sides in turns, and what is said of each.

use std::time::Duration;

use super::Failure;

/// Measurements of one side.
#[derive(Debug, Default)]
pub(super) struct Samples(Vec<Duration>);

impl Samples {
    /// One more.
    pub(super) fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// Those of another side as well.
    pub(super) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The mean.
    pub(super) fn mean(&self) -> Duration {
        let count = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.iter().sum::<Duration>() / count.max(1)
    }

    /// The median.
    pub(super) fn p50(&self) -> Duration {
        self.percentile(50)
    }

    /// What 99 of 100 do not exceed.
    pub(super) fn p99(&self) -> Duration {
        self.percentile(99)
    }

    /// By the nearest rank.
    fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100);
        let sample = sorted.get(rank.saturating_sub(1));
        sample.copied().unwrap_or_default()
    }
}

/// How often two sides take turns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turns {
    /// Turns of each side that do not count, at first.
    pub(super) warm_up: usize,
    /// Turns of each side that count.
    pub(super) counted: usize,
    /// Measurements in one turn.
    pub(super) each: usize,
}

impl Turns {
    /// Measures two sides in turns.
    pub(super) async fn measure(
        self,
        mut side: impl AsyncFnMut() -> Result<Duration, Failure>,
        mut floor: impl AsyncFnMut() -> Result<Duration, Failure>,
    ) -> Result<(Samples, Samples), Failure> {
        let (mut of_side, mut of_floor) = (Samples::default(), Samples::default());
        for turn in 0..self.warm_up + self.counted {
            for _ in 0..self.each {
                of_side.0.push(side().await?);
            }
            for _ in 0..self.each {
                of_floor.0.push(floor().await?);
            }
            if turn < self.warm_up {
                of_side.0.clear();
                of_floor.0.clear();
            }
        }
        Ok((of_side, of_floor))
    }
}
