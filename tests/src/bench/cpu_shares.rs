//! Lambda's CPU shares: what each size of memory makes of each endpoint's latency and price.
//!
//! Lambda gives a function processor time in proportion to its memory, one processor at 1769 MB.
//! Here the kernel's scheduler gives a function's process as much, by a control group's quota. The
//! engine and the bench have the rest.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::caller::{Caller, ENDPOINTS, Endpoint};
use super::samples::Samples;
use super::stage::Stage;
use super::table::{Table, ms};
use super::{Failure, costs};

/// The sizes, in MB.
const SIZES: [u32; 6] = [128, 256, 512, 1024, 1769, 3008];

/// What gives a whole processor, in MB.
const ONE_PROCESSOR: u32 = 1769;

/// How often a process gets its share, in microseconds.
const PERIOD: u32 = 20_000;

const WARM_UP: usize = 10;
const WARM: usize = 60;

/// A table of latencies and one of prices.
pub(super) async fn measure(stage: &Stage) -> Result<String, Failure> {
    let head = [
        "endpoint", "128 MB", "256 MB", "512 MB", "1024 MB", "1769 MB", "3008 MB",
    ];
    let mut medians = Table::new(head);
    let mut prices = Table::new(head);
    let costs = costs::measure().await?;
    let mut caller = Caller::of(stage).await?;
    for endpoint in ENDPOINTS {
        let cost = costs.iter().find(|row| row.request == endpoint.cost);
        let round_trips = cost.map_or(0, |row| row.cost.round_trips);
        let mut of_size = Vec::new();
        for size in SIZES {
            of_size.push(latencies(stage, &mut caller, endpoint, size).await?);
        }
        let route = || std::iter::once(endpoint.route.to_owned());
        let median = |samples: &Samples| format!("{} / {}", ms(samples.p50()), ms(samples.p99()));
        medians.add(route().chain(of_size.iter().map(median)));
        let price = |(size, samples): (u32, &Samples)| {
            let here = samples.mean().as_secs_f64() * 1000.0;
            let dollars = tests::money::lambda(f64::from(size) / 1024.0, here, round_trips);
            format!("{dollars:.2}")
        };
        prices.add(route().chain(SIZES.into_iter().zip(&of_size).map(price)));
    }
    Ok(format!(
        "Latency, p50 / p99, in ms:\n\n{medians}\nLambda's price of a million requests, in dollars:\n\n{prices}"
    ))
}

async fn latencies(
    stage: &Stage,
    caller: &mut Caller,
    endpoint: Endpoint,
    size: u32,
) -> Result<Samples, Failure> {
    let quota = Quota::of_memory(size)?;
    let program = stage.program(endpoint.function);
    let command = quota.command(&program);
    let mut function = stage.function_by(command, endpoint.function).await?;
    let mut samples = Samples::default();
    for turn in 0..WARM_UP + WARM {
        let event = caller.event(endpoint).await?;
        let took = function.time(&event, 200).await?;
        if turn >= WARM_UP {
            samples.add(took);
        }
        // Requests that follow one another at once would pay for those before them: a share that
        // is used up is had again in the next period.
        tokio::time::sleep(std::time::Duration::from_micros(PERIOD.into())).await;
    }
    Ok(samples)
}

/// A control group with a quota of processor time, which ends with this.
struct Quota(PathBuf);

impl Quota {
    fn of_memory(size: u32) -> Result<Self, Failure> {
        let quota = PERIOD * size / ONE_PROCESSOR;
        let group = |root: &str| Path::new(root).join("latchkey-bench");
        let v1 = group("/sys/fs/cgroup/cpu");
        let v2 = group("/sys/fs/cgroup");
        let (group, settings) = if v1.parent().is_some_and(Path::exists) {
            let settings = vec![
                ("cpu.cfs_period_us", PERIOD.to_string()),
                ("cpu.cfs_quota_us", quota.to_string()),
            ];
            (v1, settings)
        } else {
            (v2, vec![("cpu.max", format!("{quota} {PERIOD}"))])
        };
        let is_made = fs::create_dir_all(&group).and_then(|()| {
            settings
                .iter()
                .try_for_each(|(name, value)| fs::write(group.join(name), value))
        });
        is_made.map_err(|error| format!("{}: {error} (root may)", group.display()))?;
        Ok(Self(group))
    }

    /// A command that becomes this program, within the group.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("/bin/sh");
        let script = r#"echo $$ >"$0/cgroup.procs" && exec "$1""#;
        command.arg("-c").arg(script).arg(&self.0).arg(program);
        command
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        // It stays if a process in it has not ended yet; the next one takes it over.
        let _ = fs::remove_dir(&self.0);
    }
}
