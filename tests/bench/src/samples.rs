//! Measures two sides in turns, so that drift of the machine affects both.

use std::time::Duration;

use super::Failure;

#[derive(Debug, Default)]
pub(super) struct Samples(pub(super) Vec<Duration>);

impl Samples {
    pub(super) fn p50(&self) -> Duration {
        self.percentile(50)
    }

    pub(super) fn p99(&self) -> Duration {
        self.percentile(99)
    }

    /// The nearest-rank percentile.
    fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100);
        let sample = sorted.get(rank.saturating_sub(1));
        sample.copied().unwrap_or_default()
    }
}

/// How two sides take turns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turns {
    warm_up: usize,
    counted: usize,
    each: usize,
}

impl Turns {
    /// `warm_up` turns per side that do not count, then `counted` turns, each with `each`
    /// measurements.
    pub(super) const fn new(warm_up: usize, counted: usize, each: usize) -> Self {
        Self {
            warm_up,
            counted,
            each,
        }
    }

    /// Measures side 0 and side 1 in turns.
    pub(super) async fn measure(
        self,
        mut side: impl AsyncFnMut(usize) -> Result<Duration, Failure>,
    ) -> Result<[Samples; 2], Failure> {
        let mut sides = [Samples::default(), Samples::default()];
        for turn in 0..self.warm_up + self.counted {
            for (n, samples) in sides.iter_mut().enumerate() {
                for _ in 0..self.each {
                    let took = side(n).await?;
                    if turn >= self.warm_up {
                        samples.0.push(took);
                    }
                }
            }
        }
        Ok(sides)
    }
}
