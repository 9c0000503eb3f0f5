//! Each endpoint: cold, warm, its memory and size, and what it asks of DynamoDB.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use tests::wire::Cost;

use super::caller::{Caller, ENDPOINTS};
use super::samples::Samples;
use super::stage::Stage;
use super::table::{Table, ms};
use super::{Failure, costs, loopback};

const COLD_STARTS: usize = 100;
const WARM_UP: usize = 20;
const WARM: usize = 300;
const ROUND_TRIPS: usize = 2_000;

/// Every endpoint, and below them the floors.
pub(super) async fn measure(stage: &Stage) -> Result<Table, Failure> {
    let mut table = Table::new([
        "endpoint",
        "cold p50, ms",
        "cold p99",
        "warm p50, ms",
        "warm p99",
        "memory, MB",
        "zipped, MB",
        "round trips",
        "read units",
        "write units",
    ]);
    let costs: BTreeMap<&str, Cost> = costs::measure()
        .await?
        .into_iter()
        .map(|row| (row.request, row.cost))
        .collect();
    let mut caller = Caller::of(stage).await?;
    for endpoint in ENDPOINTS {
        let cost = costs
            .get(endpoint.cost)
            .ok_or_else(|| format!("nobody knows what {} costs", endpoint.cost))?;
        let event = async || caller.event(endpoint).await;
        let figures = figures(stage, endpoint.function, &[], event).await?;
        table.add(row(endpoint.route, &figures, Some(cost)));
    }
    let ring_in_file = stage.ring_in_file();
    for (floor, program, variables) in [
        ("floor: bare answer", "bare-answer", &[][..]),
        ("floor: bare hash", "bare-hash", &[][..]),
        ("floor: bare GetItem", "bare-get-item", ring_in_file),
        ("floor: bare 2 reads", "bare-get-item", &[][..]),
    ] {
        let event = async || Ok(stage.get_user.clone());
        let figures = figures(stage, program, variables, event).await?;
        table.add(row(floor, &figures, None));
    }
    let loopback = loopback::round_trips(ROUND_TRIPS)?;
    let mut row = vec![
        "floor: loopback round trip".to_owned(),
        String::new(),
        String::new(),
    ];
    row.extend([ms(loopback.p50()), ms(loopback.p99())]);
    row.resize(10, String::new());
    table.add(row);
    Ok(table)
}

struct Figures {
    cold: Samples,
    warm: Samples,
    memory: f64,
    zipped: f64,
}

fn row(what: &str, figures: &Figures, cost: Option<&Cost>) -> [String; 10] {
    let or_none = |figure: Option<String>| figure.unwrap_or_default();
    [
        what.to_owned(),
        ms(figures.cold.p50()),
        ms(figures.cold.p99()),
        ms(figures.warm.p50()),
        ms(figures.warm.p99()),
        format!("{:.1}", figures.memory),
        format!("{:.2}", figures.zipped),
        or_none(cost.map(|cost| cost.round_trips.to_string())),
        or_none(cost.map(|cost| cost.read_units.to_string())),
        or_none(cost.map(|cost| cost.write_units.to_string())),
    ]
}

/// Measures a program, with some variables of its own, by events each of which it answers once.
async fn figures(
    stage: &Stage,
    program: &str,
    variables: &[(&str, &str)],
    mut event: impl AsyncFnMut() -> Result<String, Failure>,
) -> Result<Figures, Failure> {
    let mut cold = Samples::default();
    for _ in 0..COLD_STARTS {
        let event = event().await?;
        let mut function = stage.function_with(program, variables).await?;
        cold.add(function.invoke(&event, 200).await?.since_spawn);
    }
    let mut warm = Samples::default();
    let mut function = stage.function_with(program, variables).await?;
    for turn in 0..WARM_UP + WARM {
        let took = function.time(&event().await?, 200).await?;
        if turn >= WARM_UP {
            warm.add(took);
        }
    }
    Ok(Figures {
        cold,
        warm,
        memory: function.peak_memory()?,
        zipped: zipped(stage, program)?,
    })
}

/// The size of a binary in the archive that is deployed, in megabytes, but for the archive's head.
fn zipped(stage: &Stage, program: &str) -> Result<f64, Failure> {
    let mut archive = DeflateEncoder::new(Vec::new(), Compression::default());
    archive.write_all(&std::fs::read(stage.program(program))?)?;
    let bytes = u32::try_from(archive.finish()?.len())?;
    Ok(f64::from(bytes) / 1e6)
}
