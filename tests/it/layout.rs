//! The functions, template, sample events, manifests and docs match one another.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use local::functions::{AUTHORIZER, DEFAULT_ROUTE, ENDPOINTS, OPERATORS, WORKERS};
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

fn endpoints() -> impl Iterator<Item = &'static str> {
    ENDPOINTS.iter().map(|endpoint| endpoint.name)
}

fn workers() -> impl Iterator<Item = &'static str> {
    WORKERS.iter().copied()
}

/// Those for operators, and the authorizer.
fn operators() -> impl Iterator<Item = &'static str> {
    let all = OPERATORS.iter().chain([&AUTHORIZER]);
    all.map(|operator| operator.name)
}

#[test]
fn every_function_has_a_folder_a_registry_entry_and_a_template_resource() {
    let template = Template::checked_in().unwrap();
    let folders = names_in("functions");

    let registered = endpoints()
        .chain(operators())
        .chain(workers())
        .chain([DEFAULT_ROUTE]);
    assert_eq!(folders, set(registered));
    assert_eq!(folders, template.functions.into_iter().collect());
}

#[test]
fn the_registered_endpoints_match_the_routes_of_the_template() {
    let template = Template::checked_in().unwrap();
    let deployed: BTreeSet<_> = template
        .routes
        .iter()
        .map(|route| (&*route.method, &*route.path, &*route.function))
        .collect();
    let registered: BTreeSet<_> = ENDPOINTS
        .iter()
        .map(|endpoint| (endpoint.method, endpoint.path, endpoint.name))
        .collect();

    assert_eq!(registered, deployed);
    assert_eq!(
        registered.len(),
        ENDPOINTS.len(),
        "an endpoint is registered twice"
    );
}

#[test]
fn every_function_has_a_valid_and_an_invalid_sample_event() {
    let events = names_in("events");

    for name in endpoints()
        .chain(operators())
        .chain(workers())
        .chain([DEFAULT_ROUTE])
    {
        assert!(events.contains(&format!("{name}.json")), "{name}");
        let bad = format!("{name}-");
        assert!(events.iter().any(|event| event.starts_with(&bad)), "{name}");
    }
}

#[test]
fn all_main_functions_are_identical_except_for_their_names() {
    // These check no token.
    let keyless = [
        "confirm-email",
        "forgot-password",
        "reset-forgotten-password",
    ];
    let routed = endpoints().map(|name| {
        let is_keyless = keyless.contains(&name);
        (
            name,
            if is_keyless {
                "serve_without_keys"
            } else {
                "serve"
            },
        )
    });
    let operators = operators().map(|name| (name, "serve_operator"));
    let default = [(DEFAULT_ROUTE, "serve_without_keys")];
    let workers = workers().map(|name| (name, "serve_worker"));
    for (name, serve) in routed.chain(operators).chain(default).chain(workers) {
        let main = fs::read_to_string(root().join(format!("functions/{name}/src/main.rs")));
        let module = name.replace('-', "_");

        let call = match name {
            "deliver" => "serve_worker::<deliver::Deliver>()".to_owned(),
            "deliver-webhook" => "serve_worker::<deliver_webhook::DeliverWebhook>()".to_owned(),
            "erase-account" => "serve_worker::<erase_account::EraseAccount>()".to_owned(),
            _ => format!("{serve}({module}::handle)"),
        };
        let expected = format!(
            "//! The Lambda function `{name}`.\n\n\
             fn main() -> std::process::ExitCode {{\n    \
             shared::runtime::{call}\n}}\n"
        );

        assert_eq!(main.unwrap(), expected);
    }
}

#[test]
fn every_table_is_encrypted_and_the_users_table_is_kept_and_recoverable() {
    let template = fs::read_to_string(root().join("template.yaml")).unwrap();
    let resources = template.split("\n\n");
    let tables: Vec<_> = resources
        .filter(|resource| resource.contains("Type: AWS::DynamoDB::Table"))
        .collect();

    assert_eq!(tables.len(), 3);
    for table in &tables {
        assert!(table.contains("SSEEnabled: true"), "{table}");
    }
    let is_users = |table: &&&str| table.contains("UsersTable:");
    let users = tables.iter().find(is_users).unwrap();
    for kept in [
        "PointInTimeRecoveryEnabled: true",
        "DeletionProtectionEnabled: { Fn::If: [IsProd, true, false] }",
        "DeletionPolicy: RetainExceptOnCreate",
        "UpdateReplacePolicy: Retain",
    ] {
        assert!(users.contains(kept), "{kept}");
    }
}

#[test]
fn every_management_error_code_is_documented_once() {
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

#[test]
fn every_path_on_the_architecture_page_exists() {
    let page = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let quoted = page.split('`').skip(1).step_by(2);
    let is_path = |text: &&str| {
        let is_real = !text.contains(['<', '*', ' ', '\n']) && !text.contains("whoami");
        is_real && (text.contains('/') || ["template.yaml", "Cargo.toml"].contains(text))
    };
    // A path such as `src/lib.rs` is relative to an endpoint.
    let paths: Vec<&str> = quoted
        .filter(is_path)
        .map(|path| path.strip_prefix("src/").unwrap_or(path))
        .collect();

    assert!(paths.len() > 20, "{paths:?}");
    for path in paths {
        let candidates = [
            root().join(path),
            root().join("functions/get-user/src").join(path),
        ];
        assert!(candidates.iter().any(|file| file.exists()), "{path}");
    }
}

#[tokio::test]
async fn the_costs_page_has_the_measured_figures() {
    let page = fs::read_to_string(root().join("docs/costs.md")).unwrap();
    let figures = page.split_once(BEGIN).unwrap().1.split_once(END).unwrap().0;

    let measured = figures_of_costs().await;
    assert_eq!(figures, measured, "run `make costs` to update it");
}

/// A cell of the row of docs/costs.md whose first cell is `first`; 1 is the last cell.
fn price(page: &str, first: &str, cell_from_the_end: usize) -> String {
    let row = page
        .lines()
        .find(|line| line.starts_with(&format!("| {first} | ")));
    let cells: Vec<&str> = row.unwrap().trim_matches('|').split('|').collect();
    cells[cells.len() - cell_from_the_end].trim().to_owned()
}

#[test]
fn the_readme_quotes_the_prices_of_the_costs_page() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let (readme, costs) = (read("README.md"), read("docs/costs.md"));
    let readme: Vec<&str> = readme.split_whitespace().collect();

    let quoted = format!(
        "{} for `GET /user`, {} for a sign-in, {} a month for a million users",
        price(&costs, "`GET /user`", 1),
        price(&costs, "`POST /user/auth`", 1),
        price(&costs, "1 million", 2),
    );

    assert!(readme.join(" ").contains(&quoted), "{quoted}");
}

#[test]
fn the_operations_page_says_for_how_many_functions_concurrency_is_reserved() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let (page, template) = (read("docs/operations.md"), read("template.yaml"));
    let all = Template::checked_in().unwrap().functions.len();
    let not_reserved = "ReservedConcurrentExecutions: { Ref: \"AWS::NoValue\" }";

    let reserved = all - template.matches(not_reserved).count();

    assert!(page.contains(&format!("for each of the {reserved} functions that")));
}

#[test]
fn the_ways_to_check_a_token_have_the_measured_costs_and_times() {
    let read = |page: &str| fs::read_to_string(root().join("docs").join(page)).unwrap();
    let (page, costs, benchmarks) = (
        read("protect-your-api.md"),
        read("costs.md"),
        read("benchmarks.md"),
    );
    let row = |page: &str, start: &str| {
        let line = page.lines().find(|line| line.starts_with(start));
        line.unwrap_or_else(|| panic!("no {start}")).to_owned()
    };
    for (way, request) in [
        ("| [Lambda authorizer]", "authorize, a token"),
        ("| [introspection]", "POST /oauth/introspect by API key"),
    ] {
        let row = row(&page, way);
        let price = price(&costs, &format!("`{request}`"), 1);
        assert!(row.contains(&format!("| {price} |")), "{price}: {row}");
    }
    for (way, figure) in [
        ("| [Lambda authorizer]", "| authorize, a token "),
        ("| [introspection]", "| POST /oauth/introspect by API key "),
        ("| [a library in your service]", "| in your own code, "),
    ] {
        let median = row(&benchmarks, figure);
        let median = median.split('|').nth(2).unwrap().trim();
        let row = row(&page, way);
        assert!(row.contains(&format!("| {median} ms |")), "{median}: {row}");
    }
}

/// The rest of the first line that starts with `name`.
fn setting<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mut lines = text.lines().map(str::trim_start);
    lines.find_map(|line| line.strip_prefix(name))
}

#[test]
fn cargo_lambda_deploys_with_the_memory_and_timeout_of_the_template() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let (manifest, template) = (read("Cargo.toml"), read("template.yaml"));
    let (_, workspace) = manifest
        .split_once("[workspace.metadata.lambda.deploy]\n")
        .unwrap();
    let (_, globals) = template.split_once("\nGlobals:\n").unwrap();
    for name in names_in("functions") {
        let package = read(&format!("functions/{name}/Cargo.toml"));
        let package = package.split_once("[package.metadata.lambda.deploy]\n");
        let deployed = package.as_ref().map_or(workspace, |(_, settings)| settings);
        let code = format!("CodeUri: target/lambda/{name}/\n");
        let resource = template.split("\n\n").find(|text| text.contains(&code));

        for (ours, theirs) in [("memory = ", "MemorySize: "), ("timeout = ", "Timeout: ")] {
            let in_template = setting(resource.unwrap(), theirs).or(setting(globals, theirs));

            assert!(in_template.is_some(), "{name}: {theirs}");
            assert_eq!(setting(deployed, ours), in_template, "{name}: {theirs}");
        }
    }
}

#[test]
fn cargo_lambda_watches_every_endpoint() {
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
    let expected: BTreeSet<String> = ENDPOINTS
        .iter()
        .map(|endpoint| format!("{} {} {}", endpoint.method, endpoint.path, endpoint.name))
        .collect();

    assert_eq!(watched, expected);
}
