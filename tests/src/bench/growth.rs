//! Growth: a table of a thousand accounts against one of a million, and one process against
//! sixty-four.

use super::Failure;
use super::caller::{Caller, ENDPOINTS, Endpoint, endpoint};
use super::clock::now;
use super::function::Function;
use super::samples::Samples;
use super::stage::Stage;
use super::table::{Table, ms};

/// Accounts in the tables that are compared.
const SIZES: [u32; 3] = [1_000, 100_000, 1_000_000];

/// Of how many accounts of each table requests are.
const PEOPLE: u32 = 50;

const WARM_UP: usize = 20;
const WARM: usize = 400;

/// How much slower the largest table may be.
const FLAT: f64 = 1.10;

/// Each endpoint's latency with so many accounts in the table; the tables take turns, so that the
/// machine's drift meets all.
pub(super) async fn accounts() -> Result<String, Failure> {
    let mut sides = Vec::new();
    for size in SIZES {
        let stage = Stage::with_accounts(size).await?;
        let caller = Caller::of_many(&stage, size, PEOPLE).await?;
        sides.push((stage, caller));
    }
    let mut table = Table::new([
        "endpoint, warm p50, ms",
        "1 thousand accounts",
        "100 thousand",
        "1 million",
        "1 million to 1 thousand",
    ]);
    let mut flat = 0;
    for endpoint in ENDPOINTS {
        let medians = in_turns(&mut sides, endpoint).await?;
        let (first, last) = (medians.first(), medians.last());
        let (first, last) = first.zip(last).ok_or("nothing was measured")?;
        let ratio = last.p50().as_secs_f64() / first.p50().as_secs_f64();
        flat += u32::from(ratio <= FLAT);
        let cells = medians.iter().map(|samples| ms(samples.p50()));
        let route = std::iter::once(endpoint.route.to_owned());
        table.add(route.chain(cells).chain([format!("{ratio:.2} x")]));
    }
    let all = ENDPOINTS.len();
    Ok(format!("{table}\n{flat} of {all} within {FLAT:.2} x."))
}

async fn in_turns(
    sides: &mut [(Stage, Caller)],
    endpoint: Endpoint,
) -> Result<Vec<Samples>, Failure> {
    let mut functions = Vec::new();
    for (stage, _) in &*sides {
        functions.push(stage.function(endpoint.function).await?);
    }
    let mut samples: Vec<Samples> = sides.iter().map(|_| Samples::default()).collect();
    for turn in 0..WARM_UP + WARM {
        let each = sides.iter_mut().zip(&mut functions).zip(&mut samples);
        for (((_, caller), function), samples) in each {
            let event = caller.event(endpoint).await?;
            let took = function.time(&event, 200).await?;
            if turn >= WARM_UP {
                samples.add(took);
            }
        }
    }
    Ok(samples)
}

/// How many processes work on one table at once.
const FLEETS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

/// How many requests a fleet answers, whatever its size.
const REQUESTS: usize = 1_920;

/// Throughput and latency of one to sixty-four processes that have one table between them.
pub(super) async fn fleets(stage: &Stage) -> Result<Table, Failure> {
    let mut table = Table::new([
        "processes",
        "GET /user, 1/s",
        "p50, ms",
        "p99",
        "POST /user/auth, 1/s",
        "p50, ms",
        "p99",
    ]);
    let (reads, sign_ins) = (endpoint("get-user")?, endpoint("sign-in")?);
    for size in FLEETS {
        let mut cells = vec![size.to_string()];
        for (endpoint, requests) in [(reads, REQUESTS), (sign_ins, REQUESTS / 6)] {
            let (per_second, samples) = fleet(stage, endpoint, size, requests).await?;
            cells.push(format!("{per_second:.0}"));
            cells.push(ms(samples.p50()));
            cells.push(ms(samples.p99()));
        }
        table.add(cells);
    }
    Ok(table)
}

async fn fleet(
    stage: &Stage,
    endpoint: Endpoint,
    size: usize,
    requests: usize,
) -> Result<(f64, Samples), Failure> {
    let event = Caller::of(stage).await?.event(endpoint).await?;
    let mut functions = Vec::new();
    for _ in 0..size {
        let mut function = stage.function(endpoint.function).await?;
        function.invoke(&event, 200).await?;
        functions.push(function);
    }
    let started = now();
    let workers: Vec<_> = functions
        .into_iter()
        .map(|function| tokio::spawn(work(function, event.clone(), requests / size)))
        .collect();
    let mut samples = Samples::default();
    for worker in workers {
        samples.extend(worker.await??);
    }
    let took = now() - started;
    let answered = u32::try_from(samples.len())?;
    Ok((f64::from(answered) / took.as_secs_f64(), samples))
}

async fn work(mut function: Function, event: String, times: usize) -> Result<Samples, Failure> {
    let mut samples = Samples::default();
    for _ in 0..times {
        samples.add(function.time(&event, 200).await?);
    }
    Ok(samples)
}
