//! The checked-in inputs of the fuzz targets, and what they reach.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fuzz::TARGETS;
use fuzz::exchange::ROUTES;
use fuzz::{event, request};
use local::template::Template;

/// The inputs of a target in this folder, none where there is no such folder.
fn inputs(folder: &str, target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(folder)
        .join(target);
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let inputs = paths.map(|path| (path.clone(), fs::read(path).unwrap()));
    inputs.collect()
}

#[test]
fn every_seed_and_every_input_that_once_failed_holds_what_its_target_asks() {
    for (target, run) in TARGETS {
        let seeds = inputs("seeds", target);
        assert!(seeds.len() >= 15, "{target} has seeds to start from");
        for (path, input) in seeds.into_iter().chain(inputs("crashes", target)) {
            println!("{}", path.display());
            run(&input);
        }
    }
}

#[test]
fn the_seeds_reach_every_route_past_its_credentials() {
    let requests = inputs("seeds", "request").into_iter();
    let reached: BTreeSet<_> = requests
        .filter_map(|(_, input)| request::answered(&input))
        .collect();
    let events = inputs("seeds", "event").into_iter();
    let by_events: BTreeSet<_> = events
        .filter_map(|(_, input)| event::answered(&input))
        .collect();

    for (function, ..) in ROUTES {
        assert!(
            reached.contains(&(function, 200)),
            "{function}: {reached:?}"
        );
        assert!(
            by_events.contains(&(function, 200)),
            "{function}: {by_events:?}"
        );
    }
    let statuses: BTreeSet<u16> = reached.into_iter().map(|(_, status)| status).collect();
    let all = [200, 400, 401, 403, 404, 413, 415, 429, 500, 503];
    assert_eq!(statuses, BTreeSet::from(all));
}

#[test]
fn what_is_fuzzed_are_the_template_s_routes() {
    let template = Template::checked_in().unwrap();
    let routes = template.routes.iter();
    let expected: BTreeSet<_> = routes
        .map(|route| (&*route.function, &*route.method, &*route.path))
        .collect();

    let fuzzed = ROUTES.map(|(function, method, path, _)| (function, method, path));
    assert_eq!(BTreeSet::from(fuzzed), expected);
}
