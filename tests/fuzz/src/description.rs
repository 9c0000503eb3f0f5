//! What docs/openapi.json says of answers.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../../docs/openapi.json");
    serde_json::from_str(text).expect("JSON")
});

/// An answer, as API Gateway is handed it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Answer {
    /// Reads a response; panics if its body is no JSON object.
    pub(crate) fn of(response: &Value) -> Self {
        let text = response["body"].as_str().expect("a body").to_owned();
        let headers = response["headers"].as_object().into_iter().flatten();
        let status = response["statusCode"].as_u64();
        let status = status.and_then(|status| u16::try_from(status).ok());
        let body: Value = serde_json::from_str(&text).expect("a body in JSON");
        assert!(body.is_object(), "{text}");
        Self {
            status: status.expect("a status"),
            headers: headers
                .map(|(name, value)| {
                    let value = value.as_str().expect("a value");
                    (name.clone(), value.to_owned())
                })
                .collect(),
            text,
            body,
        }
    }
}

/// Panics if the answer has a status, a header, a code or a field that is not described of requests
/// by this method for this path, or lacks a field that is.
pub(crate) fn assert_covers(method: &str, path: &str, answer: &Answer) {
    let operation = &DOCUMENT["paths"][path][method.to_lowercase()];
    let response = resolved(&operation["responses"][answer.status.to_string()]);
    assert!(response.is_object(), "{method} {path}: {answer:?}");
    let described = response["headers"].as_object().into_iter().flatten();
    let described: BTreeSet<String> = described.map(|(name, _)| name.to_lowercase()).collect();
    for (name, value) in &answer.headers {
        assert!(
            name == "content-type" || described.contains(name),
            "{name}: {answer:?}"
        );
        assert!(
            value.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{name}: {answer:?}"
        );
    }
    let content = &response["content"]["application/json"];
    let properties = &resolved(&content["schema"])["properties"];
    assert_eq!(
        fields(properties),
        fields(&answer.body),
        "{method} {path}: {answer:?}"
    );
    for (name, property) in properties.as_object().into_iter().flatten() {
        if let Some(value) = property.get("const") {
            assert_eq!(answer.body[name], *value, "{name}: {answer:?}");
        }
    }
    // An error is like one of the examples in all but its message.
    if let Some(examples) = content["examples"].as_object() {
        let error = without_message(&answer.body);
        let mut examples = examples.values();
        assert!(
            examples.any(|example| without_message(&example["value"]) == error),
            "{method} {path}: {answer:?}"
        );
    }
}

fn without_message(error: &Value) -> Value {
    let mut error = error.clone();
    if let Some(fields) = error.as_object_mut() {
        fields.remove("message");
    }
    error
}

fn fields(object: &Value) -> BTreeSet<&String> {
    let fields = object.as_object().into_iter().flatten();
    fields.map(|(name, _)| name).collect()
}

fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => DOCUMENT
            .pointer(reference.trim_start_matches('#'))
            .expect("what is referred to"),
        None => value,
    }
}
