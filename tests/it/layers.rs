//! The layers of `shared`, as docs/architecture.md draws them: a module uses only modules to its right.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// What each top-level module of `shared` may use.
const MAY_USE: [(&str, &[&str]); 14] = [
    (
        "runtime",
        &["http", "app", "config", "domain", "observe", "aws"],
    ),
    (
        "http",
        &[
            "auth", "app", "store", "crypto", "domain", "config", "observe",
        ],
    ),
    (
        "auth",
        &[
            "app", "store", "keys", "crypto", "domain", "observe", "ports",
        ],
    ),
    (
        "app",
        &[
            "store", "keys", "crypto", "config", "observe", "memory", "ports", "aws",
        ],
    ),
    ("store", &["crypto", "domain", "config", "observe", "ports"]),
    ("keys", &["crypto", "domain", "config", "observe", "ports"]),
    ("crypto", &["domain", "ports"]),
    ("config", &["domain"]),
    ("observe", &["domain"]),
    ("memory", &["domain"]),
    ("ports", &["domain"]),
    ("aws", &["config"]),
    ("domain", &[]),
    ("lib", &[]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The line number and module of each use in `source`, a file of `module`, that is not allowed.
fn forbidden_uses<'s>(module: &str, source: &'s str) -> Vec<(usize, &'s str)> {
    let layer = MAY_USE.iter().find(|(name, _)| *name == module);
    let allowed = layer.map(|(_, allowed)| *allowed).unwrap_or_default();
    // A list after `crate::`, and a way round it, would hide which modules are used.
    let used = Regex::new(r"\b(?:crate|super::super)::(\{|[a-z_]+)").unwrap();
    let lines = source.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .flat_map(|(index, line)| {
            let modules = used.captures_iter(line).map(|found| found.get(1).unwrap());
            modules.map(move |found| (index + 1, found.as_str()))
        })
        .filter(|(_, used)| *used != module && !allowed.contains(used))
        .collect()
}

#[test]
fn no_module_of_shared_uses_a_layer_to_its_left() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/src");
    let mut found = Vec::new();
    for path in sources(&root) {
        let within = path.strip_prefix(&root).unwrap();
        let module = within.iter().next().unwrap().to_str().unwrap();
        let module = module.trim_end_matches(".rs");
        let source = fs::read_to_string(&path).unwrap();
        for (line, used) in forbidden_uses(module, &source) {
            found.push(format!("{}:{line} uses {used}", within.display()));
        }
    }

    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_use_of_a_layer_to_the_left_is_reported_with_its_line() {
    let source = "use crate::domain::Email;\nuse crate::http::Reply;\nuse crate::{auth, domain};\n";

    assert_eq!(forbidden_uses("store", source), [(2, "http"), (3, "{")]);
}
