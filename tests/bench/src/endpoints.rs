//! Endpoints, then the floors: cold start, warm latency, requests per second of one instance,
//! memory, size, and the cost in DynamoDB.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use local::template::Template;
use tests::costs::{self, Row};
use tests::wire::Cost;

use super::Failure;
use super::caller::Caller;
use super::samples::Samples;
use super::stage::{RING_IN_FILE, Stage};
use super::table::{Table, ms};

/// The functions of the endpoints to measure. [`Caller`] makes any number of requests to them that succeed.
const MEASURED: [&str; 10] = [
    "create-user",
    "sign-in",
    "get-user",
    "log-in",
    "log-out",
    "get-profile",
    "update-profile",
    "create-api-key",
    "list-api-keys",
    "revoke-api-key",
];

const COLD_STARTS: usize = 100;
const WARM_UP: usize = 20;
const WARM: usize = 300;

pub(super) async fn measure(stage: &Stage) -> Result<Table, Failure> {
    let mut table = Table::new([
        "endpoint",
        "cold p50, ms",
        "cold p99",
        "warm p50, ms",
        "warm p99",
        "1/s",
        "memory, MB",
        "zipped, MB",
        "round trips",
        "read units",
        "write units",
    ]);
    let costs = measured_costs().await?;
    let mut caller = Caller::of(stage).await?;
    let routes = Template::checked_in()?.routes.into_iter();
    for route in routes.filter(|route| MEASURED.contains(&&*route.function)) {
        let name = format!("{} {}", route.method, route.path);
        let is_of_route = |row: &&Row| row.request.split(", ").next() == Some(&name);
        let row = costs.iter().find(is_of_route);
        let cost = &row
            .ok_or_else(|| format!("{name} has no measured cost"))?
            .cost;
        let event = async || caller.event(&route.function, &name).await;
        let figures = figures(stage, &route.function, &[], event).await?;
        table.add([name].into_iter().chain(figures).chain(units(Some(cost))));
    }
    let get_item = [RING_IN_FILE, &[("BARE", "read")]].concat();
    for (floor, variables) in [
        ("floor: bare answer", &[("BARE", "answer")][..]),
        ("floor: bare hash", &[("BARE", "hash")]),
        ("floor: bare GetItem", &get_item),
        ("floor: bare 2 reads", &[("BARE", "read")]),
    ] {
        let event = async || Ok(stage.get_user.clone());
        let figures = figures(stage, "bare", variables, event).await?;
        let floor = [floor.to_owned()].into_iter();
        table.add(floor.chain(figures).chain(units(None)));
    }
    Ok(table)
}

/// Measures the cost of each kind of request. It uses a single-threaded runtime, because on more
/// threads concurrent calls may appear to be sequential.
async fn measured_costs() -> Result<Vec<Row>, Failure> {
    let alone = tokio::task::spawn_blocking(|| {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build()?;
        Ok::<_, Failure>(runtime.block_on(costs::measure()))
    });
    alone.await?
}

fn units(cost: Option<&Cost>) -> [String; 3] {
    cost.map_or_else(Default::default, |cost| {
        [
            cost.round_trips.to_string(),
            cost.read_units.to_string(),
            cost.write_units.to_string(),
        ]
    })
}

/// Measures a program with these additional variables. `event` makes a new event for each request.
async fn figures(
    stage: &Stage,
    program: &str,
    variables: &[(&str, &str)],
    mut event: impl AsyncFnMut() -> Result<String, Failure>,
) -> Result<[String; 7], Failure> {
    let (mut cold, mut warm) = (Samples::default(), Samples::default());
    for _ in 0..COLD_STARTS {
        let event = event().await?;
        let mut function = stage.function_with(program, variables).await?;
        cold.0.push(function.invoke(&event, 200).await?.since_spawn);
    }
    let mut function = stage.function_with(program, variables).await?;
    for turn in 0..WARM_UP + WARM {
        let took = function.time(&event().await?, 200).await?;
        if turn >= WARM_UP {
            warm.0.push(took);
        }
    }
    Ok([
        ms(cold.p50()),
        ms(cold.p99()),
        ms(warm.p50()),
        ms(warm.p99()),
        format!("{:.0}", 1.0 / warm.p50().as_secs_f64()),
        format!("{:.1}", function.peak_memory()?),
        format!("{:.2}", zipped(stage, program)?),
    ])
}

/// The compressed size of a binary, in megabytes, without the headers of the zip archive.
fn zipped(stage: &Stage, program: &str) -> Result<f64, Failure> {
    let mut archive = DeflateEncoder::new(Vec::new(), Compression::default());
    archive.write_all(&std::fs::read(stage.program(program))?)?;
    let bytes = u32::try_from(archive.finish()?.len())?;
    Ok(f64::from(bytes) / 1e6)
}
