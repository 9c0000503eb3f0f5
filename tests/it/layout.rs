//! Functions, routes, events and the local server belong together.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use local::functions::{NAMES, OPERATORS};
use local::template::Template;
use tests::money::{BEGIN, END, figures as figures_of_costs};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(crate) fn names_in(folder: &str) -> BTreeSet<String> {
    fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

#[test]
fn every_function_has_a_folder_a_place_in_the_template_and_one_in_the_local_server() {
    let template = Template::checked_in().unwrap();
    let folders = names_in("functions");
    let routed = template.routes.iter().map(|route| route.function.as_str());

    assert_eq!(set(routed), set(NAMES));
    assert_eq!(folders, set(NAMES.into_iter().chain(OPERATORS)));
    assert_eq!(folders, template.functions.into_iter().collect());
}

#[test]
fn every_function_has_a_good_event_and_a_bad_one() {
    let events = names_in("events");

    for name in NAMES.into_iter().chain(OPERATORS) {
        assert!(events.contains(&format!("{name}.json")), "{name}");
        let bad = format!("{name}-");
        assert!(events.iter().any(|event| event.starts_with(&bad)), "{name}");
    }
}

#[test]
fn every_main_is_the_same_six_lines() {
    let routed = NAMES.map(|name| (name, "serve"));
    let operators = OPERATORS.map(|name| (name, "serve_operator"));
    for (name, serve) in routed.into_iter().chain(operators) {
        let main = fs::read_to_string(root().join(format!("functions/{name}/src/main.rs")));
        let module = name.replace('-', "_");

        let expected = format!(
            "//! The Lambda function `{name}`.\n\n\
             fn main() -> std::process::ExitCode {{\n    \
             shared::runtime::{serve}({module}::handle)\n}}\n"
        );

        assert_eq!(main.unwrap(), expected);
    }
}

#[test]
fn every_code_of_the_management_family_is_documented_once() {
    let enumeration = fs::read_to_string(root().join("shared/src/http/code.rs")).unwrap();
    let codes: Vec<&str> = enumeration
        .lines()
        .filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = "))
        .map(|(_, code)| code)
        .filter(|code| *code != "0")
        .collect();
    let api = fs::read_to_string(root().join("docs/api.md")).unwrap();
    let documented: Vec<&str> = api
        .lines()
        .filter_map(|line| line.split(" | ").nth(2))
        .filter_map(|cell| cell.split(' ').next())
        .filter(|code| code.len() == 4 && code.parse::<u16>().is_ok())
        .collect();

    assert_eq!(codes, documented);
}

#[tokio::test]
async fn the_page_on_costs_has_the_figures_of_the_code() {
    let page = fs::read_to_string(root().join("docs/costs.md")).unwrap();
    let figures = page.split_once(BEGIN).unwrap().1.split_once(END).unwrap().0;

    let measured = figures_of_costs().await;
    assert_eq!(figures, measured, "`make costs` brings it up to date");
}

#[test]
fn cargo_lambda_deploys_what_the_template_says() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = manifest.split("[workspace.metadata.lambda.deploy]\n");
    let settings = section.last().unwrap().split("\n\n").next().unwrap();
    let template = fs::read_to_string(root().join("template.yaml")).unwrap();
    let globals = template.split("\nGlobals:\n").last().unwrap();
    let of_functions = globals.split("    Environment:\n").next().unwrap();

    for (setting, in_template) in [("memory", "MemorySize"), ("timeout", "Timeout")] {
        let number = settings.split(&format!("{setting} = ")).last().unwrap();
        let number = number.lines().next().unwrap();
        let line = format!("    {in_template}: {number}\n");
        assert!(of_functions.contains(&line), "{line}");
    }
    let of_rotation = fs::read_to_string(root().join("functions/rotate-keys/Cargo.toml")).unwrap();
    let rotation = template.split("\n  RotateKeysFunction:\n").nth(1).unwrap();
    let rotation = rotation.split("\n\n").next().unwrap();
    assert!(of_rotation.contains("timeout = 30\n"));
    assert!(rotation.contains("      Timeout: 30\n"), "{rotation}");
}

#[test]
fn cargo_lambda_watches_the_template_s_routes() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = manifest.split("[workspace.metadata.lambda.watch.router]\n");
    let table = section.last().unwrap().split("\n\n").next().unwrap();
    let watched: BTreeSet<String> = table
        .lines()
        .flat_map(|line| {
            let (path, functions) = line.split_once(" = ").unwrap();
            let path = path.trim_matches('"').to_owned();
            let quoted: Vec<&str> = functions.split('"').skip(1).step_by(2).collect();
            let pairs: Vec<String> = quoted
                .chunks(2)
                .map(|pair| format!("{} {path} {}", pair[0], pair[1]))
                .collect();
            pairs
        })
        .collect();
    let expected: BTreeSet<String> = Template::checked_in()
        .unwrap()
        .routes
        .iter()
        .map(|route| format!("{} {} {}", route.method, route.path, route.function))
        .collect();

    assert_eq!(watched, expected);
}
