//! The OpenAPI document: up to date with the code, the template and the error codes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use local::openapi;
use local::template::Template;
use serde_json::{Map, Value};
use shared::http::code::Code;

fn document() -> Value {
    serde_json::from_str(&openapi::text().unwrap()).unwrap()
}

/// Every operation, by its method and path.
fn operations(document: &Value) -> Vec<(String, &Map<String, Value>)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, methods)| {
            methods
                .as_object()
                .unwrap()
                .iter()
                .map(move |(method, operation)| {
                    let name = format!("{} {path}", method.to_uppercase());
                    (name, operation.as_object().unwrap())
                })
        })
        .collect()
}

/// Resolves `$ref`, or returns the value itself.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => value,
    }
}

#[test]
fn the_checked_in_openapi_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let checked_in = fs::read_to_string(path).unwrap_or_default();

    assert!(
        checked_in.trim_end() == openapi::text().unwrap(),
        "docs/openapi.json is not what the code generates: run `make openapi`"
    );
}

#[test]
fn the_openapi_document_has_exactly_the_routes_of_the_template() {
    let document = document();
    let described: BTreeSet<String> = operations(&document)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let template = Template::checked_in().unwrap();
    let deployed: BTreeSet<String> = template
        .routes
        .iter()
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();

    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(described, deployed);
}

#[test]
fn every_openapi_reference_resolves() {
    fn check(document: &Value, value: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
                }
                fields.values().for_each(|value| check(document, value));
            }
            Value::Array(values) => values.iter().for_each(|value| check(document, value)),
            _ => {}
        }
    }
    let document = document();

    check(&document, &document);
}

#[test]
fn every_example_response_has_all_required_fields_of_its_schema_and_no_others() {
    let document = document();
    for (name, operation) in operations(&document) {
        let answer = &operation["responses"]["200"]["content"]["application/json"];
        let mut schema = resolved(&document, &answer["schema"]);
        let mut example = &answer["example"];
        if example.is_array() {
            (schema, example) = (resolved(&document, &schema["items"]), &example[0]);
        }
        let required = schema["required"].as_array().into_iter().flatten();
        let required = required.map(|name| name.as_str().unwrap());
        let none = Map::new();
        let schema = schema["properties"].as_object().unwrap_or(&none);
        let example = example.as_object().unwrap();
        let described: BTreeSet<_> = schema.keys().collect();
        assert!(
            example
                .keys()
                .collect::<BTreeSet<_>>()
                .is_subset(&described),
            "{name}"
        );
        for field in required {
            assert!(example.contains_key(field), "{name}: {field}");
        }
        for (field, value) in example {
            let schema = resolved(&document, &schema[field]);
            let (Some(fields), Some(value)) = (schema["properties"].as_object(), value.as_object())
            else {
                continue;
            };
            assert_eq!(
                fields.keys().collect::<BTreeSet<_>>(),
                value.keys().collect::<BTreeSet<_>>(),
                "{name} {field}"
            );
        }
    }
}

#[test]
fn every_body_schema_is_named() {
    let document = document();
    for (name, operation) in operations(&document) {
        let request = operation.get("requestBody");
        let responses = operation["responses"].as_object().unwrap().values();
        for body in request.into_iter().chain(responses) {
            let body = resolved(&document, body);
            let mut content = body["content"].as_object().unwrap().values();
            let schema = &content.next().unwrap()["schema"];

            assert!(schema["$ref"].is_string(), "{name}: {schema}");
        }
    }
}

#[test]
fn every_visible_error_code_appears_in_an_example_response() {
    /// For requests that match no route, or do not come through the edge.
    const WITHOUT_ROUTE: [Code; 3] = [Code::NotFound, Code::MethodNotAllowed, Code::NotThroughEdge];
    /// Only Appmixer's and OAuth's routes use these, and their errors carry no code.
    const UNSEEN: [Code; 9] = [
        Code::Taken,
        Code::NoSession,
        Code::LastAdministrator,
        Code::NoUser,
        Code::NoTicket,
        Code::UnsupportedToken,
        Code::InvalidCode,
        Code::SignUpIpLimit,
        Code::SignUpEmailLimit,
    ];
    let document = document();
    let mut described = BTreeSet::from([0]);
    for (_, operation) in operations(&document) {
        for response in operation["responses"].as_object().unwrap().values() {
            let response = resolved(&document, response);
            let examples = response["content"]["application/json"]["examples"].as_object();
            let examples = examples.into_iter().flatten();
            described.extend(examples.filter_map(|(_, one)| one["value"]["code"].as_u64()));
        }
    }
    let expected: BTreeSet<u64> = Code::ALL
        .iter()
        .filter(|(code, _)| !WITHOUT_ROUTE.contains(code) && !UNSEEN.contains(code))
        .map(|(code, _)| *code as u64)
        .collect();

    assert_eq!(described, expected);
}

#[test]
fn responses_require_their_fields_but_those_that_can_be_left_out() {
    let document = document();
    let required = |path: &str, method: &str| {
        let answer = &document["paths"][path][method]["responses"]["200"];
        let schema = &answer["content"]["application/json"]["schema"];
        let required = resolved(&document, schema)["required"].clone();
        serde_json::from_value::<BTreeSet<String>>(required).unwrap()
    };
    let set = |names: &[&str]| {
        names
            .iter()
            .map(ToString::to_string)
            .collect::<BTreeSet<_>>()
    };
    let envelope = ["success", "code", "message"];
    for (path, method, own) in [
        ("/v1/auth/login", "post", &["token", "expiresIn"][..]),
        (
            "/v1/auth/refresh",
            "post",
            &["token", "expiresIn", "refreshToken"],
        ),
        ("/v1/auth/logout", "post", &[]),
        ("/v1/auth/user", "get", &["user"]),
        ("/v1/api-keys", "get", &["apiKeys"]),
    ] {
        assert_eq!(required(path, method), set(&[&envelope[..], own].concat()));
    }
    assert_eq!(required("/user/auth", "post"), set(&["user", "token"]));
}
