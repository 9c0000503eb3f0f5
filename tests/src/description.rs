//! Checks answers against the OpenAPI description.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use axum::http::StatusCode;
use local::gateway::{decoded, route_of};
use local::openapi;
use local::template::{Route, Template};
use serde_json::Value;

use crate::app::Answer;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let text = openapi::text().expect("a description");
    serde_json::from_str(&text).expect("JSON")
});

static ROUTES: LazyLock<Vec<Route>> =
    LazyLock::new(|| Template::checked_in().expect("a template").routes);

/// The operation in the description for this method and path, if it has a route.
#[must_use]
pub fn of(method: &str, path: &str) -> Option<&'static Value> {
    let route = route_of(&ROUTES, method, &decoded(path))?;
    Some(&DOCUMENT["paths"][&route.path][method.to_lowercase()])
}

/// Panics if the answer has a status, header, code or field that the description lacks, or lacks a
/// required field. No operation describes API Gateway's own answer to large headers.
pub fn assert_covers(operation: &'static Value, answer: &Answer) {
    if answer.status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE {
        return;
    }
    let operation_id = &operation["operationId"];
    let response = resolved(&operation["responses"][answer.status.to_string()]);
    assert!(response.is_object(), "{operation_id}: {answer:?}");
    let headers = &response["headers"];
    let is_described = |name: &str| {
        let names = headers.as_object().into_iter().flatten();
        name == "content-type"
            || names
                .into_iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name))
    };
    for name in answer.headers.keys() {
        assert!(
            is_described(name.as_str()),
            "{operation_id}: {name}: {answer:?}"
        );
    }
    let content = &response["content"]["application/json"];
    let mut schema = resolved(&content["schema"]);
    let mut bodies = std::slice::from_ref(&answer.body);
    if let Some(items) = answer.body.as_array() {
        (schema, bodies) = (resolved(&schema["items"]), items);
    }
    let properties = &schema["properties"];
    for body in bodies {
        let (described, sent) = (fields(properties), fields(body));
        assert!(sent.is_subset(&described), "{operation_id}: {answer:?}");
        let required = schema["required"].as_array();
        let mut required = required.into_iter().flatten().filter_map(Value::as_str);
        assert!(
            required.all(|name| body.get(name).is_some()),
            "{operation_id}: {answer:?}"
        );
        for (name, property) in properties.as_object().into_iter().flatten() {
            if let Some(value) = property.get("const") {
                assert_eq!(body[name], *value, "{operation_id}: {answer:?}");
            }
        }
    }
    // An error equals one of the examples, except for its message.
    if let Some(examples) = content["examples"].as_object() {
        let error = without_message(&answer.body);
        let mut examples = examples.values();
        assert!(
            examples.any(|example| without_message(&example["value"]) == error),
            "{operation_id}: {answer:?}"
        );
    }
}

fn without_message(error: &Value) -> Value {
    let mut error = error.clone();
    if let Some(fields) = error.as_object_mut() {
        fields.remove("message");
        fields.remove("error_description");
    }
    error
}

fn fields(object: &Value) -> BTreeSet<&String> {
    object
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name)
        .collect()
}

/// The target of a `$ref`, or the value itself.
#[must_use]
pub fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => DOCUMENT
            .pointer(reference.trim_start_matches('#'))
            .expect("the target of a reference"),
        None => value,
    }
}
