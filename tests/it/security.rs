//! docs/security.md lists every requirement once and names only existing tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The sections of OWASP ASVS 5.0.0 that the page covers, with the level of each requirement.
const SECTIONS: [(&str, &[u8]); 24] = [
    ("2.3", &[1, 2, 2, 2, 3]),
    ("2.4", &[2, 3]),
    ("6.1", &[1, 2, 2]),
    ("6.2", &[1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2]),
    ("6.3", &[1, 1, 2, 2, 3, 3, 3, 3]),
    ("6.4", &[1, 1, 2, 2, 3, 3]),
    ("6.5", &[2, 2, 2, 2, 2, 3, 3, 3]),
    ("7.1", &[2, 2, 2]),
    ("7.2", &[1, 1, 1, 1]),
    ("7.3", &[2, 2]),
    ("7.4", &[1, 1, 2, 2, 2]),
    ("7.5", &[2, 2, 3]),
    ("9.1", &[1, 1, 1]),
    ("9.2", &[1, 2, 2, 2]),
    ("11.2", &[2, 2, 2, 3, 3]),
    ("11.4", &[1, 2, 2, 2]),
    ("11.6", &[2, 3]),
    ("13.3", &[2, 2, 3, 3]),
    ("14.2", &[1, 2, 2, 2, 3, 3, 3, 3]),
    ("15.3", &[1, 2, 2, 2, 2, 2, 2]),
    ("16.2", &[2, 2, 2, 2, 2]),
    ("16.3", &[2, 2, 2, 2]),
    ("16.4", &[2, 2, 2]),
    ("16.5", &[2, 2, 2, 3]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The cells of each row that begins with a requirement's number.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| "));
    let rows = rows.map(|row| row.trim_end_matches(" |").split(" | ").collect());
    rows.filter(|row: &Vec<&str>| row[0].starts_with(|c: char| c.is_ascii_digit()))
        .collect()
}

/// The tests named in a text: `file::name`, in backquotes.
fn tests_named(text: &str) -> BTreeSet<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|quoted| quoted.contains("::")).collect()
}

/// Whether the test is in the file that its module names.
fn exists(test: &str) -> bool {
    let (module, name) = test.rsplit_once("::").unwrap();
    let path = module.replace("::", "/");
    let path = match path.strip_prefix("shared/") {
        Some(path) => format!("shared/src/{path}.rs"),
        None => format!("tests/it/{path}.rs"),
    };
    let source = fs::read_to_string(root().join(path)).unwrap_or_default();
    let at = source.find(&format!("fn {name}("));
    let attribute = |at| source[..at].rsplit("#[").next();
    at.and_then(attribute)
        .is_some_and(|attribute| attribute.contains("test"))
}

#[test]
fn the_security_page_lists_every_requirement_of_its_sections_once() {
    let page = read("docs/security.md");
    let stated: Vec<_> = rows(&page)
        .into_iter()
        .map(|row| format!("{} at level {}", row[0], row[1]))
        .collect();

    let expected: Vec<_> = SECTIONS
        .iter()
        .flat_map(|(section, levels)| {
            let numbered = (1..).zip(*levels);
            numbered.map(move |(number, level)| format!("{section}.{number} at level {level}"))
        })
        .collect();
    assert_eq!(stated, expected);
}

#[test]
fn each_requirement_states_how_it_is_met_or_why_not() {
    let page = read("docs/security.md");

    for row in rows(&page) {
        assert_eq!(row.len(), 4, "{row:?}");
        for word in ["**Otherwise**", "**Not applicable**"] {
            for reason in row[3].split(word).skip(1) {
                assert!(reason.len() > 10, "{}: {word} why?", row[0]);
            }
        }
        assert!(row[3].len() > 20, "{}: how?", row[0]);
    }
}

#[test]
fn every_test_named_in_a_security_document_exists() {
    let page = read("docs/security.md");
    let rfc_8725 = read("tests/it/attacks/jwt.rs");
    let list = rfc_8725.lines().filter(|line| line.starts_with("//! | "));
    let list: String = list.collect();

    let mut named = tests_named(&page);
    named.remove("attacks::timing::...");
    named.remove("shared::...");
    named.extend(tests_named(&list));
    let missing: Vec<_> = named.iter().filter(|test| !exists(test)).collect();
    assert!(named.len() > 60, "only {}", named.len());
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_rfc_8725_table_lists_sections_3_1_to_3_12() {
    let rfc_8725 = read("tests/it/attacks/jwt.rs");
    let listed: Vec<_> = rfc_8725
        .lines()
        .filter_map(|line| line.strip_prefix("//! | 3.")?.split(' ').next())
        .collect();

    let expected: Vec<_> = (1..=12).map(|section| section.to_string()).collect();
    assert_eq!(listed, expected);
    for test in rfc_8725.split("[`").skip(1) {
        let name = test.split('`').next().unwrap();
        assert!(rfc_8725.contains(&format!("fn {name}(")), "{name}");
    }
}
